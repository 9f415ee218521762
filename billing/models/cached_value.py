"""The table of Django's cache: which codes were used and how many were wrong lately. All processes share it."""

from django.db import models


class CachedValue(models.Model):
    """One value of ``django.core.cache``. Only Django's DatabaseCache reads and writes it, with these three columns."""

    cache_key = models.CharField(max_length=255, primary_key=True)
    value = models.TextField()
    expires = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return self.cache_key
