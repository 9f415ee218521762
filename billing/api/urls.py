from django.urls import path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView
from rest_framework.permissions import AllowAny

from billing.api import (
    account,
    customers,
    invoices,
    payment_links,
    payment_methods,
    payments,
    subscriptions,
    terms,
    views,
)

app_name = "api"
INVOICES = "offices/<uuid:public_id>/invoices/"
INVOICE = INVOICES + "<uuid:invoice_id>/"
TERMS: dict[str, type[views.OfficeView]] = {
    "subscription/preview/": subscriptions.preview_subscribe,
    "subscription/payment-link/": payment_links.CreatePaymentLink,
    "subscription/payment-link/withdraw/": payment_links.withdraw_payment_link,
    "subscription/resume-renewal/": terms.resume_renewal,
    "subscription/cancel-on-date/": terms.cancel_on_date,
    "subscription/trial-end/": terms.move_trial_end,
    "subscription/trial-end/preview/": terms.preview_trial_end,
    "subscription/restart-period/": terms.restart_period,
    "subscription/restart-period/preview/": terms.preview_restarted_period,
    "subscription/pause-collection/": terms.pause_collection,
    "subscription/resume-collection/": terms.resume_collection,
    "subscription/discount/": terms.apply_discount,
    "subscription/discount/preview/": terms.preview_discount,
    "subscription/discount/remove/": terms.remove_discount,
    "subscription/discount/remove/preview/": terms.preview_without_discount,
}
open_to_all = {"authentication_classes": [], "permission_classes": [AllowAny]}
urlpatterns = [
    path("auth/token/", views.SignIn.as_view(), name="sign-in"),
    path("auth/sign-out/", views.SignOut.as_view(), name="sign-out"),
    path("plans/", views.Plans.as_view(), name="plans"),
    path("offices/", views.Offices.as_view(), name="offices"),
    path("offices/<uuid:public_id>/", views.OneOffice.as_view(), name="office"),
    path("offices/<uuid:public_id>/subscription/", subscriptions.start_subscription.as_view(), name="subscription"),
    path("offices/<uuid:public_id>/subscription/cancel/", subscriptions.cancel_subscription.as_view(), name="cancel"),
    path("offices/<uuid:public_id>/subscription/change/", subscriptions.change_subscription.as_view(), name="change"),
    path(
        "offices/<uuid:public_id>/subscription/change/preview/",
        subscriptions.preview_change.as_view(),
        name="preview-change",
    ),
    path("offices/<uuid:public_id>/payments/", payments.Payments.as_view(), name="payments"),
    path("offices/<uuid:public_id>/payments/<uuid:payment>/refund/", payments.refund_payment.as_view(), name="refund"),
    path(
        "offices/<uuid:public_id>/payments/<uuid:payment>/refund/preview/",
        payments.preview_refund.as_view(),
        name="preview-refund",
    ),
    path("offices/<uuid:public_id>/adjustments/", payments.Adjustments.as_view(), name="adjustments"),
    path(
        "offices/<uuid:public_id>/invoices/<uuid:invoice>/credit-note/",
        payments.issue_credit_note.as_view(),
        name="credit-note",
    ),
    path(
        "offices/<uuid:public_id>/invoices/<uuid:invoice>/credit-note/preview/",
        payments.preview_credit_note.as_view(),
        name="preview-credit-note",
    ),
    path(
        "offices/<uuid:public_id>/payment-methods/",
        payment_methods.prepare_payment_method.as_view(),
        name="payment-methods",
    ),
    path("offices/<uuid:public_id>/payment-methods/link/", payment_methods.make_card_link.as_view(), name="card-link"),
    path(
        "offices/<uuid:public_id>/payment-methods/<uuid:card>/default/",
        payment_methods.set_default_payment_method.as_view(),
        name="default-payment-method",
    ),
    path(
        "offices/<uuid:public_id>/payment-methods/<uuid:card>/remove/",
        payment_methods.remove_payment_method.as_view(),
        name="remove-payment-method",
    ),
    path("offices/<uuid:public_id>/contact/", customers.change_contact.as_view(), name="contact"),
    path("offices/<uuid:public_id>/portal/", customers.open_portal.as_view(), name="portal"),
    path("offices/<uuid:public_id>/credit/", customers.adjust_credit.as_view(), name="credit"),
    path("offices/<uuid:public_id>/credit/preview/", customers.preview_credit.as_view(), name="preview-credit"),
    path("offices/<uuid:public_id>/archive/", customers.archive_office.as_view(), name="archive"),
    path("offices/<uuid:public_id>/unarchive/", customers.unarchive_office.as_view(), name="unarchive"),
    *(path(f"offices/<uuid:public_id>/{rest}", view.as_view()) for rest, view in TERMS.items()),
    path(INVOICES, invoices.Invoices.as_view(), name="invoices"),
    path(INVOICES + "upcoming/", invoices.UpcomingInvoice.as_view(), name="upcoming-invoice"),
    path(INVOICE, invoices.OneInvoice.as_view(), name="invoice"),
    path(INVOICE + "lines/", invoices.InvoiceLines.as_view(), name="invoice-lines"),
    path(INVOICE + "pdf/", invoices.InvoicePdf.as_view(), name="invoice-pdf"),
    path(INVOICE + "page/", invoices.InvoicePage.as_view(), name="invoice-page"),
    path(INVOICE + "pay/", invoices.pay_invoice.as_view(), name="pay-invoice"),
    path(INVOICE + "retry/", invoices.retry_invoice.as_view(), name="retry-invoice"),
    path(INVOICE + "send/", invoices.send_invoice.as_view(), name="send-invoice"),
    path(INVOICE + "void/", invoices.void_invoice.as_view(), name="void-invoice"),
    path(INVOICE + "uncollectible/", invoices.mark_uncollectible.as_view(), name="mark-uncollectible"),
    path("offices/<uuid:public_id>/charges/", invoices.charge_office.as_view(), name="charges"),
    path("offices/<uuid:public_id>/charges/preview/", invoices.preview_charge.as_view(), name="preview-charge"),
    path("offices/<uuid:public_id>/statement/", account.OfficeStatement.as_view(), name="statement"),
    path("offices/<uuid:public_id>/cycles/", account.BillingCycles.as_view(), name="cycles"),
    path("offices/<uuid:public_id>/standing/", account.OfficeStanding.as_view(), name="standing"),
    path("offices/<uuid:public_id>/entitlement/", views.OfficeEntitlement.as_view(), name="entitlement"),
    path("schema/", SpectacularAPIView.as_view(**open_to_all), name="schema"),
    path("docs/", SpectacularSwaggerSplitView.as_view(url_name="api:schema", **open_to_all), name="docs"),
]
