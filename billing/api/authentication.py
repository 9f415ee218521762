"""Authentication with API tokens. A request that only reads writes nothing, even if its token has expired."""

from typing import Any

from drf_spectacular.contrib.knox_auth_token import KnoxTokenScheme
from knox.auth import TokenAuthentication

from billing import clock


class Tokens(TokenAuthentication):
    """Token authentication that refuses an expired token but does not delete it. Signing in deletes it.

    Knox itself deletes the user's expired tokens in every request that shows a token. If the database could not be
    written, the request would then fail instead of being answered.
    """

    def _cleanup_token(self, auth_token: Any) -> bool:
        return auth_token.expiry is not None and auth_token.expiry < clock.wall()


class TokensScheme(KnoxTokenScheme):
    """Makes the OpenAPI document show it as knox's own authentication."""

    target_class = "billing.api.authentication.Tokens"
