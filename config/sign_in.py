"""The rules for the environment variables about signing in."""

import base64
import hashlib
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from config.environment import LOCAL_HOSTS, Problems, Secret
from config.variables.kinds import Kind, Wrong

MAKE_ONE = 'python -c "from cryptography.fernet import Fernet; print(Fernet.generate_key().decode())"'


def check_second_factor(required: bool, *, debug: bool, problems: Problems) -> None:
    if not required and not debug:
        problems.add(
            "REQUIRE_SECOND_FACTOR",
            "can be off only while DEBUG is on. Staff must use a second factor. Remove it, or set it to true",
        )


def secrets_keys(given: list[Secret], *, secret_key: str, debug: bool, problems: Problems) -> list[Secret]:
    """Return the keys that encrypt secrets in the database, the newest first.

    With DEBUG on and no key given, one is made from SECRET_KEY.
    """
    if given:
        return given
    if not debug:
        problems.add("SECRETS_KEYS", f"must be a key that encrypts the secrets of second factors. Make one: {MAKE_ONE}")
    made = hashlib.sha256(b"secrets of second factors" + secret_key.encode()).digest()
    return [Secret(base64.urlsafe_b64encode(made).decode())]


def _roles(text: str) -> dict[str, frozenset[str]]:
    """Return the provider's groups for each role. Each part is ``role=group``; a role can be there several times."""
    found: dict[str, frozenset[str]] = {}
    for one in filter(None, text.split(",")):
        role, equals, group = (part.strip() for part in one.partition("="))
        if not (role and equals and group):
            raise Wrong(f"write {ROLES.says}")
        found[role] = found.get(role, frozenset()) | {group}
    return found


ROLES = Kind("role=group, with commas between: operator=billing-operators", _roles)


@dataclass(frozen=True)
class Provider:
    """The OpenID Connect provider through which staff sign in. Without an issuer there is none.

    ``roles`` has the provider's groups for each of our roles. ``second_factor`` has the values of ``amr`` or ``acr``
    with which the provider says that a second factor was used. An address in one of ``email_domains`` counts as
    verified, also if the provider does not say so.
    """

    issuer: str
    client_id: str
    client_secret: Secret
    name: str
    groups_claim: str
    roles: dict[str, frozenset[str]]
    second_factor: frozenset[str]
    email_domains: tuple[str, ...]

    ID = "staff"
    """Its name in our addresses: /account/oidc/staff/login/callback/."""

    def check(self, *, debug: bool, problems: Problems) -> None:
        needed = {
            "OIDC_ISSUER": self.issuer,
            "OIDC_CLIENT_ID": self.client_id,
            "OIDC_CLIENT_SECRET": self.client_secret,
            "OIDC_ROLES": self.roles,
        }
        if not any(needed.values()):
            return
        for variable, value in needed.items():
            if not value:
                others = ", ".join(name for name in needed if name != variable)
                problems.add(variable, f"is needed to sign in through a provider, with {others}. Or set none of them")
        address = urlsplit(self.issuer)
        local = debug and address.scheme == "http" and address.hostname in LOCAL_HOSTS
        if self.issuer and address.scheme != "https" and not local:
            problems.add("OIDC_ISSUER", "must be the provider's address and begin with https://")

    def for_allauth(self) -> dict[str, Any]:
        """Return allauth's setting for it."""
        if not self.issuer:
            return {}
        app = {
            "provider_id": self.ID,
            "name": self.name,
            "client_id": self.client_id,
            "secret": self.client_secret,
            "settings": {
                "server_url": self.issuer,
                "fetch_userinfo": False,  # what counts is in the signed-in person's ID token
                **({"verified_email": list(self.email_domains)} if self.email_domains else {}),
            },
        }
        return {"openid_connect": {"APPS": [app], "OAUTH_PKCE_ENABLED": True}}
