"""Which value each setting that matters had when a worker last started, as a keyed digest."""

from django.db import models


class KnownSetting(models.Model):
    """``billing.changed_settings`` alone writes it. The digest tells that a value changed, and not what it is."""

    name = models.CharField(max_length=80, primary_key=True)
    digest = models.CharField(max_length=80, help_text="The key's name, and an HMAC of the value")

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return self.name
