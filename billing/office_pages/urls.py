"""The addresses of these pages, below /billing/."""

from django.urls import include, path

from billing.office_pages import acts, members, views

app_name = "office_pages"

OFFICE = [
    path("", views.office, name="office"),
    path("next-invoice/", views.upcoming, name="upcoming"),
    path("card/", views.card, name="card"),
    path("complete-payment/", views.complete, name="complete"),
    path("change/", acts.change, name="change"),
    path("change/preview/", acts.preview_change, name="preview-change"),
    path("cancel/", acts.cancel, name="cancel"),
    path("keep/", acts.keep, name="keep"),
    path("invoices/<uuid:invoice_id>/pdf/", views.invoice_pdf, name="invoice-pdf"),
    path("invoices/<uuid:invoice_id>/page/", views.invoice_page, name="invoice-page"),
    path("invoices/<uuid:invoice_id>/pay/", acts.pay, name="pay"),
    path("members/", members.who, name="members"),
    path("members/<uuid:person_id>/remove/", members.remove, name="remove-member"),
    path("invitations/<uuid:invitation_id>/withdraw/", members.withdraw, name="withdraw-invitation"),
]
urlpatterns = [path("", views.offices, name="offices"), path("<uuid:public_id>/", include(OFFICE))]
