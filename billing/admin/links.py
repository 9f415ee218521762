"""Addresses of lists in the admin."""

from typing import Any

from django.urls import reverse


def list_of(model: str, **filters: Any) -> str:
    """Return the address of this model's list in the admin, with these filters."""
    return reverse(f"admin:billing_{model}_changelist", query=filters or None)
