"""The addresses of these pages. A link in an e-mail has its secret in the query: the audit trail names paths."""

from django.conf import settings
from django.urls import path

from billing.pages.invitation import invitation
from billing.pages.kept_mail import kept_mail
from billing.pages.new_password import new_password
from billing.pages.stop_mail import stop_mail

urlpatterns = [
    path("invitation/", invitation, name="invitation"),
    path("new-password/", new_password, name="new-password"),
    path("stop-mail/", stop_mail, name="stop-mail"),
]
if settings.KEPT_MAIL:
    urlpatterns.append(path("demo/mail/", kept_mail, name="kept-mail"))
