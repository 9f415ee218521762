"""What the frame of the admin shows: its name, its menu and its files.

Source: https://unfoldadmin.com/docs/configuration/settings/
"""

from django.templatetags.static import static
from django.urls import reverse_lazy


def _in_sidebar(title: str, icon: str, model: str) -> dict[str, object]:
    return {
        "title": title,
        "icon": icon,
        "link": reverse_lazy(f"admin:billing_{model}_changelist"),
        "permission": lambda request: request.user.has_perm(f"billing.view_{model}"),
    }


JOURNAL = {
    "title": "Journal",
    "icon": "menu_book",
    "link": reverse_lazy("admin:billing_journal_export"),
    "permission": lambda request: request.user.has_perm("billing.export_lists"),
}
UNFOLD = {
    "STYLES": [lambda request: static("billing/admin.css"), lambda request: static("billing/idle.css")],
    "SCRIPTS": [
        lambda request: static("billing/idle.js"),
        lambda request: static("billing/labels.js"),
        lambda request: static("billing/charts.js"),
    ],
    "SITE_TITLE": "Office Billing",
    "SITE_HEADER": "Office Billing",
    "SITE_SYMBOL": "local_hospital",
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
