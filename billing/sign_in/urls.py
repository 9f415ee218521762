"""The pages about signing in, below /account/. Only these of allauth's pages exist: nobody signs up here."""

from allauth.account import views as password
from allauth.mfa.base import views as mfa
from allauth.mfa.recovery_codes import views as recovery
from allauth.mfa.totp import views as totp
from allauth.mfa.webauthn import views as webauthn
from allauth.socialaccount import views as provider
from allauth.socialaccount.providers.openid_connect import views as openid_connect
from django.contrib.auth.decorators import login_required
from django.urls import include, path

from billing.sign_in import views

SECOND_FACTOR = [
    path("", mfa.index, name="mfa_index"),
    path("authenticate/", mfa.authenticate, name="mfa_authenticate"),
    path("reauthenticate/", mfa.reauthenticate, name="mfa_reauthenticate"),
    path("app/", totp.activate_totp, name="mfa_activate_totp"),
    path("app/remove/", views.RemoveApp.as_view(), name="mfa_deactivate_totp"),
    path("recovery-codes/", recovery.view_recovery_codes, name="mfa_view_recovery_codes"),
    path("recovery-codes/make/", recovery.generate_recovery_codes, name="mfa_generate_recovery_codes"),
    path("webauthn/", webauthn.list_webauthn, name="mfa_list_webauthn"),
    path("webauthn/add/", webauthn.add_webauthn, name="mfa_add_webauthn"),
    path("webauthn/login/", webauthn.login_webauthn, name="mfa_login_webauthn"),
    path("webauthn/reauthenticate/", webauthn.reauthenticate_webauthn, name="mfa_reauthenticate_webauthn"),
    path("webauthn/<int:pk>/remove/", views.RemoveKey.as_view(), name="mfa_remove_webauthn"),
    path("webauthn/<int:pk>/edit/", webauthn.edit_webauthn, name="mfa_edit_webauthn"),
]
urlpatterns = [
    path("", views.account, name="account"),
    path("login/", password.login, name="account_login"),
    path("logout/", password.logout, name="account_logout"),
    path("inactive/", password.account_inactive, name="account_inactive"),
    path("reauthenticate/", password.reauthenticate, name="account_reauthenticate"),
    path("password/change/", login_required(views.ChangePassword.as_view()), name="account_change_password"),
    path("password/reset/", password.password_reset, name="account_reset_password"),
    path("password/reset/done/", password.password_reset_done, name="account_reset_password_done"),
    path("2fa/", include(SECOND_FACTOR)),
    path("sessions/", views.Sessions.as_view(), name="usersessions_list"),
    path("provider/cancelled/", provider.login_cancelled, name="socialaccount_login_cancelled"),
    path("provider/error/", provider.login_error, name="socialaccount_login_error"),
    path("oidc/<str:provider_id>/login/", views.to_provider, name="openid_connect_login"),
    path("oidc/<str:provider_id>/login/callback/", openid_connect.callback, name="openid_connect_callback"),
]
