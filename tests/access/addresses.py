"""Who may use which address: the table, written by hand, one letter for what an address needs.

L: look. D: open an invoice at Stripe. W: ask Stripe what it would cost. M: manage. P: Stripe's portal. V: what only the
vendor may do. G: give back. A: the audit trail. E: the members. U: people. S: services. N: plans. R: prepare a
determination. C: approve one. X: export records. J: export lists and the journal. B: approve what another person asked
for. *: whoever is signed in. 0: everybody. -: nobody.
"""

from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver

ROLES = {
    "support": "L*",
    "operator": "LDWMPV*",
    "finance": "LDWMPVGRBJ*",
    "auditor": "LDAXJ*",
    "administrator": "LUSENRC*",
    "owner": "LDWMPAE*",
    "manager": "LDWMP*",
    "viewer": "LDW*",
    "outsider": "*",
    "nobody": "",
}
VENDOR = ("support", "operator", "finance", "auditor", "administrator")
OFFICE = ("owner", "manager", "viewer")

READ = """
    office entitlement subscription payments adjustments payment-methods invoices invoice invoice-lines statement cycles
    standing
"""
PREVIEWED = """
    preview-subscribe preview-cancel-on-date preview-change preview-trial-end preview-restarted-period preview-discount
    preview-without-discount
"""
MANAGED = """
    subscription payment-link withdraw-payment-link end-waiting-subscription cancel cancel-on-date resume-renewal change
    trial-end restart-period discount remove-discount payment-methods card-link default-payment-method
    remove-payment-method contact pay-invoice retry-invoice
"""
OF_VENDOR = """
    pause-collection resume-collection archive unarchive send-invoice void-invoice mark-uncollectible charges
    preview-charge
"""
API: dict[tuple[str, str], str] = {
    ("POST", "sign-in"): "0",
    ("GET", "schema"): "0",
    ("GET", "docs"): "0",
    ("GET", "problems"): "0",
    ("POST", "sign-out"): "*",
    ("POST", "own-password"): "*",
    ("GET", "office-second-factor"): "L",
    ("PUT", "office-second-factor"): "E",
    ("GET", "plans"): "*",
    ("GET", "offices"): "*",
    **{("GET", name): "L" for name in READ.split()},
    **{("GET", name): "D" for name in ("invoice-pdf", "invoice-page")},
    ("GET", "upcoming-invoice"): "W",
    ("GET", "audit-trail"): "A",
    ("GET", "export-audit-trail"): "A",
    **{("GET", name): "E" for name in ("members", "invitations")},
    **{("POST", name): "E" for name in ("members", "change-member", "remove-member", "withdraw-invitation")},
    **{("POST", name): "W" for name in PREVIEWED.split()},
    **{("POST", name): "M" for name in MANAGED.split()},
    ("POST", "portal"): "P",
    **{("POST", name): "V" for name in OF_VENDOR.split()},
    **{("POST", name): "G" for name in ("credit", "refund", "credit-note", "withdraw-request")},
    **{("GET", name): "G" for name in ("approvals", "approval")},
    **{("POST", name): "B" for name in ("preview-approval", "approve", "turn-down")},
    **{("POST", name): "G" for name in ("preview-credit", "preview-refund", "preview-credit-note")},
}

PAGES: dict[tuple[str, str], str] = {
    **{("GET", name): "L" for name in ("office",)},
    ("GET", "upcoming"): "W",
    **{("GET", name): "D" for name in ("invoice-pdf", "invoice-page")},
    **{("GET", name): "M" for name in ("change", "cancel", "keep", "pay")},
    **{("POST", name): "M" for name in ("card", "complete", "change", "preview-change", "cancel", "keep", "pay")},
    **{("GET", name): "E" for name in ("members", "remove-member")},
    **{("POST", name): "E" for name in ("members", "remove-member", "withdraw-invitation")},
}
"""The pages of one Office, at /billing/. Staff have the admin, and no page here."""

