from typing import Any

from django.urls import URLPattern, URLResolver, include, path
from drf_spectacular.views import SpectacularAPIView
from rest_framework.permissions import AllowAny

from billing.api import account, approvals, audit_trail, invoices, members, payments, sign_in, views
from billing.api.customers import CreditOperation, OfficeOperation
from billing.api.documentation import Docs, Problems
from billing.api.invoices import ChargeOperation, InvoiceOperation
from billing.api.operations import DeclaredView, OperationView, PreviewView, TellingView
from billing.api.payment_methods import CardOperation, PaymentMethods
from billing.api.payments import CreditNoteOperation, CreditNotePreview, RefundOperation, RefundPreview
from billing.api.serializers import CreditPreviewSerializer
from billing.api.subscriptions import CurrentSubscription, PaymentLinkOperation, StartPreview
from billing.operations.engine.declaration import Declaration
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
from billing.operations.offices.customer import OpenPortal
from billing.operations.subscriptions.cancel import CancelOnDate, CancelSubscription, ResumeRenewal
from billing.operations.subscriptions.change import ChangeSubscription
from billing.operations.subscriptions.collection import PauseCollection, ResumeCollection
from billing.operations.subscriptions.discounts import ApplyDiscount, RemoveDiscount
from billing.operations.subscriptions.payment_link import CreatePaymentLink, WithdrawPaymentLink
from billing.operations.subscriptions.start import StartSubscription
from billing.operations.subscriptions.trial import MoveTrialEnd, RestartPeriod
from billing.operations.subscriptions.under_way import EndWaitingSubscription

app_name = "api"


def at(
    address: str,
    name: str,
    view: type[DeclaredView],
    declared: type[Declaration[Any, Any]],
    body: str = "Reason",
    **more: Any,
) -> URLPattern:
    """Return the address for a declared operation or its preview. ``body`` is the name of its body in the document."""
    called = name.replace("-", "_")
    return path(address, view.as_view(declared=declared, body=body, called=called, **more), name=name)


def plain(address: str, name: str, view: type[views.OfficeView]) -> URLPattern:
    """Return an address that begins no operation."""
    return path(address, view.as_view(), name=name)


