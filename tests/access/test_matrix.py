"""Each role at each address, of its own Office, of another and of none: what is allowed, and no more.

The addresses come from the URL table, so a new one without an entry in ``addresses`` fails here.
"""

import re
import uuid
from collections import Counter
from datetime import timedelta
from typing import Any, cast

import pytest
from django.contrib.auth.models import AnonymousUser
from django.test import Client
from django.urls import reverse
from rest_framework.test import APIClient

from billing import clock
from billing.audit import actor, seals, trail
from billing.models import (
    Adjustment,
    ApprovalRequest,
    AuditEntry,
    AuditSeal,
    BulkAct,
    EmergencyRole,
    Finding,
    FollowUp,
    Invitation,
    Invoice,
    Job,
    Movement,
    Notification,
    Office,
    Operation,
    Payment,
    PaymentMethod,
    Plan,
    ReceivedEvent,
    Reconciliation,
    ServiceIdentity,
    Subscription,
    SubscriptionChange,
    TrailReview,
    User,
    Vouching,
    WorkerHeartbeat,
)
from tests.access.addresses import ADMIN, API, NO_PAGES, OF_STAFF, OFFICE, OPEN, PAGES, ROLES, VENDOR, named
from tests.conftest import a_member, a_person, an_office, determined, rolled_back

SHUT = {"not_permitted", "staff_only", "not_found"}


def test_each_address_has_an_entry():
    expected = {f"api:{name}" for _, name in API} | {f"admin:{name}" for name in ADMIN}
    expected |= {f"office_pages:{name}" for _, name in PAGES}
    expected |= {f"admin:{name}" for name in f"{OF_STAFF} {NO_PAGES}".split()} | set(OPEN.split())
    found = set(named()) - {""}

    ways_on = {one for one in found if re.fullmatch(r"admin/.*", one)}  # Django's own, to the pages above
    ways_on |= {"admin/login/", "admin/password_change/"}
    assert found - ways_on - {"djstripe:djstripe_webhook_by_uuid", "healthz"} == expected - {"healthz"}


def test_each_method_of_the_api_has_an_entry():
    found = set()
    for name, (_, entry) in named().items():
        if name.startswith("api:"):
            view = cast(Any, entry.callback).cls
            methods = [one for one in ("get", "post", "put", "patch", "delete") if hasattr(view, one)]
            found |= {(one.upper(), name.removeprefix("api:")) for one in methods}
    assert found == set(API)


def people(office: Office) -> dict[str, Any]:
    found: dict[str, Any] = {role: a_person(f"{role}@vendor.example", group=role) for role in VENDOR}
    found |= {role: a_member(office, role) for role in OFFICE}
    return found | {"outsider": a_person("outsider@elsewhere.example"), "nobody": AnonymousUser()}


def furnished(office: Office) -> dict[str, Any]:
    """An invoice, a payment, a card and a member of the Office: what an address can name."""
    seen = {"office": office, "currency": "usd", "ticket": 0, "created_at": clock.wall()}
    amounts = dict.fromkeys(("subtotal", "total", "amount_paid", "amount_remaining"), 100)
    key = office.pk
    with trail.acting(actor.job("tests"), reason="tests"):
        invoice = Invoice.objects.create(**seen, **amounts, stripe_id=f"in_{key}", status="draft")
        payment = Payment.objects.create(**seen, stripe_id=f"ch_{key}", status="failed", amount=100)
        card = PaymentMethod.objects.create(office=office, stripe_id=f"pm_{key}", ticket=0, brand="visa", last4="4242")
        member = a_person(f"member{key}@maple.example")
        asked = ApprovalRequest.objects.create(
            office=office, kind="adjust_credit", request={}, amount=1, currency="usd", requested_by=member
        )
        office.memberships.create(user=member, role="viewer")
        invited = office.invitations.create(email=f"new{key}@maple.example", role="viewer")
    return {
        "public_id": office.public_id,
        "invoice_id": invoice.public_id,
        "payment_id": payment.public_id,
        "card_id": card.public_id,
        "person_id": member.public_id,
        "approval_id": asked.public_id,
        "invitation_id": invited.public_id,
    }


