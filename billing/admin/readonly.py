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
    list_per_page = 50
    show_full_result_count = False


class ReadOnlyInline(ReadOnly, TabularInline):
    extra = 0
    tab = True
    per_page = 10
    show_change_link = False
    hide_title = True  # the row says the same


def masked(stripe_id: str) -> str:
    """Return the prefix and the last four characters of an id, which is enough to find it at Stripe: ``cus_…a1b2``."""
    if not stripe_id:
        return "–"
    return f"{stripe_id.split('_', maxsplit=1)[0]}_…{stripe_id[-4:]}"
