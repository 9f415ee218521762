"""Operations that an earlier version stored, and left unsettled, are carried on by this one.

``stored_requests.json`` holds what the version before there were declarations stored, a sample for each shape of each
kind. It is never renewed: what it shows are rows of databases that are out there.
"""

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from billing import clock
from billing.audit import actor, trail
from billing.models import Office, Operation
from billing.models.operation import Kind
from billing.operations.engine import registry, stored
from billing.operations.engine.settle import resume_unsettled
from tests.conftest import price_id

SAMPLES: list[dict[str, Any]] = json.loads((Path(__file__).parent / "stored_requests.json").read_text())
HERE = {Kind.ARCHIVE_OFFICE, Kind.UNARCHIVE_OFFICE}  # they ask nothing of Stripe, so none was ever stored


def test_each_kind_that_was_stored_is_still_known():
    assert {Kind(one["kind"]) for one in SAMPLES} <= set(Kind) - HERE


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda one: one["kind"])
def test_what_was_stored_is_read_as_it_was_meant(sample):
    request = stored.read(registry.at_stripe(sample["kind"]), sample["request"])

    again = stored.written(request)
    for name, value in sample["request"].items():
        if sample["kind"] == "retry_invoice" and name == "payment_method":
            continue  # it was always empty: trying again charges the card on file
        if isinstance(value, str) and value[:2] == "20" and "T" in value:
            assert datetime.fromisoformat(again[name]) == datetime.fromisoformat(value)
        else:
            assert again[name] == value or (value == "" and again[name] is None)
    assert stored.read(type(request), again) == request


def test_a_field_that_was_dropped_since_is_passed_over_and_one_that_was_added_has_its_default():
    cancel = registry.at_stripe("cancel")

    assert stored.written(stored.read(cancel, {"subscription": "sub_1", "refunds": "all"})) == {
        "version": stored.VERSION,
        "subscription": "sub_1",
        "at_period_end": True,
    }


def test_what_a_later_version_stored_waits_for_it_and_asks_stripe_nothing(stripe, subscribed):
    later = {"subscription": subscribed.payment_provider_subscription_id, "at_period_end": False, "refunds": "all"}
    operation = left_behind(subscribed, "cancel", version=stored.VERSION + 1, **later)
    stripe.forget_requests()
    resume_unsettled()

    operation.refresh_from_db()
    assert (operation.status, stripe.requests()) == ("unknown", [])
    assert operation.lease_until > clock.wall()


def left_behind(office: Office, kind: str, **request: Any) -> Operation:
    """An operation whose process died right after it began, before this version was installed."""
    with trail.acting(actor.job("the version before"), reason="left behind"):
        return Operation.objects.create(
            office=office,
            kind=kind,
            actor_kind="job",
            actor_label="the version before",
            reason="left behind",
            request=request,
            lease_until=clock.wall() - timedelta(seconds=1),
        )


def test_a_start_that_was_left_behind_is_carried_on(stripe, office):
    start = {"quantity": 1, "trial_days": 0, "payment_method": "pm_card_visa", "coupon": ""}
    operation = left_behind(office, "subscribe", price=price_id("practice-monthly"), **start)
    resume_unsettled()

    operation.refresh_from_db()
    assert (operation.status, Office.objects.get().subscription_status) == ("succeeded", "active")


@pytest.mark.parametrize(
    ("kind", "request_of", "shown"),
    [
        ("cancel", {"at_period_end": False}, {"subscription_status": "canceled"}),
        ("pause_collection", {"invoices_become": "void", "until": ""}, {"collection_paused": "void"}),
        ("cancel", {"at_period_end": True}, {"subscription_status": "active"}),
    ],
)
def test_a_change_that_was_left_behind_is_carried_on(stripe, subscribed, kind, request_of, shown):
    subscription = subscribed.payment_provider_subscription_id
    operation = left_behind(subscribed, kind, subscription=subscription, **request_of)
    resume_unsettled()

    operation.refresh_from_db()
    office = Office.objects.get(pk=subscribed.pk)
    assert operation.status == "succeeded"
    assert {name: getattr(office, name) for name in shown} == shown


def test_another_plan_that_was_left_behind_is_carried_on(stripe, subscribed):
    change = {"price": price_id("practice-yearly"), "quantity": 1, "settle": "now", "as_of": ""}
    left_behind(subscribed, "change_subscription", subscription=subscribed.payment_provider_subscription_id, **change)
    resume_unsettled()

    assert Office.objects.get(pk=subscribed.pk).current_subscription.plan_price.code == "practice-yearly"
