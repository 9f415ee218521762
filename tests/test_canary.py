"""Marked secrets, addresses, names and digits go through the main job, and only stand where the table says.

The job has failures in it: a declined card, a Stripe that is away, a refused text, a wrong password, forged events, and
pages that break. ``pytest -s -m slow tests/test_canary.py`` prints where each mark was found.
"""

import io
import json
import logging
import re
import zipfile
from collections import Counter, defaultdict
from typing import Any

import pytest
from django.core import mail
from django.db import connection
from django.test import Client
from rest_framework.test import APIClient

from billing import errors
from billing.access import grants, invitations
from billing.audit import actor, export, trail
from billing.models import Membership, Office, Operation, User
from billing.operations.engine.begin import perform
from billing.operations.engine.settle import resume_unsettled
from billing.operations.offices.cards import MakeCardLink, PreparePaymentMethod
from billing.operations.offices.contact import ChangeContact
from billing.operations.subscriptions.start import StartSubscription
from billing.outbox import delivery
from config.environment import Secret
from tests.api.services import a_service, asking
from tests.conftest import ADMINISTRATOR, a_person, post_delivery, price_id

PASSWORD, WRONG_PASSWORD = "canary blue kettle password", "canary wrong teapot password"
OFFICE, PERSON = "Canarybird Practice", "Canary Q. Person"
BILLING_EMAIL, PERSON_EMAIL = "canary-billing@maple.example", "canary-person@maple.example"
REFUSED = "the patient Canarymark was treated for asthma"
MAIL_PASSWORD, TYPED_CARD = "canary-mail-password", "371449635398431"
LAST4 = "8431"  # of pm_card_amex, and of the number that somebody typed where it does not belong

MAY_STAND: dict[str, set[str]] = {
    # what a person or the vendor must see again
    "name of the Office": {
        *("billing_office", "billing_auditentry", "billing_operationstep", "page", "API", "export", "mail"),
        *("broken page with DEBUG", "to Stripe"),
    },
    "billing address": {
        *("billing_office", "billing_auditentry", "billing_operationstep", "page", "API", "export"),
        *("broken page with DEBUG", "to Stripe", "billing_officepart"),  # by which it is searched
    },
    "name of a person": {"billing_user", "billing_auditentry", "page", "API", "export", "broken page with DEBUG"},
    "address of a person": {
        *("billing_user", "billing_auditentry", "billing_operation", "page", "API", "export"),
        *("broken page with DEBUG", "billing_userpart"),
    },
    "last digits of a card": {
        *("billing_paymentmethod", "billing_payment", "billing_office", "billing_auditentry", "page", "API", "export"),
    },
    # what is shown once, to whom it is for
    "client secret": {"API"},
    "address of a card form": {"API"},
    "token of a person": {"API"},
    "token of a service": set(),
    "link of an invitation": {"mail"},
    # what nobody sees
    "password": set(),
    "wrong password": set(),
    "refused text": set(),
    "typed card number": set(),
    "key of Stripe": set(),
    "secret of the webhook": set(),
    "password of the mail server": set(),
    "SECRET_KEY": set(),
    "key of the seals": set(),
    "key of the entries": set(),
}
"""Where a mark may stand. A table of the database is one place; all of dj-stripe's are one together."""


class Heard(logging.Handler):
    """Keeps every line that the product logs at its own levels."""

    def __init__(self) -> None:
        super().__init__()
        self.setFormatter(logging.Formatter("%(message)s"))
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record))


class Places:
    """Texts by place, and the marks that are looked for in them."""

    def __init__(self) -> None:
        self.texts: dict[str, list[str]] = defaultdict(list)
        self.marks: dict[str, str] = {}

    def keep(self, place: str, text: Any) -> None:
        self.texts[place].append(text.decode(errors="replace") if isinstance(text, bytes) else str(text))

    def found(self) -> dict[str, Counter[str]]:
        patterns = {name: re.compile(rf"(?<![\w-]){re.escape(mark)}(?![\w-])") for name, mark in self.marks.items()}
        return {
            name: Counter(
                {place: n for place, texts in self.texts.items() if (n := sum(map(len, map(one.findall, texts))))}
            )
            for name, one in patterns.items()
        }


