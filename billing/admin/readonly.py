"""Base classes for pages whose rows cannot be edited."""

from typing import Any

from django.http import HttpRequest
from unfold.admin import TabularInline

from billing.admin.zoned import Zoned


class ReadOnly:
    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class ReadOnlyAdmin(ReadOnly, Zoned):
    actions: Any = None


class ReadOnlyInline(ReadOnly, TabularInline):
    extra = 0
    tab = True
    per_page = 10
    show_change_link = False
    hide_title = True  # the row says the same


def masked(stripe_id: str) -> str:
    """Return the prefix and the last four characters of an id, which is enough to find it at Stripe: ``cus_…a1b2``.

    An id that the vendor chose may have no prefix.
    """
    if not stripe_id:
        return "–"
    prefix, found, _ = stripe_id.partition("_")
    return f"{prefix}_…{stripe_id[-4:]}" if found else f"…{stripe_id[-4:]}"
