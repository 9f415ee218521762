"""The trail says of an operation what was asked for in numbers, moments, choices and ids: no text that was typed."""

import json
import typing
from dataclasses import fields, replace

import pytest

from billing.models import AuditEntry, Operation
from billing.operations.engine import stored
from billing.operations.engine.begin import perform
from billing.operations.engine.registry import REGISTRY
from billing.operations.money.charges import ChargeOffice
from billing.operations.money.credit import AdjustCredit
from billing.operations.offices.contact import ChangeContact
from billing.operations.subscriptions.discounts import ApplyDiscount
from billing.operations.subscriptions.start import StartSubscription
from tests.at_stripe import a_coupon
from tests.conftest import price_id
from tests.operations.test_lost_answers import REASON
from tests.operations.test_permissions import MAY
from tests.test_refused_text import ABOUT_A_PATIENT, MARK


@pytest.mark.parametrize("declared", REGISTRY.values(), ids=lambda declared: declared.__name__)
def test_no_field_of_any_operation_brings_text_into_the_trail(declared):
    request, hints = declared(**MAY[declared][1]), typing.get_type_hints(declared)
    for one in fields(request):
        if hints[one.name] is str or str in typing.get_args(hints[one.name]):
            for text in (ABOUT_A_PATIENT, MARK, f"note_{MARK}"):
                assert MARK not in json.dumps(stored.parameters(replace(request, **{one.name: text}))), one.name


@pytest.mark.parametrize("declared", REGISTRY.values(), ids=lambda declared: declared.__name__)
def test_numbers_moments_and_choices_are_there(declared):
    request = declared(**MAY[declared][1])
    kept = stored.parameters(request)
    for name, value in stored.written(request).items():
        if name != "version" and isinstance(value, int | None):
            assert kept[name] == value
    assert set(kept) <= {one.name for one in fields(request)}


def asked_for(kind) -> dict:
    entries = AuditEntry.objects.filter(content_type__model="operation", action=AuditEntry.Action.CREATE)
    entry = entries.get(object_id=Operation.objects.get(kind=kind).pk)
    assert "request" not in entry.changes
    return entry.additional_data["asked_for"]


def test_what_is_on_record_of_some(stripe, operator, office):
    a_coupon(stripe, "FIFTH", percent_off=20, duration="forever")
    price = price_id("practice-monthly")
    perform(StartSubscription(price=price, trial_days=14), office, by=operator, reason=REASON)
    perform(ChangeContact(name="Zebedee Street Practice"), office, by=operator, reason=REASON)
    perform(ApplyDiscount(code="FIFTH"), office, by=operator, reason=REASON)
    perform(AdjustCredit(amount=1_000), office, by=operator, reason=REASON)
    perform(ChargeOffice(charge="training", amount=25_000, days_until_due=14), office, by=operator, reason=REASON)

    assert {name: asked_for("subscribe")[name] for name in ("price", "trial_days")} == {
        "price": price,
        "trial_days": 14,
    }
    assert asked_for("adjust_credit")["amount"] == 1_000
    assert asked_for("charge_office")["charge"] == "training"
    assert "FIFTH" not in str(asked_for("apply_discount"))
    of_operations = AuditEntry.objects.filter(content_type__model="operation")
    assert not [one for one in of_operations if "Zebedee" in f"{one.changes} {one.additional_data}"]
    assert "Zebedee" in str(Operation.objects.get(kind="update_customer").request)
