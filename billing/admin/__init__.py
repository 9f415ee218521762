"""The admin for the vendor's staff. It reads our rows, and changes billing only through operations."""

import auditlog.admin  # noqa: F401  it registers its page before that is removed here
from django.contrib import admin
from django.contrib.auth.models import Group
from guardian.models import GroupObjectPermission, UserObjectPermission
from knox.models import get_token_model

from billing.models import AuditEntry

admin.site.empty_value_display = "–"
FOREIGN_APPS = {"djstripe", "account", "mfa", "socialaccount", "usersessions"}
for model in list(admin.site._registry):
    foreign = (AuditEntry, Group, get_token_model(), GroupObjectPermission, UserObjectPermission)
    if model._meta.app_label in FOREIGN_APPS or model in foreign:
        admin.site.unregister(model)

from billing.admin import (  # noqa: E402  after the pages of other apps are removed
    agreements,
    approvals,
    audit_trail,
    bulk_acts,
    emergency_roles,
    events,
    findings,
    invitations,
    invoices,
    mail,
    movements,
    offices,
    operations,
    palette,
    payments,
    plans,
    services,
    subscriptions,
    trail_reviews,
    users,
    vouchings,
    workers,
    worklist,
)

admin.site.search = palette.box  # type: ignore[attr-defined]  # Unfold has it

__all__ = [
    "agreements",
    "approvals",
    "audit_trail",
    "bulk_acts",
    "emergency_roles",
    "events",
    "findings",
    "invitations",
    "invoices",
    "mail",
    "movements",
    "offices",
    "operations",
    "palette",
    "payments",
    "plans",
    "services",
    "subscriptions",
    "trail_reviews",
    "users",
    "vouchings",
    "workers",
    "worklist",
]