@pytest.mark.slow
def test_the_api(stripe, office, no_limit_is_reached):
    other = an_office("Another Practice")
    cast = people(office)
    places = {"own": furnished(office), "foreign": furnished(other)}
    places["none"] = dict.fromkeys(places["own"], uuid.uuid4())
    counted: Counter[str] = Counter()
    for (method, name), letter in API.items():
        path, _ = named()[f"api:{name}"]
        wanted = re.findall(r"<uuid:(\w+)>", path)
        for place, ids in places.items() if wanted else (("nowhere", {}),):
            address = reverse(f"api:{name}", kwargs={one: ids[one] for one in wanted})
            for role, user in cast.items():
                client = APIClient()
                if name == "sign-out" and role != "nobody":
                    continue  # it needs a token: tests/api/test_api.py
                if isinstance(user, User):
                    client.force_authenticate(User.objects.get(pk=user.pk))
                refusals = AuditEntry.objects.filter(kind="refusal")
                with rolled_back():
                    before = refusals.count()
                    answer = client.generic(method, address, "{}", content_type="application/json")
                    recorded = refusals.count() - before
                cell = f"{role}: {method} {name}, {place}"
                expected = outcome(role, letter, place)
                data = getattr(answer, "data", None)
                code = str(data.get("code", "")) if isinstance(data, dict) else ""
                counted[expected] += 1
                if expected == "allowed":
                    assert answer.status_code != 401, (cell, answer.content)
                    assert code not in SHUT, (cell, answer.content)
                    continue
                status = {"denied": 403, "hidden": 404, "unknown": 401}[expected]
                assert answer.status_code == status, (cell, answer.status_code, answer.content)
                assert recorded == (1 if expected == "denied" else 0), cell
                assert office.name not in answer.content.decode(), cell
                assert other.name not in answer.content.decode(), cell
    print(dict(counted))  # noqa: T201
    assert min(counted.values()) > 100
    assert set(counted) == {"allowed", "denied", "hidden", "unknown"}


def outcome(role: str, letter: str, place: str) -> str:
    """What the table says of one cell. An Office that somebody does not see is hidden, whatever the address needs."""
    if letter == "0":
        return "allowed"
    if role == "nobody":
        return "unknown"
    if letter == "*":
        return "allowed"
    sees = place == "own" if role in OFFICE else role in VENDOR and place != "none"
    if not sees:
        return "hidden"
    return "allowed" if letter in ROLES[role] else "denied"


def rows(office: Office, administrator: Any, operator: Any) -> dict[str, int]:
    """One row of each model that has pages."""
    ids = furnished(office)
    seen = {"office": office, "created_at": clock.wall()}
    with trail.acting(actor.job("tests"), reason="tests"):
        made: dict[str, Any] = {
            "office": office,
            "invoice": Invoice.objects.get(public_id=ids["invoice_id"]),
            "payment": Payment.objects.get(public_id=ids["payment_id"]),
            "user": User.objects.get(public_id=ids["person_id"]),
            "membership": office.memberships.latest("pk"),
            "plan": Plan.objects.create(code="one", name="One"),
            "subscription": Subscription.objects.create(
                **seen, stripe_id="sub_1", ticket=0, currency="usd", quantity=1
            ),
            "adjustment": Adjustment.objects.create(
                **seen, stripe_id="re_1", ticket=0, currency="usd", amount=5, kind="refund"
            ),
            "operation": Operation.objects.create(**seen, kind="cancel", lease_until=clock.wall(), status="succeeded"),
            "finding": Finding.objects.create(kind="drift", subject="x", office=office, detail="x"),
            "reconciliation": Reconciliation.objects.create(recent_since=clock.wall(), stage="customers"),
            "receivedevent": ReceivedEvent.objects.create(stripe_id="evt_1", type="x", created_at=clock.wall()),
            "job": Job.objects.create(name="x", due_at=clock.wall()),
            "workerheartbeat": WorkerHeartbeat.objects.create(name="x", seen_at=clock.wall()),
            "approvalrequest": ApprovalRequest.objects.get(public_id=ids["approval_id"]),
            "emergencyrole": EmergencyRole.objects.create(
                person=operator.user, role="finance", given_by=administrator.user, reason="tests"
            ),
            "vouching": Vouching.objects.create(
                first=operator.user,
                second=administrator.user,
                vouched_by=User.objects.get(public_id=ids["person_id"]),
                reason="tests",
            ),
            "invitation": Invitation.objects.create(email="new@vendor.example", role="auditor", made_by=None),
            "notification": a_notice(operator.user),
            "serviceidentity": ServiceIdentity.objects.create(name="x", all_offices=True, expires_at=clock.wall()),
            "agreement": determined(operator, administrator),
            "movement": a_movement(office),
            "auditentry": AuditEntry.objects.latest("pk"),
            "trailreview": a_review(operator.user),
            "bulkact": BulkAct.objects.create(kind="archive", actor=operator.user, reason="tests"),
            "followup": FollowUp.objects.create(office=office, assigned_to=operator.user),
        }
    return {model: row.pk for model, row in made.items()}


