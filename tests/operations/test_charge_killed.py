"""A process that charges an Office is killed between any two steps, and the worker ends what it began."""

import signal

import pytest

from billing import clock
from billing.models import Invoice, Operation
from billing.operations.engine.settle import resume_unsettled
from tests.conftest import subscribed_office
from tests.processes import PATIENCE_SECONDS

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "impatient", "optional"])

MOMENTS = {"not sent": ("asking", "return"), "not written down": ("answered", "call"), "done": ("answered", "return")}


@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("step", ["draft", "line", "finalise", "pay"])
def test_whenever_it_is_killed_there_is_one_invoice_and_one_charge(stripe, operator, office, started, step, moment):
    office = subscribed_office(office, by=operator)
    killed = started("-m", "tests.operations.mortal_charge", str(office.pk), step, *MOMENTS[moment])
    assert killed.wait(PATIENCE_SECONDS) == -signal.SIGKILL
    operation = Operation.objects.get(kind="charge_office")
    assert (operation.status, operation.steps.last().name) == ("open", step)

    Operation.objects.filter(pk=operation.pk).update(lease_until=clock.wall())  # the minute is over
    assert resume_unsettled() == 1

    operation.refresh_from_db()
    at_stripe = [one for one in stripe.listed("invoices") if one["billing_reason"] == "manual"]
    assert operation.status == "succeeded"
    assert [(one["status"], one["total"]) for one in at_stripe] == [("paid", 25_000)]
    assert [one["amount"] for one in stripe.listed("charges")].count(25_000) == 1
    assert [row.amount_paid for row in Invoice.objects.filter(kind="one_off")] == [25_000]
