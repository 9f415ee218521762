"""Text that people typed into an operation goes a week after it settled, and everything that reads it goes on."""

import json
import re
import typing
from dataclasses import fields, replace
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import connection

from billing import clock, errors
from billing.access.roles import Power
from billing.admin import timeline
from billing.audit import actor, trail
from billing.models import AuditEntry, Office, Operation, OperationStep
from billing.operations.engine import request_texts, second_person, stored
from billing.operations.engine.begin import perform
from billing.operations.engine.declaration import AtStripe
from billing.operations.engine.registry import REGISTRY
from billing.operations.engine.settle import resume_unsettled
from billing.operations.money.credit import AdjustCredit
from billing.operations.offices.contact import ChangeContact
from tests.api.test_api import signed_in
from tests.api.test_idempotency import died_before_it_answered, is_replay
from tests.conftest import a_member, subscribed_office
from tests.operations.test_lost_answers import REASON
from tests.operations.test_permissions import MAY
from tests.operations.test_stored_requests import SAMPLES

NAME = "Zebedee Street Practice"
AT_STRIPE = [one for one in REGISTRY.values() if issubclass(one, AtStripe)]
DOCUMENT = Path(__file__).parents[2] / "docs" / "trail_recorded.md"


@pytest.fixture
def customer(stripe, office, operator):
    return subscribed_office(office, by=operator)


def renamed(office, operator):
    perform(ChangeContact(name=NAME), office, by=operator, reason=REASON)
    return Operation.objects.get(kind="update_customer")


def aged(days):
    ago = timedelta(days=days)
    for row in Operation.objects.exclude(settled_at=None):
        Operation.objects.filter(pk=row.pk).update(settled_at=row.settled_at - ago)


def texts():
    """Return everything that is stored of operations and their requests to Stripe."""
    return json.dumps([*Operation.objects.values_list("request"), *OperationStep.objects.values_list("params")])


def entries():
    return list(AuditEntry.objects.filter(actor_label="forget-request-texts"))


def test_a_week_after_it_settled_the_text_is_gone_and_an_entry_says_so(customer, operator):
    row = renamed(customer, operator)
    before = Operation.objects.get(pk=row.pk).request
    aged(8)

    assert NAME in texts()
    request_texts.forget()

    assert NAME not in texts()
    assert before["after"] == {"name": NAME}
    assert Operation.objects.get(pk=row.pk).request == before | {"before": {"name": ""}, "after": {"name": ""}}
    [entry] = entries()
    assert entry.what.startswith("removed the text from the requests of ")
    assert row.pk in entry.additional_data["operations"]

    request_texts.forget()
    assert len(entries()) == 1


def test_before_that_it_stays(customer, operator):
    renamed(customer, operator)
    aged(6)

    request_texts.forget()

    assert NAME in texts()
    assert entries() == []


def test_what_is_not_settled_stays_and_is_carried_out_later(stripe, customer, operator):
    stripe.fail_next("drop_after", method="POST", path_prefix="/v1/customers/")
    with pytest.raises(errors.StripeUnavailable):
        renamed(customer, operator)
    month_ago = clock.wall() - timedelta(days=30)
    unsettled = Operation.objects.filter(kind="update_customer")
    unsettled.update(created_at=month_ago, lease_until=month_ago)
    OperationStep.objects.filter(operation__in=unsettled).update(first_asked_at=month_ago)

    request_texts.forget()
    resume_unsettled()

    assert unsettled.get().status == "succeeded"
    assert NAME in texts()
    assert Office.objects.get(pk=customer.pk).name == NAME


def test_a_repeated_key_gets_its_answer_afterwards(customer):
    client, headers = signed_in(a_member(customer, "owner")), {"Idempotency-Key": "one-and-only"}

    def asked():
        given = {"name": NAME, "reason": "correction"}
        where = f"/api/v1/offices/{customer.public_id}/contact/"
        return client.post(where, given, format="json", headers=headers)

    first = asked()
    assert first.status_code == 200, first.content
    aged(8)
    request_texts.forget()
    assert NAME not in texts()

    assert (asked().content, is_replay(asked())) == (first.content, True)
    died_before_it_answered()  # so the answer follows from the operation
    again = asked()
    assert (again.status_code, again.content, is_replay(again)) == (first.status_code, first.content, True)
    assert Operation.objects.filter(kind="update_customer").count() == 1


def test_the_timeline_says_the_same(customer, operator):
    renamed(customer, operator)
    perform(AdjustCredit(amount=2_500), customer, by=operator, reason="goodwill")

    def lines():
        shown = timeline.page(customer, by=operator).lines
        return [(one.words, one.facts, one.reason) for one in shown]

    before = lines()
    aged(8)
    request_texts.forget()

    assert texts().count(NAME) == 0
    assert lines() == before


def test_what_was_given_back_lately_is_counted_all_the_same(customer, operator):
    perform(AdjustCredit(amount=2_500), customer, by=operator, reason="goodwill")
    aged(8)  # settled then, and begun just now
    request_texts.forget()

    assert second_person.given_back_lately(customer, "usd").amount == 2_500


@pytest.mark.parametrize("declared", AT_STRIPE, ids=lambda one: one.__name__)
def test_what_is_left_of_each_kind_can_be_read(declared):
    request, hints = declared(**MAY[declared][1]), typing.get_type_hints(declared)
    for one in fields(request):
        is_text = hints[one.name] is str or str in typing.get_args(hints[one.name])
        if is_text and not one.metadata.get("filled_in"):
            request = replace(request, **{one.name: NAME})

    left = stored.without_text(declared, stored.written(request))

    assert NAME not in json.dumps(left)
    again = stored.read(declared, left)
    assert stored.parameters(again).items() >= stored.parameters(request).items()


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda one: one["kind"])
def test_what_an_earlier_version_stored_can_be_read_too(sample):
    declared = next(one for one in AT_STRIPE if one.kind == sample["kind"])

    stored.read(declared, stored.without_text(declared, sample["request"]))


def test_a_kind_of_another_version_keeps_no_text_either():
    left = stored.without_text(None, {"version": 9, "amount": 5, "memo": NAME, "more": [{"note": NAME}]})

    assert left == {"version": 9, "amount": 5, "memo": "", "more": [{"note": ""}]}


def test_a_request_for_approval_has_no_typed_text():
    for declared in AT_STRIPE:
        if declared.needs is Power.GIVE_BACK:
            kept = stored.written(declared(**MAY[declared][1]))
            assert stored.without_text(declared, kept) == kept, declared


def test_the_document_counts_the_entries_from_before(customer, operator):
    [sql] = re.findall(r"```sql\n(SELECT COUNT.*?);\n```", DOCUMENT.read_text(), re.S)

    def counted():
        with connection.cursor() as cursor:
            cursor.execute(sql.replace("%", "%%"), [])
            return cursor.fetchone()[0]

    assert counted() == 0
    with trail.acting(actor.job("tests"), office=customer):
        given = {"kind": ["None", "contact"], "request": ["None", str({"name": NAME})]}
        AuditEntry.objects.log_create(customer, force_log=True, action=0, kind="change", changes=given)
    assert counted() == 1
