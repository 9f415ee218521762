"""The command ``python -m tests.browser.add_offices``. It adds Offices to a demo, with an owner and a viewer.

Its argument is JSON: the e-mail addresses of the two people, and the Offices. Each has a name, the code of its price,
what else the start of its subscription is told, and how it is canceled, if it is. A person who is there already stays.
"""

import json
import os
import sys
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup()

from billing import clock  # noqa: E402
from billing.access import grants  # noqa: E402
from billing.audit import actor, trail  # noqa: E402
from billing.models import Membership, Office, PlanPrice, User  # noqa: E402
from billing.operations.engine.begin import perform  # noqa: E402
from billing.operations.subscriptions.cancel import CancelSubscription  # noqa: E402
from billing.operations.subscriptions.start import StartSubscription  # noqa: E402
from demo.seed_names import STAFF  # noqa: E402
from demo.stack import demo_password  # noqa: E402


def main() -> None:
    wanted = json.loads(sys.argv[1])
    with trail.acting(actor.job("demo"), reason="the people of new Offices"):
        people = [
            (person(wanted["owner"]), Membership.Role.OWNER),
            (person(wanted["viewer"]), Membership.Role.VIEWER),
        ]
    for one in wanted["offices"]:
        add(one, people)


def person(email: str) -> User:
    found = User.objects.filter(email=email).first()
    return found or User.objects.create_user(email, demo_password(), name=email.partition("@")[0])


def add(one: dict[str, Any], people: list[tuple[User, str]]) -> None:
    by = actor.person(User.objects.get(email=STAFF))
    with trail.acting(by, reason="signed up"):
        address = f"{one['name'].replace(' ', '-').lower()}@practice.example"
        office = Office.objects.create(name=one["name"], billing_email=address, created_at=clock.billing())
        for user, role in people:
            grants.write_grants(Membership.objects.create(user=user, office=office, role=role))
    price = PlanPrice.objects.get(code=one["price"])
    start = StartSubscription(price=str(price.public_id), **one.get("start", {}))
    office = perform(start, office, by=by, reason="signed up by phone")
    if cancel := one.get("cancel"):
        perform(CancelSubscription(**cancel), office, by=by, reason="the practice closes")


if __name__ == "__main__":
    main()