def the_database(places: Places) -> None:
    """Keep each value of each row of each table."""
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            place = "djstripe" if table.startswith("djstripe") else table
            cursor.execute(f'SELECT * FROM "{table}"')
            for row in cursor.fetchall():
                places.keep(place, " | ".join(map(str, row)))


def the_main_job(places: Places, stripe: Any) -> tuple[User, Office, APIClient]:
    """An Office signs up, pays, fails to pay, and comes back. Return its owner, itself, and the owner's client."""
    administrator = actor.person(a_person("administrator@vendor.example", group=ADMINISTRATOR))
    with trail.acting(administrator, reason="signed up by phone"):
        office = Office.objects.create(name=OFFICE, billing_email=BILLING_EMAIL)
        owner = User.objects.create_user(PERSON_EMAIL, PASSWORD, name=PERSON)
        grants.write_grants(Membership.objects.create(user=owner, office=office, role="owner"))
    by = actor.person(owner)
    api = APIClient(raise_request_exception=False)
    wrong = {"email": PERSON_EMAIL, "password": WRONG_PASSWORD}
    assert api.post("/api/v1/auth/token/", wrong, format="json").status_code in (400, 401, 403)
    answer = api.post("/api/v1/auth/token/", {"email": PERSON_EMAIL, "password": PASSWORD}, format="json")
    places.keep("API", answer.content)
    places.marks["token of a person"] = answer.json()["token"]
    api.credentials(HTTP_AUTHORIZATION=f"Token {answer.json()['token']}")
    start = {"price": price_id("practice-monthly"), "payment_method": "pm_card_chargeCustomerFail", "reason": "new"}
    base = f"/api/v1/offices/{office.public_id}/"
    assert api.post(f"{base}subscription/", start, format="json").status_code == 402
    stripe.fail_next("503", path_prefix="/v1/subscriptions", method="POST")
    with pytest.raises(errors.StripeUnavailable):
        perform(
            StartSubscription(price=price_id("practice-monthly"), payment_method="pm_card_amex"),
            office,
            by=by,
            reason="new",
        )
    Operation.objects.filter(status="unknown").update(lease_until=Operation.objects.latest("pk").created_at)
    resume_unsettled()
    stripe.deliver_and_apply()
    for refused in ({**start, "reason": REFUSED}, {**start, "payment_method": TYPED_CARD}):
        places.keep("API", api.post(f"{base}subscription/", refused, format="json").content)
    for declared, name in ((PreparePaymentMethod, "client secret"), (MakeCardLink, "address of a card form")):
        path = "payment-methods/" if declared is PreparePaymentMethod else "payment-methods/link/"
        shown = api.post(f"{base}{path}", {"reason": "another card"}, format="json")
        places.keep("API", shown.content)
        places.marks[name] = next(
            one for key, one in shown.json().items() if key in ("client_secret", "url", "address")
        )
    perform(ChangeContact(locale="es"), Office.objects.get(pk=office.pk), by=by, reason="their language")
    _, token = a_service(by=administrator)
    places.marks["token of a service"] = token.rpartition("_")[2]
    places.keep("API", asking(token).get(f"{base}entitlement/").content)
    invitations.invite(f"second-{PERSON_EMAIL}", "viewer", office=office, by=administrator)
    delivery.work_off()
    places.marks["link of an invitation"] = re.search(r"\?link=([\w:.-]+)", mail.outbox[-1].body)[1]  # type: ignore[index]
    stripe.advance(days=32)
    for one in stripe.taken(duplicate=True):
        post_delivery(one, headers={"Stripe-Signature": "t=1,v1=forged"})
        post_delivery(one)
    return owner, office, api


