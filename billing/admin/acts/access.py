"""What an administrator sees of where a person is signed in, and the acts that end it all, or a lost second factor."""

from collections.abc import Iterator

from allauth.usersessions.models import UserSession
from django.utils.html import format_html_join

from billing import clock
from billing.access import ending, second_factor
from billing.access.roles import Power
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
    OtherAct(
        does=second_factor.remove_all_for,
        name="remove_second_factor",
        title="Remove all second factors",
        says="For a person who lost them. First make sure that it is this person who asks. All second factors and "
        "recovery codes go, and all sessions and API tokens end. At the next sign-in the password alone is enough, and "
        "a new one is set up. The person is told by e-mail. For 30 days you do not count as a second person beside "
        "this account.",
        button="Remove them",
        form=ReasonForm,
        facts=lambda user: f"They are those of {user.email}.",
        offered=second_factor.has_any,
        needs=Power.PEOPLE,
    ),
)
