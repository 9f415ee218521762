"""After an update that reads more of Stripe's objects, old rows are filled in, and nobody takes that for drift."""

import hashlib

import pytest

from billing import models
from billing.audit import actor
from billing.models import Finding, Invoice, Office, Subscription
from billing.models.office import READ_AS
from billing.reconciliation import reconcile
from tests.conftest import an_office, subscribed_office

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "impatient", "optional"])
BY = actor.job("tests")
PROJECTED = (
    *("Adjustment", "Invoice", "InvoicePayment", "Payment", "PaymentMethod", "Subscription", "SubscriptionItem"),
    "SubscriptionChange",
)
READINGS = {2: "67d0"}
"""The present READ_AS, with the beginning of the digest of the names of all projected columns."""


@pytest.fixture
def upgraded(stripe, operator, office):
    """An Office whose rows a version before wrote: it knew no monthly amount and no lines."""
    subscribed_office(office, by=operator, plan="seats-monthly", quantity=3)
    stripe.deliver_and_apply()
    Subscription.objects.update(monthly_amount=0)
    Invoice.objects.update(paid_at=None)
    Office.objects.update(read_as=0)
    return office


def compared():
    return reconcile(by=BY, reason="a test")


def amounts():
    return Subscription.objects.get().monthly_amount, Invoice.objects.get().paid_at is not None


@pytest.mark.parametrize("repairs", [True, False])
def test_the_next_comparison_reads_everything_fills_in_what_is_missing_and_tells_of_nothing(
    upgraded, settings, repairs
):
    settings.RECONCILE_REPAIRS = repairs

    run = compared()

    assert run.everything
    assert amounts() == (3 * 4_900, True)
    assert run.counts["filled in after an update"] == 2
    assert not Finding.objects.exists()
    assert Office.objects.get().read_as == READ_AS


def test_the_one_after_it_is_as_usual_and_tells_of_drift(upgraded, stripe):
    compared()
    Subscription.objects.update(monthly_amount=0)

    run = compared()

    assert not run.everything
    assert Finding.objects.get().kind == "drift"


def test_what_drifted_at_an_office_of_this_version_is_told_meanwhile(upgraded, stripe, operator):
    other = subscribed_office(an_office("Oak Street Practice"), by=operator)
    stripe.deliver_and_apply()
    other.subscriptions.update(monthly_amount=1)

    compared()

    assert [(one.kind, one.office) for one in Finding.objects.all()] == [("drift", other)]


def test_a_new_column_that_mirrors_stripe_raises_the_reading():
    names = sorted(
        f"{model}.{field.name}" for model in PROJECTED for field in getattr(models, model)._meta.concrete_fields
    )
    digest = hashlib.sha256(" ".join(names).encode()).hexdigest()[:4]

    assert {READ_AS: digest} == READINGS, "raise READ_AS in billing/models/office.py, and put its digest here"
