from datetime import timedelta

import pytest

from billing import clock, errors
from billing.access import grants
from billing.access.roles import Power
from billing.audit import actor
from billing.models import AuditEntry, Office, Operation
from billing.operations.engine.begin import perform
from billing.operations.offices.archive import ArchiveOffice, UnarchiveOffice
from billing.operations.offices.customer import EnsureCustomer
from billing.operations.subscriptions.cancel import CancelSubscription
from billing.operations.subscriptions.payment_link import CreatePaymentLink, WithdrawPaymentLink
from tests.conftest import a_member, price_id, refusals, subscribed_office

REASON = "the practice closed"


def sees(member, office):
    return grants.offices_where(member, Power.LOOK).filter(pk=office.pk).exists()


def test_members_of_an_archived_office_see_it_no_more_and_again_when_it_is_brought_back(operator, office):
    owner, viewer = a_member(office, "owner"), a_member(office, "viewer")
    assert sees(owner, office)

    perform(ArchiveOffice(), office, by=operator, reason=REASON)

    assert Office.objects.get(pk=office.pk).archived_at is not None
    assert not sees(owner, office)
    assert not sees(viewer, office)
    assert not grants.may(actor.person(owner), Power.MANAGE, office)
    perform(UnarchiveOffice(), office, by=operator, reason="it opens again")
    assert Office.objects.get(pk=office.pk).archived_at is None
    assert sees(owner, office)
    assert sees(viewer, office)
    assert not grants.may(actor.person(viewer), Power.MANAGE, office)
    entries = AuditEntry.objects.filter(office=office, action=AuditEntry.Action.UPDATE, changes__has_key="archived_at")
    assert set(entries.values_list("actor", "reason")) == {
        (operator.user.pk, REASON),
        (operator.user.pk, "it opens again"),
    }


def test_whoever_joins_an_archived_office_sees_it_when_it_is_brought_back(operator, office):
    perform(ArchiveOffice(), office, by=operator, reason=REASON)
    late = a_member(Office.objects.get(pk=office.pk), "manager")
    assert not sees(late, office)

    perform(UnarchiveOffice(), office, by=operator, reason=REASON)

    assert sees(late, office)


def test_an_archived_offices_billing_is_not_changed(stripe, operator, office):
    perform(ArchiveOffice(), office, by=operator, reason=REASON)

    with pytest.raises(errors.OfficeArchived):
        subscribed_office(office, by=operator)
    assert stripe.requests() == []


def test_while_a_subscription_is_live_it_is_not_archived(stripe, operator, office):
    office = subscribed_office(office, by=operator)

    with pytest.raises(errors.StillBilled, match="active"):
        perform(ArchiveOffice(), office, by=operator, reason=REASON)

    perform(CancelSubscription(at_period_end=False), office, by=operator, reason=REASON)
    assert perform(ArchiveOffice(), office, by=operator, reason=REASON).archived_at


def test_while_something_is_due_it_is_not_archived(stripe, operator, office):
    office = subscribed_office(office, by=operator, card="pm_card_chargeCustomerFail", trial_days=7)
    stripe.advance(days=8)
    stripe.deliver_and_apply()
    perform(CancelSubscription(at_period_end=False), Office.objects.get(pk=office.pk), by=operator, reason=REASON)

    with pytest.raises(errors.StillBilled, match=r"199\.00 USD is still due"):
        perform(ArchiveOffice(), office, by=operator, reason=REASON)


def test_with_a_debt_on_its_balance_or_in_another_currency_it_is_not_archived(stripe, operator, office):
    office = subscribed_office(office, by=operator)
    customer = office.payment_provider_customer_id
    office = perform(CancelSubscription(at_period_end=False), office, by=operator, reason="closing")
    stripe.post(f"customers/{customer}/balance_transactions", amount=3_000, currency="usd")
    stripe.deliver_and_apply()
    with pytest.raises(errors.StillBilled, match=r"30\.00 USD owed with the next invoice"):
        perform(ArchiveOffice(), office, by=operator, reason="closing")

    stripe.post(f"customers/{customer}/balance_transactions", amount=-3_000, currency="usd")
    terms = {"collection_method": "send_invoice", "days_until_due": 5, "currency": "eur", "customer": customer}
    invoice = stripe.post("invoices", **terms)["id"]
    stripe.post("invoiceitems", customer=customer, invoice=invoice, amount=75_000, currency="eur")
    stripe.post(f"invoices/{invoice}/finalize")
    stripe.deliver_and_apply()
    with pytest.raises(errors.StillBilled, match=r"750\.00 EUR is still due"):
        perform(ArchiveOffice(), Office.objects.get(), by=operator, reason="closing")


def test_while_a_payment_link_may_be_open_it_is_not_archived(stripe, operator, office):
    perform(CreatePaymentLink(price=price_id("practice-monthly")), office, by=operator, reason=REASON)

    with pytest.raises(errors.StillBilled, match="Withdraw the link first"):
        perform(ArchiveOffice(), office, by=operator, reason=REASON)

    perform(WithdrawPaymentLink(), Office.objects.get(pk=office.pk), by=operator, reason=REASON)
    assert perform(ArchiveOffice(), office, by=operator, reason=REASON).archived_at


def test_a_payment_link_of_two_days_ago_holds_nothing_up(stripe, operator, office):
    perform(CreatePaymentLink(price=price_id("practice-monthly")), office, by=operator, reason=REASON)
    Operation.objects.update(settled_at=clock.wall() - timedelta(hours=25))

    assert perform(ArchiveOffice(), office, by=operator, reason=REASON).archived_at


def test_while_nobody_knows_how_another_change_ended_it_is_not_archived(stripe, operator, office):
    stripe.fail_next("503", method="POST")
    with pytest.raises(errors.StripeUnavailable):
        perform(EnsureCustomer(), office, by=operator, reason="new")

    with pytest.raises(errors.OperationInProgress):
        perform(ArchiveOffice(), office, by=operator, reason=REASON)


def test_twice_is_refused_with_a_word(operator, office):
    with pytest.raises(errors.NotArchived):
        perform(UnarchiveOffice(), office, by=operator, reason=REASON)
    perform(ArchiveOffice(), office, by=operator, reason=REASON)
    with pytest.raises(errors.OfficeArchived):
        perform(ArchiveOffice(), office, by=operator, reason=REASON)


def test_only_the_vendors_staff_may_and_say_why(office, operator, auditor):
    owner = actor.person(a_member(office, "owner"))

    for by in (owner, auditor):
        for wanted in (ArchiveOffice(), UnarchiveOffice()):
            with pytest.raises(errors.NotPermitted):
                perform(wanted, office, by=by, reason=REASON)
    with pytest.raises(errors.ReasonRequired):
        perform(ArchiveOffice(), office, by=operator, reason=" ")
    assert refusals(office=office) == 5
