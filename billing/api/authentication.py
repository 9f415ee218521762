"""Authentication with API tokens of people and of services.

A request that only reads writes nothing before it is answered, even if its token has expired.
"""

import functools
from typing import Any, cast

from django.urls import get_resolver
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from knox.auth import TokenAuthentication
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from billing import clock, errors
from billing.access import scopes, second_factor, services
from billing.access.network import address_of
from billing.models import ServiceIdentity


class Tokens(TokenAuthentication):
    """Token authentication that refuses an expired token but does not delete it. Signing in deletes it.

    A token from before the person's access ended is refused too, and one of staff without a second factor. Asking
    for the latter takes one more query, for staff only.

    Knox itself deletes the user's expired tokens in every request that shows a token. If the database could not be
    written, the request would then fail instead of being answered.
    """

    def authenticate(self, request: Request) -> Any:
        """Raises: AuthenticationFailed, also where the token is no text."""
        try:
            if _is_of_a_service(request):
                return None
            if b"\0" in get_authorization_header(request):  # PostgreSQL fails where it is asked for one
                raise AuthenticationFailed("Invalid token.")
            return super().authenticate(request)
        except UnicodeError:
            raise AuthenticationFailed("Invalid token.") from None

    def authenticate_header(self, request: Request) -> str:
        """Return the scheme of this request if it is ours, or the one to use. ``Token`` is understood too."""
        return "Token" if _scheme(request) == "token" else "Bearer"

    def _cleanup_token(self, auth_token: Any) -> bool:
        return auth_token.expiry is not None and auth_token.expiry < clock.wall()

    def validate_user(self, auth_token: Any) -> Any:
        user, token = super().validate_user(auth_token)
        if token.access_number != user.access_number:
            raise AuthenticationFailed("Invalid token.")
        if second_factor.is_required_of(user) and not second_factor.is_enrolled(user):
            raise AuthenticationFailed(str(errors.SecondFactorToEnrol(second_factor.page())))
        return user, token


def _is_of_a_service(request: Request) -> bool:
    return _scheme(request) == "bearer" and _token(request).startswith(f"{services.BEGINS}_")


def _scheme(request: Request) -> str:
    return get_authorization_header(request).decode("latin-1").partition(" ")[0].lower()


def _token(request: Request) -> str:
    return get_authorization_header(request).decode("latin-1").partition(" ")[2].strip()


class TokensScheme(OpenApiAuthenticationExtension):
    """Shows it in the OpenAPI document."""

    target_class = "billing.api.authentication.Tokens"
    name = "person"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        says = "The token of a person, from POST /api/v1/auth/token/. The scheme `Token` is understood too."
        return {"type": "http", "scheme": "bearer", "description": says}


class ServiceTokens(BaseAuthentication):
    """Authentication of a service: ``Authorization: Bearer obs_…``. The service becomes ``request.user``."""

    def authenticate(self, request: Request) -> tuple[ServiceIdentity, None] | None:
        if not _is_of_a_service(request):
            return None
        service = services.found_by(_token(request), address_of(request._request))
        if service is None:
            raise AuthenticationFailed(
                "This token is not valid, or not from this network. An administrator finds the reason in the admin, "
                "on the service's page."
            )
        return service, None

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


class ServiceTokensScheme(OpenApiAuthenticationExtension):
    """Shows it in the OpenAPI document, at the addresses that a scope opens."""

    target_class = "billing.api.authentication.ServiceTokens"
    name = "service"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        return {"type": "http", "scheme": "bearer", "description": "The token of a service, made in the admin"}

    def get_security_requirement(self, auto_schema: Any) -> Any:
        return {self.name: []} if scope_of_path(auto_schema.path, auto_schema.method) else []


def scope_of_path(path: str, method: str) -> str | None:
    """Return the scope that opens an address, as the OpenAPI document writes it: /api/v1/offices/{public_id}/."""
    return scopes.needed(_names().get(path, ""), method)


@functools.cache
def _names() -> dict[str, str]:
    """Return the name of each address that a scope opens, by its path in the document."""
    found: dict[str, str] = {}
    prefix, api = cast(Any, get_resolver()).namespace_dict["api"]
    for name in (one for scope in scopes.SCOPES.values() for one in scope.addresses):
        [(path, parameters)], *_ = api.reverse_dict[name]
        found[f"/{prefix}{path % {one: f'{{{one}}}' for one in parameters}}"] = name
    return found
