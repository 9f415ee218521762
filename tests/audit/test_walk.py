"""Whatever changes something leaves an entry with the one who did it: every operation, and every write of the API.

The walk comes from the table of addresses and from the registry. What is new there fails until it can be done here.
"""

import re
from collections.abc import Callable
from dataclasses import fields
from datetime import datetime
from typing import Any

import pytest
from django.urls import reverse
from rest_framework.test import APIClient

from billing.access import invitations, second_factor
from billing.audit import actor
from billing.models import AuditEntry, Invoice, Office, Payment, User
from billing.models.approval_request import ApprovalRequest
from billing.operations.engine.begin import perform
from billing.operations.engine.declaration import Declaration, Here
from billing.operations.engine.registry import REGISTRY
from billing.operations.money.credit import AdjustCredit
from billing.operations.offices.archive import ArchiveOffice, UnarchiveOffice
from tests.access.addresses import API, named
from tests.conftest import ADMINISTRATOR, PASSWORD, a_member, a_person
from tests.operations.test_lost_answers import LOST, REASON, Lost, as_it_is
from tests.operations.test_registry import declared_at, in_the_api

LEFT = ("change", "act")
WRITES = sorted(name for method, name in API if method != "GET" and not name.startswith("preview-"))


def archived(stripe, office, by):
    perform(ArchiveOffice(), office, by=by, reason=REASON)
    return Office.objects.get(pk=office.pk)


WAYS: dict[Any, Lost] = {
    **LOST,
    ArchiveOffice: Lost("", as_it_is),
    UnarchiveOffice: Lost("", archived),
}


def entries_after(mark: int, who: User) -> list[AuditEntry]:
    return list(AuditEntry.objects.filter(pk__gt=mark, actor=who, actor_kind="person", kind__in=LEFT))


def last() -> int:
    return AuditEntry.objects.values_list("pk", flat=True).order_by("-pk").first() or 0


def client_of(user: User) -> APIClient:
    client = APIClient(raise_request_exception=True)
    client.force_authenticate(User.objects.get(pk=user.pk))
    return client


def posted(client: APIClient, name: str, ids: dict[str, Any], body: dict[str, Any], method: str = "post") -> Any:
    wanted = re.findall(r"<uuid:(\w+)>", named()[f"api:{name}"][0])
    address = reverse(f"api:{name}", kwargs={one: ids[one] for one in wanted})
    return getattr(client, method)(address, body, format="json", headers={"Idempotency-Key": "a-key-of-the-walk"})


def body_of(request: Declaration[Any, Any]) -> dict[str, Any]:
    """Return the fields that the one who asks gives, as JSON."""
    asked = [one for one in fields(request) if "terms" in one.metadata and one.name != "card"]
    given = {one.name: getattr(request, one.name) for one in asked if getattr(request, one.name) != one.default}
    return {name: one.isoformat() if isinstance(one, datetime) else one for name, one in given.items()}


def ids_of(subject: Any, request: Any) -> dict[str, Any]:
    office = subject if isinstance(subject, Office) else subject.office
    found = {"public_id": office.public_id, "card_id": getattr(request, "card", "")}
    if isinstance(subject, Invoice):
        found["invoice_id"] = subject.public_id
    if isinstance(subject, Payment):
        found["payment_id"] = subject.public_id
    return found


@pytest.mark.parametrize("name", [name for name in WRITES if declared_at(named()[f"api:{name}"][1])])
def test_an_operation_over_the_api(stripe, operator, office, name):
    declared = declared_at(named()[f"api:{name}"][1])
    way = WAYS[declared]
    subject = way.before(stripe, office, operator)
    request = way.asked(subject) if way.asked else declared()
    who = a_person("walker@vendor.example", group=ADMINISTRATOR)
    mark = last()

    answer = posted(client_of(who), name, ids_of(subject, request), {**body_of(request), "reason": "agreed"})

    assert answer.status_code in (200, 201), answer.content
    left = entries_after(mark, who)
    assert any(one.office == office for one in left)
    assert all(
        one.reason == "Agreed with the Office" and one.remote_addr == "127.0.0.1" and one.request_id for one in left
    )


@pytest.mark.parametrize("declared", [one for one in REGISTRY.values() if one not in in_the_api()])
def test_an_operation_that_the_api_does_not_have(stripe, operator, office, declared):
    way = WAYS[declared]
    subject = way.before(stripe, office, operator)
    who = a_person("walker@vendor.example", group=ADMINISTRATOR)
    mark = last()
    perform(way.asked(subject) if way.asked else declared(), subject, by=actor.person(who), reason=REASON)
    assert any(one.office == office for one in entries_after(mark, who))


