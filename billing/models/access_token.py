"""Tokens with which people ask the API. Knox makes and checks them; we add what a token may do, and until when."""

from django.db import models
from knox.models import AbstractAuthToken


class AccessToken(AbstractAuthToken):
    """A person's token, kept as a digest.

    It holds only while its ``access_number`` is the person's. Whatever ends a person's access gives them another.
    """

    class Scope(models.TextChoices):
        READ = "read", "look only"
        OPERATE = "operate", "whatever the person may do"

    scope = models.CharField(max_length=10, choices=Scope.choices)
    access_number = models.PositiveIntegerField()

    def __str__(self) -> str:
        return f"token of {self.user}, {self.get_scope_display()}"
