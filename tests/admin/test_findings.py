"""What was found, and the one click that sees to it."""

import pytest
from django.urls import reverse

from billing.audit import actor
from billing.findings import report
from billing.models import AuditEntry, Finding, Office, Reconciliation
from billing.reconciliation import reconcile
from billing.worker import work_once
from tests.admin.test_offices import signed_in
from tests.conftest import price, subscribed_office
from tests.equality import differences, read

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "impatient", "optional"])
FINDINGS = reverse("admin:billing_finding_changelist")
RUNS = reverse("admin:billing_reconciliation_changelist")
WHY = {"reason": "seen in the morning"}


def compared(**how):
    return reconcile(by=actor.job("tests"), reason="a test", **how)


def click(user, finding, act):
    return signed_in(user).post(f"/admin/billing/finding/{finding.pk}/{act}/", WHY, follow=True).content.decode()


def work_until_compared():
    """In a page a turn."""
    for _ in range(30):
        work_once()
        if not Reconciliation.objects.filter(ended_at=None).exists():
            return
    pytest.fail("it does not end")


def a_customer(stripe, **given):
    customer = stripe.post("customers", name="Cedar Lane Clinic", email="billing@cedar.example", **given)["id"]
    item = {"items[0][price]": price("practice-monthly").stripe_price_id}
    stripe.post("subscriptions", customer=customer, trial_period_days=14, **item)
    stripe.taken()
    return customer


def test_a_difference_that_was_left_is_repaired_by_one_click_on_record(stripe, operator, office, settings):
    subscribed_office(office, by=operator)
    settings.RECONCILE_REPAIRS = False
    customer = Office.objects.get().payment_provider_customer_id
    stripe.post(f"customers/{customer}", balance=-700)
    stripe.taken()
    compared()
    found = Finding.objects.get(kind="drift", severity="warning")
    assert "7.00 USD at Stripe" in signed_in(operator.user).get(FINDINGS).content.decode()

    click(operator.user, found, "compare")

    found.refresh_from_db()
    assert Office.objects.get().credit_balance == 700
    assert not Finding.objects.filter(resolved_at=None).exists()
    entry = AuditEntry.objects.get(kind="act", actor=operator.user, what__startswith="compared with Stripe")
    assert (entry.reason, entry.what) == ("seen in the morning", "compared with Stripe: 2 repaired, 0 left")


def test_a_customer_that_says_it_is_an_office_is_linked_by_one_click(stripe, operator, office):
    customer = a_customer(stripe, **{"metadata[office]": str(office.public_id)})
    compared()

    shown = click(operator.user, Finding.objects.get(kind="customer_not_linked"), "link")

    assert "trialing" in shown
    assert differences(Office.objects.get(), read(stripe, customer)) == []
    assert Finding.objects.get(kind="customer_not_linked").resolution == f"linked by {operator.label}"


def test_an_unknown_customer_is_adopted_by_one_click(stripe, operator):
    customer = a_customer(stripe)
    compared()

    shown = click(operator.user, Finding.objects.get(kind="unknown_customer"), "adopt")

    office = Office.objects.get()
    assert "Adopt as a new Office: done" not in shown  # the Office's own page says more
    assert (office.name, office.billing_email) == ("Cedar Lane Clinic", "billing@cedar.example")
    assert differences(office, read(stripe, customer)) == []
    assert AuditEntry.objects.filter(office=office, actor=operator.user, action=AuditEntry.Action.CREATE).exists()
    assert Finding.objects.get(kind="unknown_customer").resolved_at is not None


def test_what_is_not_ours_any_more_is_not_adopted(stripe, operator):
    customer = a_customer(stripe)
    compared()
    stripe.delete(f"customers/{customer}")

    shown = click(operator.user, Finding.objects.get(kind="unknown_customer"), "adopt")

    assert "no longer applies" in shown
    assert not Office.objects.exists()


def test_a_finding_is_closed_with_a_reason(stripe, operator):
    found = report("contact_missing", "1", office=None, detail="x")

    click(operator.user, found, "close")

    found.refresh_from_db()
    assert found.resolution == f"closed by {operator.label}: seen in the morning"
    assert AuditEntry.objects.filter(kind="act", actor=operator.user, reason="seen in the morning").exists()


@pytest.mark.parametrize("act", ["compare", "link", "adopt", "close"])
def test_an_auditor_sees_what_was_found_and_changes_nothing(stripe, auditor, office, act):
    Office.objects.filter(pk=office.pk).update(payment_provider_customer_id="cus_1")
    found = report("drift", "cus_1", office=office, detail="something differs")
    client = signed_in(auditor.user)

    assert "something differs" in client.get(FINDINGS).content.decode()
    assert client.post(f"/admin/billing/finding/{found.pk}/{act}/", WHY).status_code == 403
    assert Finding.objects.get().resolved_at is None


def test_everything_is_compared_by_one_confirmed_click_and_the_worker(stripe, operator):
    client, address = signed_in(operator.user), reverse("admin:billing_reconciliation_compare_all")
    work_until_compared()  # the nightly one
    assert Reconciliation.objects.get().actor_label == "reconcile"
    assert "Nothing is changed at Stripe" in client.get(address).content.decode()

    client.post(address, follow=True)
    assert "under way" in client.get(RUNS).content.decode()
    work_until_compared()

    run = Reconciliation.objects.first()
    assert (run.actor_label, run.stage) == (operator.label, "test clocks")
    assert Reconciliation.objects.count() == 2


def test_an_auditor_begins_no_comparison(stripe, auditor):
    address = reverse("admin:billing_reconciliation_compare_all")

    assert signed_in(auditor.user).post(address).status_code == 403
    assert not Reconciliation.objects.exists()
