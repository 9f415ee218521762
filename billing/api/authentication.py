"""API tokens. A request that only reads writes nothing, also where a token has expired."""

from typing import Any

from drf_spectacular.contrib.knox_auth_token import KnoxTokenScheme
from knox.auth import TokenAuthentication

from billing import clock


class Tokens(TokenAuthentication):
    """A token that has expired is refused. Signing in deletes it, and no request that shows one.

    Knox deletes the user's expired tokens, this one or others, wherever a token is shown; a database that cannot be
    written would make that an error in place of an answer.
    """

    def _cleanup_token(self, auth_token: Any) -> bool:
        return auth_token.expiry is not None and auth_token.expiry < clock.wall()


class TokensScheme(KnoxTokenScheme):
    """The document shows it as knox's own."""

    target_class = "billing.api.authentication.Tokens"
