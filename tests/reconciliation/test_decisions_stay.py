"""What a person closed stays closed, for every kind of finding, until something new is known about it."""

import pytest

from billing import errors, findings
from billing.audit import actor
from billing.findings import report, resolve
from billing.models import Finding, Office, ReceivedEvent
from billing.reconciliation import decisions, reconcile
from billing.webhooks import inbox
from tests.conftest import an_office, price, subscribed_office

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "impatient"])
BY = actor.job("tests")


def compared():
    return reconcile(by=BY, reason="a test")


def settle(stripe):
    stripe.deliver_and_apply()
    for _ in range(3):
        ReceivedEvent.objects.filter(status="waiting").update(due_at="2020-01-01T00:00Z")
        inbox.work_off()


def still_open(**of):
    return Finding.objects.filter(resolved_at=None, **of)


def close_all(operator):
    for found in still_open():
        decisions.close(found, by=operator, reason="not ours")


@pytest.mark.parametrize("kind", [name for name, one in findings.KINDS.items() if one.by_person])
def test_what_a_person_closed_is_not_opened_by_the_same_facts(db, operator, kind):
    decisions.close(report(kind, "x", office=None, detail="a", facts="1"), by=operator, reason="as agreed")

    report(kind, "x", office=None, detail="told in other words", facts="1")
    assert not still_open().exists()

    report(kind, "x", office=None, detail="b", facts="2")
    assert still_open().get().detail == "b"

    report(kind, "x", office=None, detail="a", facts="1")
    assert not still_open().exists()


@pytest.mark.parametrize("kind", [name for name, one in findings.KINDS.items() if one.by_person])
def test_once_the_matter_was_over_it_is_told_again(db, operator, kind):
    decisions.close(report(kind, "x", office=None, detail="a"), by=operator, reason="as agreed")
    resolve(kind, "x", resolution="it is over")
    assert Finding.objects.get().resolution.startswith("closed by")

    report(kind, "x", office=None, detail="a")

    assert still_open().exists()


def test_what_no_person_can_decide_cannot_be_closed(db, operator):
    found = report("determination_lapsed", "x", office=None, detail="a")

    with pytest.raises(errors.FindingClosesItself):
        decisions.close(found, by=operator, reason="I do not like it")

    assert still_open().exists()


@pytest.fixture
def stranger(stripe, operator):
    """A customer of another product on the same account. Staff closed its finding: it is not ours."""
    customer = stripe.post("customers", name="A shop", email="shop@example.com")["id"]
    settle(stripe)
    close_all(operator)
    return customer


def test_a_customer_of_another_product_is_not_told_again_at_each_event(stripe, stranger):
    for number in range(3):
        stripe.post(f"customers/{stranger}", name=f"A shop {number}")
        settle(stripe)
        compared()

    assert not still_open().exists()
    assert Finding.objects.count() == 1


def test_one_that_subscribes_to_a_plan_of_ours_is_something_new(stripe, operator, stranger):
    item = {"items[0][price]": price("practice-monthly").stripe_price_id}
    stripe.post("subscriptions", customer=stranger, trial_period_days=14, **item)
    compared()
    settle(stripe)
    assert "subscribes to" in still_open(kind="unknown_customer").get().detail

    close_all(operator)
    settle(stripe)
    stripe.post(f"customers/{stranger}", name="A shop again")
    settle(stripe)
    compared()

    assert not still_open().exists()


def test_one_that_carries_the_id_of_an_office_is_something_new(stripe, operator, stranger, office):
    stripe.post(f"customers/{stranger}", **{"metadata[office]": str(office.public_id)})
    compared()
    assert still_open().get().kind == "customer_not_linked"
    close_all(operator)
    compared()
    assert not still_open().exists()

    stripe.post(f"customers/{stranger}", **{"metadata[office]": str(an_office("Another").public_id)})
    compared()

    assert still_open().get().office.name == "Another"


def test_a_contact_that_shall_differ_is_told_again_only_when_it_changes(stripe, operator, office):
    customer = subscribed_office(office, by=operator).payment_provider_customer_id
    stripe.post(f"customers/{customer}", email="accountant@example.com")
    settle(stripe)
    compared()
    close_all(operator)
    compared()
    assert not still_open().exists()

    stripe.post(f"customers/{customer}", email="another@example.com")
    settle(stripe)
    compared()

    assert still_open(kind="contact_differs").exists()


def test_a_foreign_price_and_a_second_subscription_that_staff_accepted_stay_closed(stripe, operator, office):
    customer = subscribed_office(office, by=operator).payment_provider_customer_id
    other = stripe.post("products", name="Another")["id"]
    terms = {"product": other, "currency": "usd", "unit_amount": 900, "recurring[interval]": "month"}
    own = stripe.post("prices", **terms)["id"]
    stripe.post("subscriptions", customer=customer, **{"items[0][price]": own})
    settle(stripe)
    assert {one.kind for one in still_open()} == {"unknown_price", "second_live_subscription"}
    close_all(operator)

    stripe.post(f"customers/{customer}", **{"metadata[note]": "x"})
    settle(stripe)
    compared()
    assert not still_open().exists()

    stripe.post("subscriptions", customer=customer, **{"items[0][price]": own})
    settle(stripe)
    assert {one.kind for one in still_open()} == {"unknown_price", "second_live_subscription"}


def test_a_deleted_customer_that_staff_know_of_stays_closed(stripe, operator, office):
    customer = subscribed_office(office, by=operator).payment_provider_customer_id
    settle(stripe)
    stripe.delete(f"customers/{customer}")
    settle(stripe)
    assert still_open().get().kind == "customer_deleted"
    close_all(operator)

    decisions.compare_office(Office.objects.get(), by=operator, reason="to be sure")
    compared()

    assert not still_open().exists()


def test_a_difference_that_staff_accepted_stays_closed_until_it_is_another(stripe, operator, office, settings):
    settings.RECONCILE_REPAIRS = False
    customer = subscribed_office(office, by=operator).payment_provider_customer_id
    settle(stripe)
    for balance in (-700, -700, -900):
        stripe.post(f"customers/{customer}", balance=balance)
        stripe.taken()
        ReceivedEvent.objects.all().delete()
        compared()
        found = still_open(kind="drift")
        assert found.exists() == (balance == -900 or not Finding.objects.filter(decision_holds=True).exists())
        if balance == -700:
            close_all(operator)

    assert "9.00 USD at Stripe" in still_open(kind="drift").get().detail
