"""Each day that Stripe keeps for later has a limit of ours, which a refusal says before anything begins."""

from dataclasses import fields
from datetime import UTC, datetime, timedelta

import pytest
from django.urls import reverse

from billing import clock, errors
from billing.models import Operation
from billing.operations.engine.begin import perform
from billing.operations.engine.previews import preview
from billing.operations.engine.registry import REGISTRY
from billing.operations.subscriptions.cancel import CancelOnDate
from billing.operations.subscriptions.collection import PauseCollection
from billing.operations.subscriptions.trial import MoveTrialEnd
from tests.admin.test_offices import signed_in as in_admin
from tests.api.test_api import path, signed_in
from tests.conftest import a_member

LATER = {
    CancelOnDate: ("at", {}, "The end of the subscription must be within five years"),
    PauseCollection: ("until", {"invoices_become": "void"}, "The end of the pause must be within five years"),
    MoveTrialEnd: ("at", {}, "The end of the trial must be within two years"),
}
FAR = [datetime(2999, 1, 1, tzinfo=UTC), datetime(3000, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, tzinfo=UTC)]


def test_each_day_that_can_be_asked_for_has_a_row_here():
    asked = {
        (declared, one.name)
        for declared in REGISTRY.values()
        for one in fields(declared)
        if "datetime" in str(one.type) and one.metadata.get("terms") and one.name != "as_of"
    }
    assert asked == {(declared, name) for declared, (name, _, _) in LATER.items()}


@pytest.mark.parametrize("at", FAR)
@pytest.mark.parametrize("declared", LATER)
def test_a_day_too_far_ahead_is_refused_before_anything_begins(stripe, operator, on_trial, declared, at):
    name, given, says = LATER[declared]
    wanted = declared(**given, **{name: at})
    before, asked = Operation.objects.count(), len(stripe.requests())

    with pytest.raises(errors.DateInvalid, match=says):
        perform(wanted, on_trial, by=operator, reason="agreed")
    if declared is not PauseCollection:
        with pytest.raises(errors.DateInvalid, match=says):
            preview(wanted, on_trial, by=operator)

    assert (Operation.objects.count(), len(stripe.requests())) == (before, asked)


@pytest.mark.parametrize("declared", [CancelOnDate, PauseCollection])
def test_a_day_within_five_years_is_taken_by_stripe(stripe, operator, on_trial, declared):
    name, given, _ = LATER[declared]
    at = (clock.billing() + timedelta(days=5 * 365 - 1)).replace(microsecond=0)
    perform(declared(**given, **{name: at}), on_trial, by=operator, reason="agreed")
    assert Operation.objects.latest("pk").status == "succeeded"


@pytest.mark.parametrize("at", ["2999-06-01T00:00:00Z", "3000-01-01T00:00:00Z", "9999-12-31T23:59:59Z"])
def test_the_api_says_the_limit(stripe, subscribed, at):
    client = signed_in(a_member(subscribed, "owner"))
    answer = client.post(path(subscribed, "subscription/cancel-on-date/"), {"at": at}, format="json")
    assert (answer.status_code, answer.json()["code"]) == (422, "date_invalid")
    assert "The end of the subscription must be within five years" in answer.content.decode()


@pytest.mark.parametrize(
    ("day", "says"),
    [
        ("2999-06-01", "The end of the subscription must be within five years"),
        ("3000-01-01", "The end of the subscription must be within five years"),
        ("9999-12-31", "Choose a day between the years 1 and 9999."),
        ("0001-01-01", "Choose a date in the future"),
    ],
)
def test_the_admin_says_the_limit(stripe, operator, subscribed, day, says):
    page = reverse("admin:billing_office_cancel", args=[subscribed.pk])
    given = {"when": "date", "last_day": day, "why": "closing", "note": ""}
    answer = in_admin(operator.user).post(page, given, follow=True)
    assert answer.status_code == 200
    assert says in answer.content.decode()
