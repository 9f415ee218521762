from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView

from billing.health import healthz
from billing.webhooks.receive import receive

webhooks = [path("webhook/<uuid:uuid>/", receive, name="djstripe_webhook_by_uuid")]

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="admin:index")),
    path("healthz", healthz),
    path("admin/", admin.site.urls),
    path("api/v1/", include("billing.api.urls")),
    path("stripe/", include((webhooks, "djstripe"))),
]
