"""The admin for the vendor's staff. It reads our rows, and changes billing only through operations."""

from django.contrib import admin
from django.contrib.auth.models import Group
from guardian.models import GroupObjectPermission, UserObjectPermission
from knox.models import get_token_model

from billing.models import AuditEntry

for model in list(admin.site._registry):
    foreign = (AuditEntry, Group, get_token_model(), GroupObjectPermission, UserObjectPermission)
    if model._meta.app_label == "djstripe" or model in foreign:
        admin.site.unregister(model)

from billing.admin import (  # noqa: E402  after the pages of other apps are removed
    agreements,
    audit_trail,
    events,
    findings,
    invoices,
    offices,
    operations,
    payments,
    plans,
    subscriptions,
    users,
    workers,
)

__all__ = [
    "agreements",
    "audit_trail",
    "events",
    "findings",
    "invoices",
    "offices",
    "operations",
    "payments",
    "plans",
    "subscriptions",
    "users",
    "workers",
]
