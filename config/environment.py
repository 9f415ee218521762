"""The rules between environment variables, beside those of each one in config/variables/. One error names all."""

import hashlib
import os
import tempfile
from pathlib import Path
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured
from django.http.request import validate_host

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
        self._refused: set[str] = set()

    def add(self, variable: str, what: str) -> None:
        """Add what is wrong. Nothing more is said of a variable whose value was not taken."""
        if variable not in self._refused:
            self.found.append(f"{variable}: {what}")

    def refuse(self, variable: str, what: str) -> None:
        """Add why the value of the variable was not taken."""
        self.add(variable, what)
        self._refused.add(variable)

    def raise_if_any(self) -> None:
        if self.found:
            lines = "\n".join(f"  - {problem}" for problem in self.found)
            raise ImproperlyConfigured(
                f"Some environment variables are missing or wrong. Set them in .env (see .env.example):\n{lines}"
            )


def metrics_folder(folder: str, *, is_used: bool, problems: Problems) -> str:
    """Return the folder for what each process counts, made if it is not there; "" if it is not used.

    prometheus-client reads the variable by itself, when it is imported first.
    """
    variable = "PROMETHEUS_MULTIPROC_DIR"
    os.environ.pop(variable, None)
    if not is_used:
        return ""
    try:
        Path(folder).mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        problems.add(variable, f"must be a folder into which this process can write ({error.strerror})")
    os.environ[variable] = folder
    return folder


def is_live(key: str) -> bool:
    """Return whether this key of Stripe moves real money."""
    return key.startswith(("sk_live_", "rk_live_"))


WITHOUT_WEBHOOK_SECRETS = ("setup_stripe", "migrate", "collectstatic", "check", "doctor")
"""The commands that run before Stripe's endpoint is there, and with it its secret."""


def command(arguments: list[str]) -> str:
    """Return the command of manage.py that this process runs, or "" if it runs something else."""
    is_manage = bool(arguments) and Path(arguments[0]).name in ("manage.py", "django-admin")
    return arguments[1] if is_manage and len(arguments) > 1 else ""


def check_stripe(
    key: str, api_base: str, secrets: list[Secret], *, debug: bool, needs_secrets: bool = True, problems: Problems
) -> None:
    """Check that the Stripe variables fit together and fit DEBUG."""
    if not key:
        problems.add(
            "STRIPE_SECRET_KEY",
            "must be a secret or restricted key of Stripe. To try the software without a key, run `make demo`",
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
    if needs_secrets and not secrets:
        problems.add(
            "STRIPE_WEBHOOK_SECRETS",
            "must be the signing secret of the webhook endpoint (whsec_…). `manage.py setup_stripe "
            "--register-endpoint` prints it, and is allowed to run now. Stripe's dashboard and `stripe listen` show "
            "it too",
        )


def check_production(
    *,
    secret_key: str,
    fallbacks: list[Secret],
    allowed_hosts: list[str],
    site_url: str,
    debug: bool,
    problems: Problems,
) -> None:
    """Check what the site needs. With DEBUG off it must be safe, too."""
    if not secret_key:
        problems.add(
            "SECRET_KEY",
            'must be a long random text. Make one: python -c "import secrets; print(secrets.token_urlsafe(64))"',
        )
    if site_url and allowed_hosts and not validate_host(_host_of(site_url), allowed_hosts):
        problems.add("SITE_URL", "its host must be one of ALLOWED_HOSTS, or nobody gets an answer at this address")
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


def _host_of(site_url: str) -> str:
    """Return the host of a web address as Django compares it: an IPv6 address in brackets."""
    host = urlsplit(site_url).hostname or ""
    return f"[{host}]" if ":" in host else host


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
    if not sender:
        problems.add("DEFAULT_FROM_EMAIL", "must be the address that e-mails come from, such as billing@vendor.example")
    if use_tls and use_ssl:
        problems.add("EMAIL_USE_SSL", "cannot be true together with EMAIL_USE_TLS. STARTTLS on port 587 is usual")
    if not (use_tls or use_ssl) and host not in LOCAL_HOSTS:
        problems.add(
            "EMAIL_USE_TLS",
            "must be true, or EMAIL_USE_SSL must be, unless the mail server is at an address of this machine",
        )
    if bool(user) != bool(password):
        problems.add("EMAIL_HOST_PASSWORD", "is needed together with EMAIL_HOST_USER, and not without it")


def audit_keys(
    *, seal: Secret, entries: list[Secret], secret_key: str, debug: bool, problems: Problems
) -> tuple[Secret, list[Secret]]:
    """Return the key of the seals and the keys of the entries' MACs. With DEBUG on, they can come from SECRET_KEY."""
    make = 'Make one: python -c "import secrets; print(secrets.token_hex(32))"'
    if debug:
        seal = seal or _derived("seals", secret_key)
        entries = entries or [_derived("entries", secret_key)]
    for name, keys in (("AUDIT_SEAL_KEY", seal), ("AUDIT_ENTRY_KEYS", entries)):
        if not keys:
            problems.add(name, f"must be 64 hexadecimal digits (0 to 9, a to f). {make}")
    return seal, entries


def _derived(purpose: str, secret_key: str) -> Secret:
    return Secret(hashlib.sha256(f"audit {purpose}: {secret_key}".encode()).hexdigest())
