"""Making the tokens with which people ask the API, and what each of their scopes opens."""

from datetime import timedelta
from typing import cast

from django.conf import settings

from billing import clock
from billing.audit.reads import WITHOUT_EFFECT
from billing.models import AccessToken, User

Scope = AccessToken.Scope
ENDS_ITSELF = "sign-out"
"""The one address that changes something and that every token opens."""


def longest() -> timedelta:
    return cast(timedelta, settings.REST_KNOX["TOKEN_TTL"])


def make(user: User, *, scope: str = Scope.OPERATE, lasts: timedelta | None = None) -> tuple[AccessToken, str]:
    """Return a new token's row, and the token, which cannot be read again. Expired tokens of the person go.

    It holds for the access number of this ``user`` as it was read. So if the person's access ends while they sign in,
    the token is void.
    """
    AccessToken.objects.filter(user=user, expiry__lt=clock.wall()).delete()
    made: tuple[AccessToken, str] = AccessToken.objects.create(
        user, expiry=min(lasts or longest(), longest()), scope=scope, access_number=user.access_number
    )
    return made


def opens(token: AccessToken, address: str, method: str) -> bool:
    """Return whether the token's scope opens this address, by its name without ``api:``.

    What the person may do there is asked besides. A scope gives nothing that the person has not.
    """
    return token.scope == Scope.OPERATE or method in WITHOUT_EFFECT or address == ENDS_ITSELF
