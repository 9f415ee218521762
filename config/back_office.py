"""What the frame of the admin shows: its name, its menu and its files.

Source: https://unfoldadmin.com/docs/configuration/settings/
"""

from typing import Any

from django.templatetags.static import static
from django.urls import reverse_lazy


def _in_sidebar(title: str, icon: str, model: str) -> dict[str, object]:
    return {
        "title": title,
        "icon": icon,
        "model": model,
        "link": reverse_lazy(f"admin:billing_{model}_changelist"),
        "permission": lambda request: request.user.has_perm(f"billing.view_{model}"),
    }


JOURNAL = {
    "title": "Journal",
    "icon": "menu_book",
    "link": reverse_lazy("admin:billing_journal_export"),
    "permission": lambda request: request.user.has_perm("billing.export_lists"),
}

# Every pair of a text and what is behind it has a contrast of 4.5 or more, in light and in dark: primary 600 on white
# and on base 50 to 100, primary 500 on base 800 and 900, base 500 on white and base 100, base 400 on base 800 and 900.
# billing/static/billing/account.css has the same colours for the pages outside the admin.
COLORS = {
    "primary": {
        "50": "#eefbfd",
        "100": "#d8f5f8",
        "200": "#b4e9f1",
        "300": "#82d7e6",
        "400": "#4bc3db",
        "500": "#34b6d2",
        "600": "#006f8a",
        "700": "#005971",
        "800": "#02475c",
        "900": "#083546",
        "950": "#022330",
    },
    "base": {
        "50": "#f8fafc",
        "100": "#f1f4f6",
        "200": "#e1e7eb",
        "300": "#cad4da",
        "400": "#8496a1",
        "500": "#596c78",
        "600": "#415461",
        "700": "#2d404d",
        "800": "#192a36",
        "900": "#0c1a24",
        "950": "#040c14",
    },
}

UNFOLD: dict[str, Any] = {
    "COLORS": COLORS,
    "STYLES": [lambda request: static("billing/admin.css"), lambda request: static("billing/idle.css")],
    "SCRIPTS": [
        lambda request: static("billing/idle.js"),
        lambda request: static("billing/labels.js"),
        lambda request: static("billing/charts.js"),
    ],
    "SITE_TITLE": "Office Billing",
    "SITE_HEADER": "Office Billing",
    "SITE_ICON": lambda request: static("billing/favicon.svg"),
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": lambda request: static("billing/favicon.svg")}],
    "DASHBOARD_CALLBACK": "billing.admin.overview.overview",
    "SHOW_HISTORY": False,
    "SHOW_VIEW_ON_SITE": False,
    "SIDEBAR": {
        "show_search": True,
        "command_search": True,  # its page is billing.admin.palette
        "navigation": [
            {"title": title, "items": [_in_sidebar(*item) for item in items] + more}
            for title, items, more in (
                (
                    "Billing",
                    (
                        ("Offices", "local_hospital", "office"),
                        ("Worklist", "checklist", "followup"),
                        ("Subscriptions", "autorenew", "subscription"),
                        ("Invoices", "receipt_long", "invoice"),
                        ("Payments", "payments", "payment"),
                        ("Refunds and disputes", "currency_exchange", "adjustment"),
                        ("Requests for approval", "approval_delegation", "approvalrequest"),
                        ("Plans", "sell", "plan"),
                        ("Movements of MRR", "trending_up", "movement"),
                    ),
                    [JOURNAL],
                ),
                (
                    "What happened",
                    (
                        ("Findings", "flag", "finding"),
                        ("Comparisons", "balance", "reconciliation"),
                        ("Operations", "pending_actions", "operation"),
                        ("Bulk acts", "playlist_add_check", "bulkact"),
                        ("Events from Stripe", "inbox", "receivedevent"),
                        ("E-mails", "mail", "notification"),
                        ("Jobs", "schedule", "job"),
                        ("Workers", "monitor_heart", "workerheartbeat"),
                        ("Audit trail", "history", "auditentry"),
                        ("Reviews of the trail", "fact_check", "trailreview"),
                    ),
                    [],
                ),
                (
                    "Access",
                    (
                        ("Users", "person", "user"),
                        ("Invitations", "person_add", "invitation"),
                        ("Memberships", "badge", "membership"),
                        ("Emergency roles", "emergency", "emergencyrole"),
                        ("Services", "smart_toy", "serviceidentity"),
                    ),
                    [],
                ),
                ("Compliance", (("Determinations", "gavel", "agreement"), ("Vouchings", "group", "vouching")), []),
            )
        ],
    },
}

NAMES: dict[str, str] = {
    item["model"]: item["title"]
    for group in UNFOLD["SIDEBAR"]["navigation"]
    for item in group["items"]
    if "model" in item
}
"""The name of each list of rows: the menu, the page and the path above it have the same."""
