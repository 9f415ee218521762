"""Who may ask for which operation: the table, written by hand, and each cell tried.

M: whoever manages the Office's billing, at the Office or for the vendor. P: the same people, for Stripe's portal.
V: an operator of the vendor. G: who gives money back for the vendor.
"""

from datetime import timedelta
from typing import Any

import pytest

from billing import clock, errors
from billing.audit import actor, trail
from billing.models import AuditEntry, Invoice, Office, Payment
from billing.operations.engine.begin import perform
from billing.operations.engine.declaration import Declaration, OnInvoice, OnPayment
from billing.operations.engine.previews import preview
from billing.operations.money.charges import ChargeOffice
from billing.operations.money.credit import AdjustCredit
from billing.operations.money.credit_note import IssueCreditNote
from billing.operations.money.invoices import MarkUncollectible, PayInvoice, RetryInvoice, SendInvoice, VoidInvoice
from billing.operations.money.refund import RefundPayment
from billing.operations.offices.archive import ArchiveOffice, UnarchiveOffice
from billing.operations.offices.cards import (
    MakeCardLink,
    PreparePaymentMethod,
    RemovePaymentMethod,
    SetDefaultPaymentMethod,
)
from billing.operations.offices.contact import ChangeContact
from billing.operations.offices.customer import EnsureCustomer, OpenPortal
from billing.operations.subscriptions.cancel import CancelOnDate, CancelSubscription, ResumeRenewal
from billing.operations.subscriptions.change import ChangeSubscription
from billing.operations.subscriptions.collection import PauseCollection, ResumeCollection
from billing.operations.subscriptions.discounts import ApplyDiscount, MakeDiscount, RemoveDiscount
from billing.operations.subscriptions.payment_link import CreatePaymentLink, WithdrawPaymentLink
from billing.operations.subscriptions.start import StartSubscription
from billing.operations.subscriptions.trial import MoveTrialEnd, RestartPeriod
from billing.operations.subscriptions.under_way import EndWaitingSubscription
from tests.conftest import a_member, a_person

NONE: dict[str, Any] = {}
CARD = {"card": "00000000-0000-4000-8000-000000000000"}
MAY: dict[type[Declaration[Any, Any]], tuple[str, dict[str, Any]]] = {
    EnsureCustomer: ("M", NONE),
    ChangeContact: ("M", {"name": "Elm Street Practice"}),
    OpenPortal: ("P", NONE),
    ArchiveOffice: ("V", NONE),
    UnarchiveOffice: ("V", NONE),
    PreparePaymentMethod: ("M", NONE),
    MakeCardLink: ("M", NONE),
    SetDefaultPaymentMethod: ("M", CARD),
    RemovePaymentMethod: ("M", CARD),
    StartSubscription: ("M", {"price": "none"}),
    CreatePaymentLink: ("M", {"price": "none"}),
    WithdrawPaymentLink: ("M", NONE),
    EndWaitingSubscription: ("M", NONE),
    ChangeSubscription: ("M", NONE),
    CancelSubscription: ("M", NONE),
    CancelOnDate: ("M", {"at": clock.wall() + timedelta(days=9)}),
    ResumeRenewal: ("M", NONE),
    MoveTrialEnd: ("M", {"at": None}),
    RestartPeriod: ("M", NONE),
    PauseCollection: ("V", {"invoices_become": "void"}),
    ResumeCollection: ("V", NONE),
    ApplyDiscount: ("M", {"code": "FIFTH"}),
    MakeDiscount: ("G", {"percent": 10}),
    RemoveDiscount: ("M", NONE),
    PayInvoice: ("M", NONE),
    RetryInvoice: ("M", NONE),
    SendInvoice: ("V", NONE),
    VoidInvoice: ("V", NONE),
    MarkUncollectible: ("V", NONE),
    ChargeOffice: ("V", {"charge": "training", "amount": 100}),
    IssueCreditNote: ("G", {"to": "due"}),
    RefundPayment: ("G", NONE),
    AdjustCredit: ("G", {"amount": 100}),
}
ROLES = {
    "support": "",
    "operator": "MPV",
    "finance": "MPVG",
    "auditor": "",
    "administrator": "",
    "owner": "MP",
    "manager": "MP",
    "viewer": "",
    "outsider": "",
}
STAFF, OFFICE = ("support", "operator", "finance", "auditor", "administrator"), ("owner", "manager", "viewer")


def the_actor(name: str, office: Office) -> actor.Actor:
    if name in OFFICE:
        return actor.person(a_member(office, name))
    return actor.person(a_person(f"{name}@vendor.example", group=name if name in STAFF else ""))


def the_subject(declared: type[Declaration[Any, Any]], office: Office) -> Any:
    common = {"office": office, "currency": "usd", "ticket": 0, "created_at": clock.wall()}
    with trail.acting(actor.job("tests"), reason="tests"):
        if issubclass(declared, OnInvoice):
            amounts = dict.fromkeys(("subtotal", "total", "amount_paid", "amount_remaining"), 100)
            return Invoice.objects.create(**common, **amounts, stripe_id="in_test", status="draft")
        if issubclass(declared, OnPayment):
            return Payment.objects.create(**common, stripe_id="ch_test", status="failed", amount=100)
    return office


@pytest.mark.parametrize("declared", MAY, ids=lambda declared: declared.__name__)
def test_who_may_ask_for_it(stripe, office, declared):
    table, given = MAY[declared]
    subject = the_subject(declared, office)
    for who, may in ROLES.items():
        by, allowed = the_actor(who, office), table in may
        stripe.forget_requests()

        refused = None
        try:
            perform(declared(**given), subject, by=by, reason="to see who may")
        except errors.BillingError as error:
            refused = error

        assert isinstance(refused, errors.NotPermitted) is not allowed, who
        assert isinstance(refused, errors.StaffOnly) is (who not in STAFF and table in "VG"), who
        if not allowed:
            assert stripe.requests() == []
            assert AuditEntry.objects.filter(kind="refusal", actor=by.user, office=office).count() == 1


@pytest.mark.parametrize("asked", [ChangeSubscription(quantity=2), MoveTrialEnd(at=None)])
def test_who_only_wanted_to_look_is_told_so(stripe, office, outsider, asked):
    with pytest.raises(errors.NotPermitted, match="ask Stripe what something would cost"):
        preview(asked, office, by=outsider)
    with pytest.raises(errors.NotPermitted, match="change this Office's billing"):
        perform(asked, office, by=outsider, reason="to see who may")
