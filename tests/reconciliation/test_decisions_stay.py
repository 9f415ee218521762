"""What a person closed stays closed, for every kind of finding, until something new is known about it."""

import pytest

from billing import clock, errors, findings
from billing.audit import actor, trail
from billing.findings import report, resolve
from billing.models import Finding, Office, PlanPrice, ReceivedEvent, Subscription
from billing.reconciliation import decisions, reconcile
from billing.webhooks import inbox
from tests.conftest import an_office, price, subscribed_office

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "impatient", "optional"])
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


@pytest.mark.parametrize("has_customer", [True, False])
def test_each_of_several_customers_with_the_same_id_is_told_and_stays_closed(stripe, operator, office, has_customer):
    if has_customer:
        subscribed_office(office, by=operator)
    named = {"metadata[office]": str(office.public_id)}
    several = {stripe.post("customers", name=f"Copy {number}", **named)["id"] for number in range(3)}
    stripe.taken()
    compared()
    kind = "second_customer" if has_customer else "customer_not_linked"
    assert set(still_open(kind=kind).values_list("subject", flat=True)) == several

    compared()
    assert still_open(kind=kind).count() == 3
    close_all(operator)
    compared()

    assert not still_open().exists()
    assert set(Finding.objects.filter(decision_holds=True).values_list("subject", flat=True)) == several


def test_another_subscription_of_an_archived_office_is_told_again(stripe, operator, office):
    customer = subscribed_office(office, by=operator).payment_provider_customer_id
    Office.objects.filter(pk=office.pk).update(archived_at=clock.wall())
    item = {"items[0][price]": price("practice-monthly").stripe_price_id}
    stripe.post(f"customers/{customer}", description="seen again")
    settle(stripe)
    close_all(operator)
    assert not still_open(kind="archived_and_billed").exists()

    stripe.post("subscriptions", customer=customer, **item)
    settle(stripe)

    assert still_open(kind="archived_and_billed").exists()


@pytest.fixture
def copy(stripe, operator, office):
    """A second customer with an Office's id. It subscribes to a plan of ours. Staff closed its finding."""
    subscribed_office(office, by=operator)
    customer = stripe.post("customers", name="A copy", **{"metadata[office]": str(office.public_id)})["id"]
    item = {"items[0][price]": price("practice-monthly").stripe_price_id}
    stripe.post("subscriptions", customer=customer, trial_period_days=14, **item)
    stripe.taken()
    compared()
    assert still_open().get().kind == "second_customer"
    close_all(operator)
    return customer


def test_a_second_customer_that_staff_accepted_is_not_told_as_an_unknown_one(copy):
    compared()

    assert not still_open().exists()


def test_an_event_of_such_a_customer_opens_no_other_finding(stripe, copy):
    stripe.post(f"customers/{copy}", description="seen again")
    settle(stripe)

    assert not still_open().exists()


def test_when_it_has_the_id_no_more_it_is_an_unknown_customer(stripe, copy):
    stripe.post(f"customers/{copy}", **{"metadata[office]": ""})
    stripe.taken()
    compared()

    assert still_open().get().kind == "unknown_customer"
    assert not Finding.objects.filter(decision_holds=True).exists()


def test_an_unknown_customer_that_subscribes_again_after_its_subscription_ended_is_told_again(stripe, operator):
    customer = stripe.post("customers", name="A shop")["id"]
    item = {"items[0][price]": price("practice-monthly").stripe_price_id}
    first = stripe.post("subscriptions", customer=customer, trial_period_days=14, **item)["id"]
    stripe.taken()
    compared()
    close_all(operator)
    compared()
    assert not still_open().exists()

    stripe.delete(f"subscriptions/{first}")
    stripe.taken()
    compared()
    stripe.post("subscriptions", customer=customer, trial_period_days=14, **item)
    stripe.taken()
    compared()

    assert still_open(kind="unknown_customer").get().subject == customer


def test_a_customer_of_another_product_that_staff_closed_costs_no_request(stripe, stranger):
    stripe.forget_requests()
    compared()

    assert f"/v1/customers/{stranger}" not in {one["path"] for one in stripe.requests()}


@pytest.mark.parametrize("is_ours", [True, False])
def test_another_value_of_what_words_leave_out_is_told(stripe, operator, office, settings, is_ours):
    """The words say only that the plan or the items differed. Staff accepted one price, and then it is another."""
    settings.RECONCILE_REPAIRS = False
    subscribed_office(office, by=operator)
    settle(stripe)
    own, sold = Subscription.objects.get().stripe_id, price("practice-monthly")
    (item,) = stripe.listed("subscription_items", subscription=own)
    others = [a_price_like(stripe, sold, code=code, is_ours=is_ours) for code in ("second", "third")]
    for other in others:
        stripe.post(f"subscription_items/{item['id']}", price=other, proration_behavior="none")
        stripe.taken()
        ReceivedEvent.objects.all().delete()
        compared()
        assert still_open(kind="drift").get().subject == own

        close_all(operator)
        compared()
        assert not still_open(kind="drift").exists()


def a_price_like(stripe, sold, *, code, is_ours):
    """Make another price with the same terms at Stripe, and a plan price here if it is ours. Return Stripe's id."""
    terms = {"currency": sold.currency, "unit_amount": sold.unit_amount}
    asked = {"product": sold.plan.stripe_product_id, "recurring[interval]": sold.interval}
    made = stripe.post("prices", **terms, **asked)["id"]
    if is_ours:
        with trail.acting(BY, reason="a test"):
            PlanPrice.objects.create(plan=sold.plan, code=code, stripe_price_id=made, interval=sold.interval, **terms)
    return made