def the_pages(places: Places, owner: User, office: Office, api: APIClient, settings: Any) -> None:
    """Open what people see, and break some of it."""
    staff = Client(raise_request_exception=False)
    staff.force_login(User.objects.get(email="administrator@vendor.example"))
    theirs = Client(raise_request_exception=False)
    theirs.force_login(owner)
    base = f"/api/v1/offices/{office.public_id}/"
    for path in ("", "payment-methods/", "payments/", "invoices/", "members/", "audit-trail/"):
        places.keep("API", api.get(f"{base}{path}").content)
    pages = [
        "/account/",
        *(f"/admin/billing/{name}/" for name in ("office", "user", "operation", "auditentry", "payment")),
    ]
    for path in [*pages, f"/admin/billing/office/{office.pk}/change/"]:
        places.keep("page", staff.get(path, follow=True).content)
    places.keep("page", theirs.get("/account/").content)
    broken = "broken page with DEBUG" if settings.DEBUG else "broken page"
    settings.VENDOR_TIME_ZONE = settings.PAST_DUE_GRACE = settings.BLIND_ACCESS_GRACE = None
    failed: list[Any] = [api.get(f"{base}entitlement/")]
    settings.RATE_LIMITS = None  # everything breaks, before anything is looked at
    typed = {"email": PERSON_EMAIL, "password": PASSWORD}
    failed += [
        staff.get("/admin/"),
        api.get(base),
        api.post("/api/v1/auth/token/", typed, format="json"),
        theirs.post("/account/login/", {"login": PERSON_EMAIL, "password": PASSWORD}),
        theirs.post("/account/password/change/", {"oldpassword": PASSWORD, "password1": WRONG_PASSWORD}),
    ]
    assert [answer.status_code for answer in failed] == [500] * len(failed)
    for answer in failed:
        places.keep(broken, answer.content)


@pytest.mark.slow
@pytest.mark.parametrize("debug", [False, True])
def test_each_mark_stands_only_where_it_may(stripe, settings, no_limit_is_reached, debug):
    settings.DEBUG = debug
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    settings.EMAIL_HOST_PASSWORD = Secret(MAIL_PASSWORD)
    places = Places()
    places.marks |= {
        "name of the Office": OFFICE,
        "billing address": BILLING_EMAIL,
        "name of a person": PERSON,
        "address of a person": PERSON_EMAIL,
        "last digits of a card": LAST4,
        "password": PASSWORD,
        "wrong password": WRONG_PASSWORD,
        "refused text": "Canarymark",
        "typed card number": TYPED_CARD,
        "key of Stripe": settings.STRIPE_API_KEY,
        "secret of the webhook": settings.STRIPE_WEBHOOK_SECRETS[0],
        "password of the mail server": MAIL_PASSWORD,
        "SECRET_KEY": settings.SECRET_KEY,
        "key of the seals": str.__str__(settings.AUDIT_SEAL_KEY),
        "key of the entries": str.__str__(settings.AUDIT_ENTRY_KEYS[0]),
    }
    heard, root = Heard(), logging.getLogger()
    root.addHandler(heard)
    try:
        owner, office, api = the_main_job(places, stripe)
        the_pages(places, owner, office, api, settings)
    finally:
        root.removeHandler(heard)
    the_database(places)
    for line in heard.lines:
        places.keep("log", line)
    for asked in stripe.requests():
        places.keep("to Stripe", json.dumps([asked["path"], asked["params"]], ensure_ascii=False))
    for one in mail.outbox:
        places.keep("mail", one.message().as_string())
        places.keep("mail", one.body)
    file = io.BytesIO()
    export.export(file, export.Which(), by=actor.job("tests"), reason="the yearly review")
    with zipfile.ZipFile(file) as archive:
        for name in ("entries.jsonl", "entries.csv"):
            places.keep("export", archive.read(name))

    found = places.found()

    for name, counts in found.items():
        print(f"{name:<28} {', '.join(f'{place} {n}' for place, n in sorted(counts.items())) or 'nowhere'}")  # noqa: T201
    stray = {name: set(counts) - MAY_STAND[name] for name, counts in found.items() if set(counts) - MAY_STAND[name]}
    assert stray == {}
    assert set(found) == set(MAY_STAND)
    for seen in (
        "name of the Office",
        "address of a person",
        "last digits of a card",
        "client secret",
        "link of an invitation",
    ):
        assert found[seen], f"the job never had the {seen}"
    assert len(heard.lines) > 5