def a_movement(office: Office) -> Movement:
    row = office.subscriptions.get()
    about = {"office": office, "at": clock.wall(), "currency": "usd"}
    change = SubscriptionChange.objects.create(**about, subscription=row, quantity_after=1, mrr_after=5)
    return Movement.objects.create(**about, change=change, kind="new", amount=5)


def a_review(user: User) -> TrailReview:
    now = clock.wall()
    seals.seal()
    seal = AuditSeal.objects.latest("number")
    return TrailReview.objects.create(person=user, since=now - timedelta(days=1), until=now, seal=seal, note="tests")


def a_notice(user: User) -> Notification:
    Notification.objects.put(Notification.Kind.ROLE_GIVEN, "x", user=user, role="auditor")
    return Notification.objects.get()


@pytest.mark.slow
def test_the_admin(stripe, office, administrator, operator, no_limit_is_reached):
    at = rows(office, administrator, operator)
    stripe.forget_requests()
    counted: Counter[str] = Counter()
    users = {role: user for role, user in people_apart(office).items() if role != "nobody"}
    for name, letter in ADMIN.items():
        path, _ = named()[f"admin:{name}"]
        model = name.split("_")[1]
        address = "/" + re.sub(r"<[^>]+>", str(at.get(model, 0)), path)
        for role, user in users.items():
            client = Client()
            client.force_login(user)
            refusals = AuditEntry.objects.filter(kind="refusal", actor=user)
            allowed = role in VENDOR and letter in ROLES[role]
            cell = f"{role}: {name}"
            with rolled_back():
                answer = client.get(address)
                shut = client.post(address, {}) if not allowed else None
                recorded = refusals.count()
            if allowed:
                assert answer.status_code == 200 or "login" not in answer.headers["Location"], (
                    cell,
                    answer.status_code,
                )
                counted["allowed"] += 1
            elif role in VENDOR:
                assert (answer.status_code, shut.status_code) == (403, 403), (cell, answer.status_code)
                assert recorded == 1, cell
                counted["denied"] += 1
            else:
                assert (answer.status_code, shut.status_code) == (302, 302), cell
                assert "/admin/login/" in answer.headers["Location"], cell
                counted["sent to the sign-in"] += 1
    print(dict(counted))  # noqa: T201
    assert min(counted.values()) > 100


def people_apart(office: Office) -> dict[str, Any]:
    """The same cast under other addresses: the two who prepared and approved have the first ones."""
    found: dict[str, Any] = {role: a_person(f"only-{role}@vendor.example", group=role) for role in VENDOR}
    found |= {role: a_member(office, role) for role in OFFICE}
    return found | {"outsider": a_person("outsider@elsewhere.example")}


def test_a_page_of_the_admin_asks_stripe_nothing_of_who_may_not(stripe, office):
    auditor = Client()
    auditor.force_login(a_person("auditor@vendor.example", group="auditor"))
    support = Client()
    support.force_login(a_person("support@vendor.example", group="support"))

    for client in (auditor, support):
        for act in ("upcoming", "change-plan", "subscribe", "charge", "credit", "apply-discount"):
            assert client.post(f"/admin/billing/office/{office.pk}/{act}/", {}).status_code == 403
    assert stripe.requests() == []
