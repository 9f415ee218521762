from datetime import UTC, datetime, timedelta

import pytest

from billing import clock, errors
from billing.audit import actor
from billing.look import look
from billing.models import AuditEntry, Office, Operation, PaymentMethod
from billing.operations.engine.begin import perform
from billing.operations.engine.settle import resume_unsettled
from billing.operations.offices.cards import (
    MakeCardLink,
    PreparePaymentMethod,
    RemovePaymentMethod,
    SetDefaultPaymentMethod,
    fulfil_wishes,
    key_of,
)
from billing.operations.subscriptions.cancel import CancelOnDate, CancelSubscription
from tests.conftest import a_member, an_office

REASON = "a new card"


@pytest.fixture
def two(stripe, operator, subscribed):
    """Two cards on file, the first one the default."""
    perform(MakeCardLink(make_default=False), subscribed, by=operator, reason=REASON)
    complete_newest_session(stripe)
    stripe.deliver_and_apply()
    return subscribed


def complete_newest_session(stripe, card="pm_card_mastercard"):
    stripe.control(f"checkout/sessions/{stripe.listed('checkout/sessions')[0]['id']}/complete", card=card)


def brands(office):
    """Of the cards on file, the default one first and marked."""
    rows = office.payment_methods.filter(detached_at=None)
    return [f"{row.brand}*" if row.is_default else row.brand for row in rows]


def due_again():
    Operation.objects.filter(status="unknown").update(lease_until=clock.wall() - timedelta(seconds=1))


def test_the_card_of_a_subscription_is_on_file_and_the_default(stripe, subscribed):
    card = subscribed.payment_methods.get()

    assert (card.brand, card.last4, card.is_default, card.detached_at) == ("visa", "4242", True, None)
    assert card.expires == subscribed.payment_method_expires
    kept = {field.name for field in PaymentMethod._meta.fields}
    assert kept == {
        *("id", "public_id", "office", "stripe_id", "ticket", "brand", "last4", "expires"),
        *("is_default", "seen_at", "detached_at"),
    }


@pytest.mark.parametrize(
    ("expires", "expiry"), [("2026-10", "expired"), ("2026-11", "expires this month"), ("2026-12", "valid")]
)
def test_a_card_is_good_to_the_end_of_its_month(expires, expiry):
    assert PaymentMethod(expires=expires).expiry(datetime(2026, 11, 30, 23, 59, tzinfo=UTC)) == expiry


def test_a_card_entered_on_stripes_page_is_there_and_becomes_the_default(stripe, operator, subscribed):
    url = perform(MakeCardLink(), subscribed, by=operator, reason=REASON)
    assert url == stripe.listed("checkout/sessions")[0]["url"]
    complete_newest_session(stripe)
    stripe.deliver_and_apply()
    assert brands(subscribed) == ["visa*", "mastercard"]

    fulfil_wishes()
    fulfil_wishes()

    assert brands(subscribed) == ["mastercard*", "visa"]
    made = Operation.objects.get(kind="set_default_payment_method")
    assert (made.actor_kind, made.reason, made.status) == ("job", REASON, "succeeded")
    assert Office.objects.get(pk=subscribed.pk).payment_method_brand == "mastercard"


def test_without_the_wish_it_is_only_put_on_file(stripe, two):
    fulfil_wishes()

    assert brands(two) == ["visa*", "mastercard"]


def test_a_wish_waits_for_its_own_card_and_asks_stripe_only_when_one_came(stripe, operator, subscribed):
    perform(MakeCardLink(), subscribed, by=operator, reason=REASON)
    stripe.forget_requests()
    fulfil_wishes()
    assert stripe.requests() == []

    perform(MakeCardLink(make_default=False), subscribed, by=operator, reason=REASON)
    complete_newest_session(stripe)
    stripe.deliver_and_apply()
    fulfil_wishes()

    assert brands(subscribed) == ["visa*", "mastercard"]


def test_a_setup_intent_of_an_office_without_a_customer_makes_one_and_its_card_is_seen(stripe, operator, office):
    secret = perform(PreparePaymentMethod(), office, by=operator, reason=REASON)

    intent = stripe.listed("setup_intents")[0]
    assert (intent["client_secret"], intent["usage"]) == (secret, "off_session")
    stripe.confirm(intent["id"], "pm_card_visa")
    stripe.deliver_and_apply()
    fulfil_wishes()
    assert brands(Office.objects.get(pk=office.pk)) == ["visa*"]


