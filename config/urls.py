from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.urls import include, path
from django.views.generic import RedirectView

from billing.webhooks.receive import receive


def alive(_: HttpRequest) -> HttpResponse:
    """The web server answers."""
    return HttpResponse("ok\n", content_type="text/plain")


webhooks = [path("webhook/<uuid:uuid>/", receive, name="djstripe_webhook_by_uuid")]

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="admin:index")),
    path("healthz", alive),
    path("admin/", admin.site.urls),
    path("api/v1/", include("billing.api.urls")),
    path("stripe/", include((webhooks, "djstripe"))),
]
