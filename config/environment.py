"""The rules for the environment variables. One error names everything that is missing or wrong."""

import hashlib
import re
from urllib.parse import urlsplit
from zoneinfo import available_timezones

from django.core.exceptions import ImproperlyConfigured

WEAK_SECRET_KEY_LENGTH = 50
LOCAL_HOSTS = ("127.0.0.1", "localhost", "::1")


class Secret(str):
    """A text that is not shown where Python shows a value: on a page about an error, or in a list of the settings."""

    def __repr__(self) -> str:
        return "'…'"


class Problems:
    """A list of what is wrong with the environment, so that one start shows all of it."""

    def __init__(self) -> None:
        self.found: list[str] = []

    def add(self, variable: str, what: str) -> None:
        self.found.append(f"{variable}: {what}")

    def raise_if_any(self) -> None:
        if self.found:
            lines = "\n".join(f"  - {problem}" for problem in self.found)
            raise ImproperlyConfigured(
                f"Some environment variables are missing or wrong. Set them in .env (see .env.example):\n{lines}"
            )


def limits(text: str, variable: str, *, problems: Problems) -> dict[str, int]:
    """Return the minor units for each currency of a text such as usd=50000,eur=50000."""
    found: dict[str, int] = {}
    for part in text.split(",") if text.strip() else []:
        currency, _, amount = (one.strip().lower() for one in part.partition("="))
        is_right = re.fullmatch(r"[a-z]{3}", currency) and re.fullmatch(r"[0-9]{1,15}", amount)
        if not is_right or currency in found:
            problems.add(variable, "must be like usd=50000,eur=50000: each currency once, in minor units such as cents")
            break
        found[currency] = int(amount)
    return found


def time_zone(name: str, variable: str, *, problems: Problems) -> str:
    """Return the name of a time zone of the IANA list."""
    if name not in available_timezones():
        problems.add(variable, "must be a name of the IANA list, such as America/New_York or UTC")
    return name


def is_live(key: str) -> bool:
    """Return whether this key of Stripe moves real money."""
    return key.startswith(("sk_live_", "rk_live_"))


def check_stripe(key: str, api_base: str, secrets: list[str], *, debug: bool, problems: Problems) -> None:
    """Check that the Stripe variables fit together and fit DEBUG."""
    if not key.startswith(("sk_test_", "rk_test_", "sk_live_", "rk_live_")):
        problems.add(
            "STRIPE_SECRET_KEY",
            "must be a secret or restricted key of Stripe (sk_test_…, rk_test_…, sk_live_…, rk_live_…). To try the "
            "software without a key, run `make demo`",
        )
    if is_live(key) and debug:
        problems.add(
            "STRIPE_SECRET_KEY",
            "a live key is refused while DEBUG is on. Set DEBUG=false, or use a test key (sk_test_… or rk_test_…)",
        )
    if api_base:
        host = urlsplit(api_base).hostname or ""
        if not debug:
            problems.add("STRIPE_API_BASE", "a local Stripe is for development only. Remove it, or set DEBUG=true")
        elif host not in LOCAL_HOSTS:
            problems.add("STRIPE_API_BASE", "must be an address of this machine, such as http://127.0.0.1:12111")
    for secret in secrets:
        if not secret.startswith("whsec_"):
            problems.add("STRIPE_WEBHOOK_SECRETS", "each secret must begin with whsec_. Put commas between secrets")
            break
    if not secrets:
        problems.add(
            "STRIPE_WEBHOOK_SECRETS",
            "must be the signing secret of the webhook endpoint (whsec_…). Stripe's dashboard or `stripe listen` "
            "shows it",
        )


def check_production(
    *,
    secret_key: str,
    fallbacks: list[str],
    allowed_hosts: list[str],
    site_url: str,
    debug: bool,
    problems: Problems,
) -> None:
    """Check what production needs with DEBUG off. SECRET_KEY is needed with DEBUG on too."""
    if not secret_key:
        problems.add(
            "SECRET_KEY",
            'must be a long random text. Make one: python -c "import secrets; print(secrets.token_urlsafe(64))"',
        )
    if debug:
        return
    if secret_key and _is_weak(secret_key):
        problems.add("SECRET_KEY", f"is too weak. It needs at least {WEAK_SECRET_KEY_LENGTH} random characters")
    for number, key in enumerate(fallbacks, 1):
        if _is_weak(key):
            needs = f"It needs at least {WEAK_SECRET_KEY_LENGTH} random characters, without a comma"
            problems.add("SECRET_KEY_FALLBACKS", f"key {number} is too weak. {needs}")
    if not allowed_hosts or "*" in allowed_hosts:
        problems.add("ALLOWED_HOSTS", "must name the host names of this site, separated by commas")
    if not site_url.startswith("https://"):
        problems.add("SITE_URL", "must be the public address and begin with https://")


def _is_weak(key: str) -> bool:
    return len(key) < WEAK_SECRET_KEY_LENGTH or key.startswith("django-insecure")


def check_mail(
    *, host: str, user: str, password: str, sender: str, use_tls: bool, use_ssl: bool, debug: bool, problems: Problems
) -> None:
    """Check that e-mails can be sent, and that they leave this machine only encrypted."""
    if not host:
        if not debug:
            problems.add("EMAIL_HOST", "must name the mail server that sends invitations and links for a new password")
        return
    if "@" not in sender or any(character in sender for character in "\r\n"):
        problems.add("DEFAULT_FROM_EMAIL", "must be the address that e-mails come from, such as billing@vendor.example")
    if use_tls and use_ssl:
        problems.add("EMAIL_USE_SSL", "cannot be true together with EMAIL_USE_TLS. STARTTLS on port 587 is usual")
    if not (use_tls or use_ssl) and host not in LOCAL_HOSTS:
        problems.add(
            "EMAIL_USE_TLS", "must be true, or EMAIL_USE_SSL, unless the mail server is at an address of this machine"
        )
    if bool(user) != bool(password):
        problems.add("EMAIL_HOST_PASSWORD", "is needed together with EMAIL_HOST_USER, and not without it")


def audit_keys(
    *, seal: Secret, public: list[str], entries: list[Secret], secret_key: str, debug: bool, problems: Problems
) -> tuple[Secret, list[Secret]]:
    """Return the key of the seals and the keys of the entries' MACs. With DEBUG on, they can come from SECRET_KEY."""
    make = 'Make one: python -c "import secrets; print(secrets.token_hex(32))"'
    if debug:
        seal = seal or _derived("seals", secret_key)
        entries = entries or [_derived("entries", secret_key)]
    for name, keys in (("AUDIT_SEAL_KEY", [seal]), ("AUDIT_ENTRY_KEYS", entries or [Secret()])):
        if not all(re.fullmatch("[0-9a-f]{64}", key) for key in keys):
            problems.add(name, f"must be 64 hexadecimal digits (0 to 9, a to f). {make}")
    if not all(re.fullmatch("[0-9a-f]{64}", key) for key in public):
        problems.add("AUDIT_SEAL_PUBLIC_KEYS", "each must be 64 hexadecimal digits, as manage.py audit_keys shows it")
    return seal, entries


def _derived(purpose: str, secret_key: str) -> Secret:
    return Secret(hashlib.sha256(f"audit {purpose}: {secret_key}".encode()).hexdigest())