def test_nothing_that_is_told_once_is_stored_or_logged(stripe, operator, office, caplog):
    from django.apps import apps

    caplog.set_level("DEBUG")
    told = [perform(PreparePaymentMethod(), office, by=operator, reason=REASON)]
    told.append(perform(MakeCardLink(), Office.objects.get(pk=office.pk), by=operator, reason=REASON))

    stored = " ".join(str(row) for model in apps.get_models() for row in model._default_manager.values())
    assert office.name in stored
    for one in told:
        assert one not in stored
        assert one not in caplog.text


@pytest.mark.parametrize("make", [PreparePaymentMethod, MakeCardLink])
@pytest.mark.parametrize("kind", ["503", "drop_after", "500_after"])
def test_a_lost_answer_is_settled_and_another_can_be_asked_for(stripe, operator, subscribed, make, kind):
    path = "/v1/setup_intents" if make is PreparePaymentMethod else "/v1/checkout/sessions"
    stripe.fail_next(kind, method="POST", path_prefix=path)
    with pytest.raises(errors.StripeUnavailable, match="Ask for another"):
        perform(make(), subscribed, by=operator, reason=REASON)
    lost = Operation.objects.get(status="unknown")
    due_again()
    resume_unsettled()

    lost.refresh_from_db()
    assert lost.status == ("abandoned" if kind == "500_after" else "succeeded")
    assert perform(make(), subscribed, by=operator, reason=REASON)


def test_another_card_is_made_the_default_and_again_is_no_change(stripe, operator, two):
    other = two.payment_methods.get(brand="mastercard")

    office = perform(SetDefaultPaymentMethod(card=key_of(other)), two, by=operator, reason=REASON)

    assert (brands(office), office.payment_method_brand) == (["mastercard*", "visa"], "mastercard")
    with pytest.raises(errors.NothingToChange):
        perform(SetDefaultPaymentMethod(card=key_of(other)), two, by=operator, reason=REASON)


def test_a_card_that_is_not_needed_is_removed_for_good(stripe, operator, two):
    other = two.payment_methods.get(brand="mastercard")

    office = perform(RemovePaymentMethod(card=key_of(other)), two, by=operator, reason=REASON)

    assert brands(office) == ["visa*"]
    assert [one["card"]["brand"] for one in stripe.listed("payment_methods", customer=customer(two))] == ["visa"]
    with pytest.raises(errors.PaymentMethodUnknown):
        perform(RemovePaymentMethod(card=key_of(other)), two, by=operator, reason=REASON)


def customer(office):
    return office.payment_provider_customer_id


@pytest.mark.parametrize(("which", "says"), [("two", "Make another one the default"), ("subscribed", "Add another")])
def test_a_live_subscription_keeps_the_card_that_it_is_charged_to(stripe, operator, request, which, says):
    office = request.getfixturevalue(which)
    stripe.forget_requests()

    with pytest.raises(errors.PaymentMethodNeeded, match=says):
        perform(
            RemovePaymentMethod(card=key_of(office.payment_methods.get(is_default=True))),
            office,
            by=operator,
            reason=REASON,
        )

    assert stripe.requests() == []
    assert AuditEntry.objects.filter(office=office, kind="refusal").exists()


def test_the_last_card_may_go_once_the_subscription_ends_and_nothing_is_due(stripe, operator, subscribed):
    office = perform(CancelSubscription(), subscribed, by=operator, reason="closing")

    office = perform(RemovePaymentMethod(card=key_of(office.payment_methods.get())), office, by=operator, reason=REASON)

    assert (brands(office), office.has_payment_method) == ([], False)


def test_the_card_stays_while_the_subscription_is_renewed_before_it_ends(stripe, operator, subscribed):
    ends = clock.billing() + timedelta(days=365)
    office = perform(CancelOnDate(at=ends), subscribed, by=operator, reason=REASON)

    with pytest.raises(errors.PaymentMethodNeeded):
        perform(RemovePaymentMethod(card=key_of(office.payment_methods.get())), office, by=operator, reason=REASON)


def test_another_offices_card_is_not_known_here(stripe, operator, subscribed):
    other = an_office("Another Practice")
    card = subscribed.payment_methods.get()

    for act in (SetDefaultPaymentMethod, RemovePaymentMethod):
        for unknown in (key_of(card), "nonsense", "00000000-0000-4000-8000-000000000000"):
            with pytest.raises(errors.PaymentMethodUnknown):
                perform(act(card=unknown), other, by=operator, reason=REASON)