RECORDS = """
    office subscription invoice payment adjustment plan finding reconciliation operation receivedevent job
    workerheartbeat user membership agreement approvalrequest vouching emergencyrole invitation notification
    serviceidentity movement bulkact followup
"""
ACTS = {
    "office": {
        "M": """subscribe payment_link withdraw_link complete_payment end_waiting change_plan cancel resume_renewal
            move_trial_end restart_period apply_discount remove_discount link_card default_card remove_card contact
            send_link notices""",
        "V": "pause_collection resume_collection charge compare archive unarchive note assign snooze",
        "G": "credit make_discount",
        "P": "portal",
        "W": "upcoming",
        "L": "account effective_access notes",
        "U": "invite",
        "A": "timeline",
    },
    "invoice": {
        "M": "pay retry card_link",
        "V": "send void mark_uncollectible",
        "G": "credit_note",
        "D": "open_pdf open_page",
    },
    "payment": {"G": "refund"},
    "plan": {"N": "add_price publish rename retire_price retire", "V": "move price_move"},
    "finding": {"V": "compare link adopt close"},
    "reconciliation": {"V": "end compare_all"},
    "receivedevent": {"V": "replay_all"},
    "approvalrequest": {"B": "approve turn_down", "G": "withdraw"},
    "vouching": {"U": "vouch"},
    "emergencyrole": {"U": "give end"},
    "user": {"U": "invite reset_link end_access remove_second_factor"},
    "invitation": {"U": "invite send_again withdraw"},
    "notification": {"M": "send_again", "L": "examples"},
    "serviceidentity": {"S": "rotate end_old_secret end"},
    "bulkact": {"V": "stop", "L": "begin"},
    "auditentry": {"X": "export"},
    "trailreview": {"A": "review"},
    "agreement": {"R": "prepare_executed prepare_not_required withdraw", "C": "approve"},
}
ADDED = {"office": "V", "plan": "N", "membership": "E", "serviceidentity": "S"}
OF_EACH = "changelist saved_views change history"
LISTS = "office subscription invoice payment adjustment finding"
ADMIN: dict[str, str] = {
    "billing_journal_export": "J",
    **{f"billing_{model}_export": "J" for model in LISTS.split()},
    **{f"billing_{model}_{page}": "L" for model in RECORDS.split() for page in OF_EACH.split()},
    **{f"billing_{model}_{page}": "A" for model in ("auditentry", "trailreview") for page in OF_EACH.split()},
    **{f"billing_{model}_add": ADDED.get(model, "-") for model in (*RECORDS.split(), "auditentry", "trailreview")},
    **{f"billing_{model}_delete": "-" for model in (*RECORDS.split(), "auditentry", "trailreview")},
    **{
        f"billing_{model}_{act}": letter
        for model, letters in ACTS.items()
        for letter, acts in letters.items()
        for act in acts.split()
    },
}
OF_STAFF = "index password_change password_change_done jsi18n app_list search logout"
"""Pages of the admin that are about the person who is signed in. What is on them is asked for by their role."""
NO_PAGES = "login autocomplete view_on_site"
"""The way in; and two addresses that ask the pages above whether the person may see their rows."""
OPEN = """
    no-address unknown-address home returned payment-done payment-not-done healthz metrics invitation new-password
    stop-mail
    kept-mail account account_change_password account_inactive account_login account_logout account_reauthenticate
    account_reset_password account_reset_password_done mfa_activate_totp mfa_add_webauthn mfa_authenticate
    mfa_deactivate_totp mfa_edit_webauthn mfa_generate_recovery_codes mfa_index mfa_list_webauthn mfa_login_webauthn
    mfa_reauthenticate mfa_reauthenticate_webauthn mfa_remove_webauthn mfa_view_recovery_codes openid_connect_callback
    office_pages:offices openid_connect_login socialaccount_login_cancelled socialaccount_login_error usersessions_list
"""
"""Pages about nobody, or about the person who is signed in alone: tests/sign_in."""


def named(entries: Any = None, at: str = "", inside: str = "") -> dict[str, tuple[str, URLPattern]]:
    """Return each address of the product by its name, with its path. One without a name is known by its path."""
    found: dict[str, tuple[str, URLPattern]] = {}
    for entry in entries if entries is not None else get_resolver().url_patterns:
        path = at + str(entry.pattern)
        if isinstance(entry, URLResolver):
            space = f"{entry.namespace}:" if entry.namespace else ""
            found |= named(entry.url_patterns, path, inside + space)
        else:
            found[f"{inside}{entry.name}" if entry.name else path] = (path, entry)
    return found
