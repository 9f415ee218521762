from django.conf import settings
from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView, TemplateView

from billing import error_pages
from billing.admin import journal
from billing.monitoring import metrics
from billing.monitoring.probes import healthz
from billing.sign_in import views as sign_in
from billing.webhooks.receive import receive

handler400 = "billing.error_pages.bad_request"
handler500 = "billing.error_pages.failed"

webhooks = [path("webhook/<uuid:uuid>/", receive, name="djstripe_webhook_by_uuid")]

pages_of_models, admin_app, admin_name = admin.site.urls
admin_pages = [
    path("billing/journal/", admin.site.admin_view(journal.page), name="billing_journal_export"),
    *pages_of_models,
]

SHOWN = {"has_pages": settings.OFFICE_PAGES}

urlpatterns = [
    path("", sign_in.home, name="home"),
    path("account/", include("billing.sign_in.urls")),
    path("healthz", healthz, name="healthz"),  # /readyz is answered by a middleware, in front of all this
    path("metrics", metrics.page, name="metrics"),
    path("done/", TemplateView.as_view(template_name="billing/returned.html", extra_context=SHOWN), name="returned"),
    # where Stripe's page sends an Office after it paid or did not pay
    path("payment/done/", TemplateView.as_view(template_name="payment/done.html"), name="payment-done"),
    path("payment/not-done/", TemplateView.as_view(template_name="payment/not_done.html"), name="payment-not-done"),
    path("billing/", include("billing.office_pages.urls")),
    path("admin/login/", sign_in.admin_login),
    path("admin/password_change/", RedirectView.as_view(pattern_name="account_change_password")),
    path("", include("billing.pages.urls")),
    path("admin/", (admin_pages, admin_app, admin_name)),
    path("api/v1/", include("billing.api.urls")),
    path("api/", error_pages.unknown_address, name="no-address"),
    path("api/<path:rest>", error_pages.unknown_address, name="unknown-address"),
    path("stripe/", include((webhooks, "djstripe"))),
]
