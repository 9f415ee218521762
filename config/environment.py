"""The rules for the environment variables. One error names everything that is missing or wrong."""

from urllib.parse import urlsplit

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
    *, secret_key: str, allowed_hosts: list[str], site_url: str, debug: bool, problems: Problems
) -> None:
    """Check what production needs with DEBUG off. SECRET_KEY is needed with DEBUG on too."""
    if not secret_key:
        problems.add(
            "SECRET_KEY",
            'must be a long random text. Make one: python -c "import secrets; print(secrets.token_urlsafe(64))"',
        )
    if debug:
        return
    if secret_key and (len(secret_key) < WEAK_SECRET_KEY_LENGTH or secret_key.startswith("django-insecure")):
        problems.add("SECRET_KEY", f"is too weak. It needs at least {WEAK_SECRET_KEY_LENGTH} random characters")
    if not allowed_hosts or "*" in allowed_hosts:
        problems.add("ALLOWED_HOSTS", "must name the host names of this site, separated by commas")
    if not site_url.startswith("https://"):
        problems.add("SITE_URL", "must be the public address and begin with https://")