def test_each_operation_has_a_way_here():
    assert set(WAYS) == set(REGISTRY.values())
    assert all(issubclass(one, Here) for one in set(WAYS) - set(LOST))


# --- writes of the API that are no operations


def signed_in(stripe, office, settings):
    owner = a_member(office, "owner")
    answer = APIClient().post("/api/v1/auth/token/", {"email": owner.email, "password": PASSWORD}, format="json")
    return owner, answer


def signed_out(stripe, office, settings):
    owner, answer = signed_in(stripe, office, settings)
    held = {"Authorization": f"Token {answer.data['token']}"}
    return owner, APIClient().post("/api/v1/auth/sign-out/", headers=held)


def with_another_password(stripe, office, settings):
    owner = a_member(office, "owner")
    given = {"current": PASSWORD, "new": "a quite different set of words"}
    return owner, posted(client_of(owner), "own-password", {}, given)


def a_second_factor_required(stripe, office, settings):
    owner = a_member(office, "owner")
    ids = {"public_id": office.public_id}
    return owner, posted(client_of(owner), "office-second-factor", ids, {"required_of_members": True}, "put")


def a_member_more(stripe, office, settings):
    owner, other = a_member(office, "owner"), a_person("other@maple.example")
    ids, given = {"public_id": office.public_id}, {"email": other.email, "role": "viewer"}
    return owner, posted(client_of(owner), "members", ids, given)


def a_member_changed(stripe, office, settings):
    owner, other = a_member(office, "owner"), a_member(office, "viewer")
    ids = {"public_id": office.public_id, "person_id": other.public_id}
    return owner, posted(client_of(owner), "change-member", ids, {"role": "manager"})


def a_member_removed(stripe, office, settings):
    owner, other = a_member(office, "owner"), a_member(office, "viewer")
    ids = {"public_id": office.public_id, "person_id": other.public_id}
    return owner, posted(client_of(owner), "remove-member", ids, {})


def an_invitation_withdrawn(stripe, office, settings):
    owner = a_member(office, "owner")
    invited = invitations.invite("new@maple.example", "viewer", office=office, by=actor.person(owner))
    assert invited
    ids = {"public_id": office.public_id, "invitation_id": invited.public_id}
    return owner, posted(client_of(owner), "withdraw-invitation", ids, {})


def a_request_for_approval(stripe, office, settings) -> tuple[User, dict[str, Any]]:
    settings.APPROVAL_LIMITS = {"usd": 100}
    asks = a_person("asks@vendor.example", group=ADMINISTRATOR)
    LOST[AdjustCredit].before(stripe, office, actor.person(asks))
    answer = posted(client_of(asks), "credit", {"public_id": office.public_id}, {"amount": 1_000, "reason": "agreed"})
    assert answer.status_code == 202, answer.content
    row = ApprovalRequest.objects.get()
    return asks, {"public_id": office.public_id, "approval_id": row.public_id}


def approved(stripe, office, settings):
    _, ids = a_request_for_approval(stripe, office, settings)
    second = a_person("second@vendor.example", group=ADMINISTRATOR)
    shown = posted(client_of(second), "preview-approval", ids, {})
    return second, posted(client_of(second), "approve", ids, {"as_of": shown.data["as_of"]})


def turned_down(stripe, office, settings):
    _, ids = a_request_for_approval(stripe, office, settings)
    second = a_person("second@vendor.example", group=ADMINISTRATOR)
    return second, posted(client_of(second), "turn-down", ids, {"reason": REASON})


def withdrawn(stripe, office, settings):
    asks, ids = a_request_for_approval(stripe, office, settings)
    return asks, posted(client_of(asks), "withdraw-request", ids, {"reason": REASON})


OTHERS: dict[str, Callable[..., tuple[User, Any]]] = {
    "sign-in": signed_in,
    "sign-out": signed_out,
    "own-password": with_another_password,
    "office-second-factor": a_second_factor_required,
    "members": a_member_more,
    "change-member": a_member_changed,
    "remove-member": a_member_removed,
    "withdraw-invitation": an_invitation_withdrawn,
    "approve": approved,
    "turn-down": turned_down,
    "withdraw-request": withdrawn,
}


@pytest.mark.parametrize("name", [name for name in WRITES if not declared_at(named()[f"api:{name}"][1])])
def test_another_write_of_the_api(stripe, office, settings, monkeypatch, name):
    if name == "office-second-factor":
        monkeypatch.setattr(second_factor, "is_enrolled", lambda user: True)
    who, answer = OTHERS[name](stripe, office, settings)

    assert answer.status_code in (200, 201, 202, 204), answer.content
    entry = AuditEntry.objects.filter(actor=who, kind__in=LEFT).latest("pk")
    assert entry.request_id == answer.headers["X-Request-ID"]
    assert entry.actor_kind == "person"
