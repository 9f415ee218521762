"""Inviting people, and links that were sent by e-mail."""

from billing.errors.refusal import BillingError, Category, Refusal


class AddressInvalid(Refusal):
    code = "address_invalid"
    category = Category.INVALID
    message = "This is not a valid e-mail address."
    remedy = "Write it as name@practice.example."


class RoleUnknown(Refusal):
    code = "role_unknown"
    category = Category.INVALID
    message = "There is no such role."
    remedy = "For an Office choose one of the Office's roles, and for the vendor's staff one of theirs."


class RoleGiven(BillingError):
    """The person already has this role."""

    code = "role_given"
    without_quotes = "This person already has this role."
    category = Category.CONFLICT

    def __init__(self, says: str = "") -> None:
        super().__init__(says or f"{self.without_quotes} You can give them another one on their page under Users.")


class InvitationOpen(Refusal):
    code = "invitation_open"
    category = Category.CONFLICT
    message = "This address is already invited."
    remedy = "Send that invitation again, or withdraw it first."


class InvitationOver(Refusal):
    code = "invitation_over"
    category = Category.CONFLICT
    message = "This invitation was accepted or withdrawn."
    remedy = "If the person still needs access, make a new invitation."


class PersonNotActive(Refusal):
    code = "person_not_active"
    category = Category.CONFLICT
    message = "The account with this address was deactivated."
    remedy = "An administrator must make it active again first, under Users."


class SignInToAccept(Refusal):
    code = "sign_in_to_accept"
    category = Category.FORBIDDEN
    message = "There is an account with this address."
    remedy = "Sign in to it. Then open the link again, and accept the invitation."


class LinkNotValid(Refusal):
    code = "link_not_valid"
    category = Category.NOT_FOUND
    message = "This link was used, was withdrawn or has expired."
    remedy = "Ask for a new one."
