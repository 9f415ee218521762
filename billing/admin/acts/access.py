"""What an administrator sees of where a person is signed in, and the act that ends it all."""

from collections.abc import Iterator

from allauth.usersessions.models import UserSession
from django.utils.html import format_html_join

from billing import clock
from billing.access import ending
from billing.admin.acts import OtherAct
from billing.admin.forms import ReasonForm
from billing.models import AccessToken, User


def signed_in_now(user: User) -> str:
    """Return the person's sessions and API tokens as lines. Neither shows what would let somebody in."""
    return format_html_join("", "<div>{}</div>", ((line,) for line in _lines(user))) or "Nowhere"


def _lines(user: User) -> Iterator[str]:
    for session in UserSession.objects.filter(user=user).order_by("-last_seen_at"):
        yield (
            f"In a browser from {session.ip}, since {session.created_at:%d %B %Y, %H:%M} (UTC), "
            f"last used {session.last_seen_at:%d %B, %H:%M}: {session.user_agent or 'an unknown browser'}"
        )
    for token in AccessToken.objects.filter(user=user, expiry__gt=clock.wall()).order_by("-created"):
        yield (
            f"With an API token for {token.get_scope_display()}, since {token.created:%d %B %Y, %H:%M} (UTC), "
            f"until {token.expiry:%d %B, %H:%M}"
        )


ACCESS_ACTS = (
    OtherAct(
        does=ending.end_for,
        name="end_access",
        title="End sessions and tokens",
        says="The person is signed out everywhere, and their API tokens stop working. They can sign in again: to "
        "prevent that, make the account inactive, which ends all of this too.",
        button="End them",
        form=ReasonForm,
        facts=signed_in_now,
        needs=ending.MAY,
    ),
)
