"""A connection that opens so slowly that the lease ends and a second worker does the work meanwhile."""

from django.conf import settings
from django.core.mail.backends import smtp

from billing.outbox import delivery
from tests.outbox.conftest import a_wait_is_over


class Backend(smtp.EmailBackend):
    def open(self):
        a_wait_is_over()
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        assert delivery.work_off() == 1
        return super().open()
