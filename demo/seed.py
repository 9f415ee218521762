"""The command ``python -m demo.seed``. It creates plans, people and a dozen Offices, as a person would.

Plans and people are our own rows. Every subscription is started by an operation at Stripe, and comes back as
webhooks. Repeating adds what is missing: after ``demo.past``, these are the Offices that begin today.
"""

import contextlib
import os
import time

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup()

from django.contrib.auth.models import Group  # noqa: E402

from billing import clock, errors  # noqa: E402
from billing.access import grants  # noqa: E402
from billing.audit import actor, trail  # noqa: E402
from billing.models import Membership, Office, Plan, PlanPrice, ReceivedEvent, User  # noqa: E402
from billing.operations.catalogue import publish_plans  # noqa: E402
from billing.operations.engine.begin import perform  # noqa: E402
from billing.operations.money.credit import AdjustCredit  # noqa: E402
from billing.operations.subscriptions.cancel import CancelSubscription  # noqa: E402
from billing.operations.subscriptions.start import StartSubscription  # noqa: E402
from demo.seed_names import AUDITOR, FINANCE, OWNER, SECOND, STAFF, VIEWER  # noqa: E402
from demo.stack import demo_password  # noqa: E402

PRICES = (
    ("practice-monthly", "Practice", 19_900, "month", False),
    ("practice-yearly", "Practice", 199_000, "year", False),
    ("seats-monthly", "Team", 4_900, "month", True),
)
OFFICES: tuple[tuple[str, str, dict], ...] = (
    ("Maple Street Family Practice", "practice-monthly", {"payment_method": "pm_card_visa"}),
    ("Harbor Pediatrics", "seats-monthly", {"payment_method": "pm_card_visa", "quantity": 6}),
    ("Northgate Dental", "practice-yearly", {"payment_method": "pm_card_mastercard"}),
    ("Cedar Hill Orthopedics", "seats-monthly", {"payment_method": "pm_card_visa", "quantity": 14}),
    ("Lakeview Dermatology", "practice-monthly", {"trial_days": 14}),
    ("Old Mill Internal Medicine", "practice-monthly", {"payment_method": "pm_card_visa"}),
    ("Sunrise Physiotherapy", "seats-monthly", {"trial_days": 30, "payment_method": "pm_card_visa", "quantity": 3}),
    ("Riverside Eye Clinic", "practice-monthly", {"payment_method": "pm_card_chargeCustomerFail"}),
    ("Granite Peak Cardiology", "practice-yearly", {"payment_method": "pm_card_visa"}),
    ("Willow Women's Health", "practice-monthly", {"payment_method": "pm_card_mastercard"}),
    ("Juniper Allergy Center", "seats-monthly", {"payment_method": "pm_card_visa", "quantity": 2}),
    ("Foxglove Family Care", "", {}),
)
MEMBERS_OF = "Maple Street Family Practice"
MEMBERS = ((OWNER, Membership.Role.OWNER), (VIEWER, Membership.Role.VIEWER))
LEAVING = "Old Mill Internal Medicine"
WAITED = "Granite Peak Cardiology"
SETTLE_SECONDS = 60


def main() -> None:
    by, password = actor.job("demo"), demo_password()
    with trail.acting(by, reason="the demo's cast"):
        staff = people(password)
        catalogue()
    publish_plans(by=by, reason="the demo's plans")
    person = actor.person(staff)
    for name, price, given in OFFICES:
        open_office(name, price, given, person)
    wait_until_applied()
    who = f"{STAFF}, {SECOND} or {FINANCE} (admin), or {OWNER} or {VIEWER} (/billing/)"
    print(f"Sign in as {who}, password: {password}")  # noqa: T201


def people(password: str) -> User:
    staff = User.objects.filter(email=STAFF).first()
    if staff is None:
        staff = User.objects.create_user(STAFF, password, name="Olive Operator", is_staff=True)
        staff.groups.add(*Group.objects.filter(name__in=("operator", "finance", "auditor")))
        User.objects.create_user(OWNER, password, name="Mira Maple")
    if not User.objects.filter(email=SECOND).exists():  # people and plans; approves what the other person prepares
        second = User.objects.create_user(SECOND, password, name="Ada Administrator", is_staff=True)
        second.groups.add(Group.objects.get(name="administrator"))
    if not User.objects.filter(email=FINANCE).exists():  # approves money back that the first one asks for
        finance = User.objects.create_user(FINANCE, password, name="Fay Finance", is_staff=True)
        finance.groups.add(Group.objects.get(name="finance"))
    if not User.objects.filter(email=AUDITOR).exists():  # reads everything, the audit trail too, and changes nothing
        auditor = User.objects.create_user(AUDITOR, password, name="Ann Auditor", is_staff=True)
        auditor.groups.add(Group.objects.get(name="auditor"))
    if not User.objects.filter(email=VIEWER).exists():
        User.objects.create_user(VIEWER, password, name="Vera Viewer")
    return staff


def catalogue() -> None:
    for code, plan_name, amount, interval, per_seat in PRICES:
        plan, _ = Plan.objects.get_or_create(code=plan_name.lower(), defaults={"name": plan_name})
        PlanPrice.objects.get_or_create(
            code=code,
            defaults={
                "plan": plan,
                "currency": "usd",
                "unit_amount": amount,
                "interval": interval,
                "per_seat": per_seat,
            },
        )


def open_office(name: str, price: str, given: dict, by: actor.Actor) -> None:
    if Office.objects.filter(name=name).exists():
        return
    with trail.acting(by, reason="signed up"):
        office = known_office(name)
    if not price:
        return
    try:
        chosen = PlanPrice.objects.get(code=price)
        office = perform(
            StartSubscription(price=str(chosen.public_id), **given), office, by=by, reason="signed up by phone"
        )
    except errors.CardDeclined:
        return  # a declined card leaves an Office without a subscription, and the demo shows that
    if name == LEAVING:
        perform(CancelSubscription(), office, by=by, reason="the practice closes")
    if name == WAITED:  # above the limit for one person, so it waits for another
        with contextlib.suppress(errors.SentForApproval):
            perform(AdjustCredit(amount=75_000), office, by=by, reason="goodwill")


def known_office(name: str) -> Office:
    """Return the Office with this name. If there is none, add it now, by the clock of its subscriptions."""
    known = Office.objects.filter(name=name).first()
    if known:
        return known
    address = f"billing@{name.split(maxsplit=1)[0].lower()}.example"
    office = Office.objects.create(name=name, billing_email=address, created_at=clock.billing())
    if name == MEMBERS_OF:
        for email, role in MEMBERS:
            member = Membership(user=User.objects.get(email=email), office=office, role=role)
            member.save()
            grants.write_grants(member)
    return office


def wait_until_applied() -> None:
    until = time.monotonic() + SETTLE_SECONDS
    while time.monotonic() < until:
        if ReceivedEvent.objects.exists() and not ReceivedEvent.objects.filter(status="waiting").exists():
            return
        time.sleep(0.1)


if __name__ == "__main__":
    main()
