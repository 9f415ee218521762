"""Acts about people: inviting them, and a link to set a new password. Nobody types another person's password."""

from typing import Any

from django import forms
from unfold.widgets import UnfoldAdminEmailInputWidget, UnfoldAdminSelectWidget

from billing.access import invitations, passwords, roles
from billing.access.roles import Power
from billing.admin.acts import OtherAct
from billing.audit.actor import Actor
from billing.models import Invitation, Notification, Office, User
from billing.outbox import keeping


class InviteForm(forms.Form):
    """A form for an address and one role. A subclass says which roles there are."""

    email = forms.EmailField(label="E-mail address", widget=UnfoldAdminEmailInputWidget(attrs={"autocomplete": "off"}))
    role = forms.ChoiceField(
        widget=UnfoldAdminSelectWidget, help_text="One role. You can add more later, on the person's own page."
    )
    roles: tuple[str, ...] = ()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        role = self.fields["role"]
        assert isinstance(role, forms.ChoiceField)
        role.choices = [("", "Choose …"), *((name, name) for name in self.roles)]


class InviteStaffForm(InviteForm):
    roles = tuple(roles.VENDOR)


class InviteToOfficeForm(InviteForm):
    roles = tuple(roles.OFFICE)


INVITED = (
    "The person gets an e-mail with a link. There they choose a password, and then they have the role. If the "
    "person has an account, they get the role at once."
)
INVITED_TO_OFFICE = (
    "The person gets an e-mail with a link. There they accept the invitation, and then they have the role. Somebody "
    "who has an account signs in first. Others choose a password."
)


def _invite(office: Office, *, by: Actor, email: str, role: str) -> None:
    invitations.invite(email, role, office=office, by=by)


OFFICE_ACTS = (
    OtherAct(
        does=_invite,
        name="invite",
        title="Invite a person of the Office",
        says=INVITED_TO_OFFICE,
        button="Invite",
        form=InviteToOfficeForm,
        facts=lambda office: f"They become a member of {office}, once they have accepted.",
        offered=lambda office: not office.archived_at,
        group="Customer",
        needs=Power.PEOPLE,
    ),
)


def _is_open(invitation: Invitation) -> bool:
    return invitation.is_open


INVITATION_ACTS = (
    OtherAct(
        does=invitations.send_again,
        name="send_again",
        title="Send the invitation again",
        says="The person gets an e-mail with a new link. Earlier links stop working.",
        button="Send it again",
        form=forms.Form,
        facts=str,
        offered=_is_open,
        needs=Power.PEOPLE,
    ),
    OtherAct(
        does=invitations.withdraw,
        name="withdraw",
        title="Withdraw the invitation",
        says="Its link stops working. You can invite the same address again.",
        button="Withdraw",
        form=forms.Form,
        facts=str,
        offered=_is_open,
        needs=Power.PEOPLE,
    ),
)


def _can_reset(user: User) -> bool:
    return user.is_active and user.has_usable_password()


USER_ACTS = (
    OtherAct(
        does=passwords.send_reset_link,
        name="reset_link",
        title="Send a link for a new password",
        says="The person gets an e-mail with a link that works once, within an hour. Until they set a new password, "
        "their present one works.",
        button="Send the link",
        form=forms.Form,
        facts=lambda user: f"It goes to {user.email}.",
        offered=_can_reset,
        needs=Power.PEOPLE,
    ),
)


def _stopped(row: Notification) -> bool:
    return row.state in (Notification.State.PARKED, Notification.State.UNKNOWN)


MAIL_ACTS = (
    OtherAct(
        does=keeping.send_again,
        name="send_again",
        title="Send the e-mail again",
        says="A worker sends it. A link in it is made anew. If nobody knows whether it was sent, it can arrive twice.",
        button="Send it again",
        form=forms.Form,
        facts=lambda row: f"{row}, to {row.address}.",
        offered=_stopped,
        needs=Power.MANAGE,
    ),
)
