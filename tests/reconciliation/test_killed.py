"""A reconciliation that was killed goes on from the page that it was at, and nothing is there twice."""

import signal

import pytest

from billing import clock
from billing.models import Invoice, Office, Payment, Reconciliation, SubscriptionChange
from tests.processes import PATIENCE_SECONDS
from tests.reconciliation.conftest import equal, subscribed

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "impatient", "optional"])

MOMENTS = {
    "an Office is made and has nothing yet": ("billing/reconciliation/adoption.py", "_office", "return"),
    "in the transaction that writes": ("billing/projection/objects.py", "_write_invoices", "return"),
    "a page is written and not ticked off": ("billing/reconciliation/runs.py", "_advance", "call"),
}


@pytest.mark.parametrize("moment", MOMENTS)
def test_whenever_a_backfill_is_killed_the_next_one_ends_it(account, started, moment):
    customers = [subscribed(account, name=f"Practice {number}") for number in range(3)]
    for endpoint in account.listed("webhook_endpoints"):
        account.delete(f"webhook_endpoints/{endpoint['id']}")
    killed = started("-m", "tests.mortal", *MOMENTS[moment], "reconcile", "--adopt", "--all-products")
    assert killed.wait(PATIENCE_SECONDS) == -signal.SIGKILL
    assert Reconciliation.objects.get().ended_at is None
    Reconciliation.objects.update(lease_until=clock.wall())  # a minute and a half is over

    assert started("manage.py", "reconcile", "--adopt", "--all-products").wait(PATIENCE_SECONDS) == 0

    assert not Reconciliation.objects.filter(ended_at=None).exists()
    assert (Office.objects.count(), Invoice.objects.count(), Payment.objects.count()) == (3, 3, 3)
    assert SubscriptionChange.objects.count() == 3
    for customer in customers:
        assert equal(account, customer) == []
