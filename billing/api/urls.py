from django.urls import path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView
from rest_framework.permissions import AllowAny

from billing.api import subscriptions, views

app_name = "api"
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
    path("offices/<uuid:public_id>/entitlement/", views.OfficeEntitlement.as_view(), name="entitlement"),
    path("schema/", SpectacularAPIView.as_view(**open_to_all), name="schema"),
    path("docs/", SpectacularSwaggerSplitView.as_view(url_name="api:schema", **open_to_all), name="docs"),
]