@pytest.mark.parametrize("act", [SetDefaultPaymentMethod, RemovePaymentMethod])
@pytest.mark.parametrize("kind", ["503", "drop_after", "500_after"])
def test_a_lost_answer_about_a_card_is_found_out(stripe, operator, two, act, kind):
    other = two.payment_methods.get(brand="mastercard")
    path = "/v1/customers/" if act is SetDefaultPaymentMethod else "/v1/payment_methods/"
    stripe.fail_next(kind, method="POST", path_prefix=path)
    with pytest.raises(errors.StripeUnavailable):
        perform(act(card=key_of(other)), two, by=operator, reason=REASON)
    lost = Operation.objects.get(status="unknown")
    due_again()
    resume_unsettled()

    lost.refresh_from_db()
    done = ["mastercard*", "visa"] if act is SetDefaultPaymentMethod else ["visa*"]
    assert (lost.status, brands(two)) == (
        ("abandoned", ["visa*", "mastercard"]) if kind == "500_after" else ("succeeded", done)
    )


def test_what_was_done_is_found_when_its_answer_can_no_longer_come(stripe, operator, two):
    stripe.fail_next("drop_after", method="POST", path_prefix="/v1/payment_methods/")
    with pytest.raises(errors.StripeUnavailable):
        perform(
            RemovePaymentMethod(card=key_of(two.payment_methods.get(brand="mastercard"))),
            two,
            by=operator,
            reason=REASON,
        )
    lost = Operation.objects.get(status="unknown")
    lost.steps.update(first_asked_at=clock.wall() - timedelta(hours=21))
    due_again()
    resume_unsettled()

    lost.refresh_from_db()
    assert (lost.status, brands(two)) == ("succeeded", ["visa*"])


@pytest.mark.parametrize("role", ["viewer", "outsider"])
def test_the_wrong_role_is_refused(stripe, two, outsider, role):
    by = outsider if role == "outsider" else actor.person(a_member(two, "viewer"))
    card = two.payment_methods.get(brand="mastercard")
    stripe.forget_requests()

    for attempt in (
        lambda: perform(PreparePaymentMethod(), two, by=by, reason=REASON),
        lambda: perform(MakeCardLink(), two, by=by, reason=REASON),
        lambda: perform(SetDefaultPaymentMethod(card=key_of(card)), two, by=by, reason=REASON),
        lambda: perform(RemovePaymentMethod(card=key_of(card)), two, by=by, reason=REASON),
    ):
        with pytest.raises(errors.NotPermitted):
            attempt()
    assert stripe.requests() == []


def test_a_card_removed_at_stripe_is_seen_by_its_event(stripe, operator, two):
    other = two.payment_methods.get(brand="mastercard")
    stripe.post(f"payment_methods/{other.stripe_id}/detach")

    stripe.deliver_and_apply()

    other.refresh_from_db()
    assert other.detached_at is not None
    assert brands(two) == ["visa*"]


def test_an_older_look_brings_no_removed_card_back(stripe, operator, two):
    from billing.audit import trail
    from billing.projection import apply, take_ticket
    from billing.stripe_api import gateway

    older = gateway.looks.fetch(two, ticket=take_ticket(two.pk).look_ticket, at=clock.billing(), payment_methods=True)
    assert len(older.payment_methods) == 2
    perform(
        RemovePaymentMethod(card=key_of(two.payment_methods.get(brand="mastercard"))), two, by=operator, reason=REASON
    )

    with trail.acting(operator):
        apply(older)

    assert brands(two) == ["visa*"]


def test_a_look_that_is_not_about_cards_leaves_them_alone(stripe, operator, two):
    with_trail(operator, lambda: look(two))

    assert brands(two) == ["visa*", "mastercard"]


def with_trail(by, act):
    from billing.audit import trail

    with trail.acting(by):
        return act()


def test_a_customer_deleted_at_stripe_has_no_cards(stripe, operator, two):
    stripe.delete(f"customers/{customer(two)}")
    stripe.deliver_and_apply()

    assert brands(two) == []
    with pytest.raises(errors.NoCustomer):
        perform(MakeCardLink(), Office.objects.get(pk=two.pk), by=operator, reason=REASON)