SUBSCRIPTION = [
    at("", "subscription", CurrentSubscription, StartSubscription, "Subscribe"),
    at("preview/", "preview-subscribe", StartPreview, StartSubscription, "Start", not_in_body=["payment_method"]),
    at("payment-link/", "payment-link", PaymentLinkOperation, CreatePaymentLink, "CreatePaymentLink"),
    at("payment-link/withdraw/", "withdraw-payment-link", OperationView, WithdrawPaymentLink),
    at("waiting/end/", "end-waiting-subscription", OperationView, EndWaitingSubscription),
    at("cancel/", "cancel", OperationView, CancelSubscription, "Cancel"),
    at("cancel-on-date/", "cancel-on-date", OperationView, CancelOnDate, "CancelOnDate"),
    at("cancel-on-date/preview/", "preview-cancel-on-date", PreviewView, CancelOnDate, "PreviewCancelOnDate"),
    at("resume-renewal/", "resume-renewal", OperationView, ResumeRenewal),
    at("change/", "change", OperationView, ChangeSubscription, "Change"),
    at("change/preview/", "preview-change", PreviewView, ChangeSubscription, "PreviewChange"),
    at("trial-end/", "trial-end", OperationView, MoveTrialEnd, "TrialEnd"),
    at("trial-end/preview/", "preview-trial-end", PreviewView, MoveTrialEnd, "PreviewTrialEnd"),
    at("restart-period/", "restart-period", OperationView, RestartPeriod, "Restart"),
    at("restart-period/preview/", "preview-restarted-period", PreviewView, RestartPeriod, "PreviewRestart"),
    at("pause-collection/", "pause-collection", OperationView, PauseCollection, "PauseCollection"),
    at("resume-collection/", "resume-collection", OperationView, ResumeCollection),
    at("discount/", "discount", OperationView, ApplyDiscount, "Discount"),
    at("discount/preview/", "preview-discount", PreviewView, ApplyDiscount, "PreviewDiscount"),
    at("discount/remove/", "remove-discount", OperationView, RemoveDiscount, "RemoveDiscount"),
    at("discount/remove/preview/", "preview-without-discount", PreviewView, RemoveDiscount, "Nothing"),
]
CARDS = [
    at("", "payment-methods", PaymentMethods, PreparePaymentMethod, "CardForm"),
    at("link/", "card-link", TellingView, MakeCardLink, "CardForm"),
    at("<uuid:card_id>/default/", "default-payment-method", CardOperation, SetDefaultPaymentMethod),
    at("<uuid:card_id>/remove/", "remove-payment-method", CardOperation, RemovePaymentMethod),
]
INVOICES = [
    plain("", "invoices", invoices.Invoices),
    plain("upcoming/", "upcoming-invoice", invoices.UpcomingInvoice),
]
INVOICE = [
    plain("", "invoice", invoices.OneInvoice),
    plain("lines/", "invoice-lines", invoices.InvoiceLines),
    plain("pdf/", "invoice-pdf", invoices.InvoicePdf),
    plain("page/", "invoice-page", invoices.InvoicePage),
    at("pay/", "pay-invoice", InvoiceOperation, PayInvoice, "Pay"),
    at("retry/", "retry-invoice", InvoiceOperation, RetryInvoice),
    at("send/", "send-invoice", InvoiceOperation, SendInvoice),
    at("void/", "void-invoice", InvoiceOperation, VoidInvoice),
    at("uncollectible/", "mark-uncollectible", InvoiceOperation, MarkUncollectible),
    at("credit-note/", "credit-note", CreditNoteOperation, IssueCreditNote, "CreditNote"),
    at("credit-note/preview/", "preview-credit-note", CreditNotePreview, IssueCreditNote, "PreviewCreditNote"),
]
PAYMENTS = [
    plain("", "payments", payments.Payments),
    at("<uuid:payment_id>/refund/", "refund", RefundOperation, RefundPayment, "Refund"),
    at("<uuid:payment_id>/refund/preview/", "preview-refund", RefundPreview, RefundPayment, "PreviewRefund"),
]
OFFICE: list[URLPattern | URLResolver] = [
    plain("", "office", views.OneOffice),
    plain("entitlement/", "entitlement", views.OfficeEntitlement),
    path("subscription/", include(SUBSCRIPTION)),
    path("payments/", include(PAYMENTS)),
    plain("adjustments/", "adjustments", payments.Adjustments),
    path("payment-methods/", include(CARDS)),
    plain("second-factor/", "office-second-factor", sign_in.SecondFactorOfMembers),
    at("contact/", "contact", OfficeOperation, ChangeContact, "Contact"),
    at("portal/", "portal", TellingView, OpenPortal),
    at("credit/", "credit", CreditOperation, AdjustCredit, "Credit"),
    at("credit/preview/", "preview-credit", PreviewView, AdjustCredit, "PreviewCredit", shown=CreditPreviewSerializer),
    at("archive/", "archive", OfficeOperation, ArchiveOffice),
    at("unarchive/", "unarchive", OfficeOperation, UnarchiveOffice),
    path("invoices/", include(INVOICES)),
    path("invoices/<uuid:invoice_id>/", include(INVOICE)),
    at("charges/", "charges", ChargeOperation, ChargeOffice, "Charge"),
    at("charges/preview/", "preview-charge", PreviewView, ChargeOffice, "PreviewCharge"),
    plain("approvals/", "approvals", approvals.Approvals),
    plain("approvals/<uuid:approval_id>/", "approval", approvals.OneApproval),
    plain("approvals/<uuid:approval_id>/preview/", "preview-approval", approvals.PreviewApproval),
    plain("approvals/<uuid:approval_id>/approve/", "approve", approvals.Approve),
    plain("approvals/<uuid:approval_id>/turn-down/", "turn-down", approvals.TurnDown),
    plain("approvals/<uuid:approval_id>/withdraw/", "withdraw-request", approvals.Withdraw),
    plain("statement/", "statement", account.OfficeStatement),
    plain("cycles/", "cycles", account.BillingCycles),
    plain("standing/", "standing", account.OfficeStanding),
    plain("audit-trail/", "audit-trail", audit_trail.AuditTrail),
    plain("audit-trail/export/", "export-audit-trail", audit_trail.AuditTrailExport),
    plain("members/", "members", members.Members),
    plain("invitations/", "invitations", members.Invitations),
    plain("invitations/<uuid:invitation_id>/withdraw/", "withdraw-invitation", members.WithdrawInvitation),
    plain("members/<uuid:person_id>/change/", "change-member", members.ChangeMember),
    plain("members/<uuid:person_id>/remove/", "remove-member", members.RemoveMember),
]
open_to_all = {"authentication_classes": [], "permission_classes": [AllowAny]}
urlpatterns = [
    path("auth/token/", sign_in.SignIn.as_view(), name="sign-in"),
    path("auth/sign-out/", sign_in.SignOut.as_view(), name="sign-out"),
    path("account/password/", sign_in.OwnPassword.as_view(), name="own-password"),
    path("plans/", views.Plans.as_view(), name="plans"),
    path("offices/", views.Offices.as_view(), name="offices"),
    path("offices/<uuid:public_id>/", include(OFFICE)),
    path("schema/", SpectacularAPIView.as_view(**open_to_all), name="schema"),
    path("problems/", Problems.as_view(**open_to_all), name="problems"),
    path("docs/", Docs.as_view(url_name="api:schema", **open_to_all), name="docs"),
]
