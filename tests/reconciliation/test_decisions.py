"""What a person does about what was found, carried out to its end."""

import pytest

from billing import errors, findings
from billing.audit import actor
from billing.models import AuditEntry, Finding, Office, PaymentMethod
from billing.reconciliation import decisions, reconcile
from tests.conftest import subscribed_office
from tests.reconciliation.conftest import equal, subscribed

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "impatient", "optional"])
BY = actor.job("tests")


@pytest.fixture
def unknown(account):
    """A customer with a past, found beside an Office that was adopted before."""
    subscribed(account, name="First")
    reconcile(by=BY, reason="a test", adopts=True)
    customer = subscribed(account, name="Another")
    account.advance(days=65)
    charges = account.listed("charges", customer=customer)
    account.post("refunds", charge=charges[0]["id"], amount=500)
    account.control(f"charges/{charges[-1]['id']}/dispute")
    reconcile(by=BY, reason="a test")
    return customer


def test_an_adopted_customer_has_all_of_its_past_also_refunds_and_disputes(account, operator, unknown):
    decisions.adopt_found_customer(Finding.objects.get(kind="unknown_customer"), by=operator, reason="a practice")

    assert equal(account, unknown) == []
    assert not Finding.objects.filter(kind="drift", office__payment_provider_customer_id=unknown).exists()


def test_when_stripe_is_silent_in_the_midst_of_it_the_same_click_ends_it(account, operator, unknown):
    found = Finding.objects.get(kind="unknown_customer")
    account.fail_next("500", method="GET", path_prefix="/v1/charges")
    with pytest.raises(errors.StripeUnavailable):
        decisions.adopt_found_customer(found, by=operator, reason="a practice")

    decisions.adopt_found_customer(found, by=operator, reason="a practice")

    assert equal(account, unknown) == []
    assert Finding.objects.get(kind="unknown_customer").resolved_at is not None


def test_a_refund_that_settled_unseen_is_found(stripe, operator, office):
    card = "pm_card_pendingRefund"
    office = subscribed_office(office, by=operator, card=card)
    stripe.deliver_and_apply()
    refund = stripe.post("refunds", charge=stripe.listed("charges")[0]["id"], amount=500)["id"]
    stripe.deliver_and_apply()
    stripe.control(f"refunds/{refund}/settle")
    stripe.taken()

    result = decisions.compare_office(Office.objects.get(), by=operator, reason="asked by the practice")

    assert result.drifted == 1
    assert equal(stripe, office.payment_provider_customer_id) == []


def test_a_refusal_is_on_record(stripe, auditor, office):
    with pytest.raises(errors.NotPermitted):
        decisions.compare_office(office, by=auditor, reason="to see")

    assert AuditEntry.objects.get(kind="refusal", actor=auditor.user).what == "may not compare an Office with Stripe"


def test_where_nothing_could_be_compared_no_finding_is_over(stripe, operator, office, settings):
    settings.RECONCILE_REPAIRS = False
    office = subscribed_office(office, by=operator)
    stripe.deliver_and_apply()
    customer = office.payment_provider_customer_id
    (invoice,) = stripe.listed("invoices", customer=customer)
    findings.report("drift", invoice["id"], office=office, detail="Invoice: total differed.", facts="x")
    stripe.post(f"customers/{customer}", balance=-700)
    stripe.taken()
    card = PaymentMethod.objects.get().stripe_id
    PaymentMethod.objects.update(stripe_id=f"{card}?expand[]=nothing")  # a look that asks for it is refused: 400

    result = decisions.compare_office(Office.objects.get(), by=operator, reason="asked by the practice")

    assert result.differs == {str(office.public_id)}
    assert {one.kind for one in Finding.objects.filter(resolved_at=None)} == {"drift", "not_compared"}

    PaymentMethod.objects.update(stripe_id=card)
    decisions.compare_office(Office.objects.get(), by=operator, reason="asked by the practice")

    assert not Finding.objects.filter(resolved_at=None).exists()
