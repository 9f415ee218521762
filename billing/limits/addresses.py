"""Which limit an address has. What is not named has ``reads``, or ``operations`` if it can change something."""

from billing.audit.reads import WITHOUT_EFFECT

EXEMPT = {
    "healthz": "monitors ask it often; short queries that only read bound it",
    "metrics": "Prometheus asks it often, with a token; a few short queries bound it",
    "djstripe:djstripe_webhook_by_uuid": "Stripe's signature and the body's size bound it, and no event may be lost",
}
"""Addresses without a limit, and why."""

SIGN_IN = (
    *("api:sign-in", "account_login", "mfa_authenticate", "mfa_login_webauthn"),
    *("account_reset_password", "invitation", "new-password"),
)
"""Where somebody who is not signed in gives a password, a code or an address of their own."""
READ_AT_STRIPE = (
    *("api:upcoming-invoice", "api:invoice-pdf", "api:invoice-page"),
    *("office_pages:upcoming", "office_pages:invoice-pdf", "office_pages:invoice-page"),
)
PREVIEWS = ("api:preview-", "office_pages:preview-")
TAKE_A_CODE = (
    *("api:subscription", "api:payment-link", "api:discount"),
    *("admin:billing_office_subscribe", "admin:billing_office_payment_link", "admin:billing_office_apply_discount"),
)
"""Where somebody could try one code of a discount after another."""
LISTS = ("office", "subscription", "invoice", "payment", "adjustment", "finding")
EXPORTS = {
    "api:export-audit-trail": WITHOUT_EFFECT,
    "admin:billing_auditentry_export": ("POST",),
    "admin:billing_journal_export": ("POST",),
    **{f"admin:billing_{one}_export": ("POST",) for one in LISTS},
}
"""With which methods an address exports the trail, a list or the journal, which takes long."""


def limit_of(address: str, method: str) -> str | None:
    """Return the name of the limit for whoever is signed in. None: it is exempt. ``address`` has its namespace."""
    if address in EXEMPT:
        return None
    if method in EXPORTS.get(address, ()):
        return "exports"
    if method in WITHOUT_EFFECT:
        if address == "api:entitlement":
            return "entitlement"
        return "at-stripe" if address in READ_AT_STRIPE else "reads"
    if address in SIGN_IN:
        return "sign-in"
    return "at-stripe" if address in TAKE_A_CODE or address.startswith(PREVIEWS) else "operations"
