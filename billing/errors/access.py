"""Missing permissions: who may not do it, and what their sign-in or their token lacks."""

from billing.errors.refusal import BillingError, Category, Refusal


class NotPermitted(BillingError):
    """You are not allowed to do this. An administrator can give you a role that allows it."""

    code = "not_permitted"
    category = Category.FORBIDDEN

    def __init__(self, what: str) -> None:
        super().__init__(f"You are not allowed to {what}. Ask an administrator for a role that allows it.")


class StaffOnly(NotPermitted):
    """Only the vendor's staff may do this. Ask them to do it."""

    code = "staff_only"

    def __init__(self, what: str) -> None:
        BillingError.__init__(self, f"Only the vendor's staff may {what}. Ask them to do it.")


class NotOfTheStaff(Refusal):
    code = "not_of_the_staff"
    category = Category.INVALID
    message = "Choose one of the vendor's roles, and a person who is active and of the vendor's staff."


class EmergencyRoleOver(Refusal):
    code = "emergency_role_over"
    category = Category.CONFLICT
    message = "This emergency role has ended already."


class OwnSecondFactor(Refusal):
    code = "own_second_factor"
    category = Category.FORBIDDEN
    message = "You cannot remove all of your own second factors here."
    remedy = "Ask another administrator to remove them, or replace one of them on the page of your account."


class NoSecondFactor(Refusal):
    code = "no_second_factor"
    category = Category.CONFLICT
    message = "This person has no second factor."


class NobodyToAdd(Refusal):
    code = "nobody_to_add"
    category = Category.INVALID
    message = "This address belongs to one of the vendor's staff, or to somebody who was deactivated."
    remedy = "They cannot become members of an Office. Use another address of this person."


class AlreadyMember(BillingError):
    """The person is a member of this Office already. Change the membership instead."""

    code = "already_member"
    category = Category.CONFLICT

    def __init__(self, role: str) -> None:
        super().__init__(f"This person is already a member, with the role {role}. Change the membership instead.")


class NotAMember(Refusal):
    code = "not_a_member"
    category = Category.NOT_FOUND
    message = "This person is not a member of this Office now."
    remedy = "Add the person again, if they should be one."


class LastOwner(Refusal):
    code = "last_owner"
    category = Category.CONFLICT
    message = "An Office needs an owner, and this member is the only one without an end date who can sign in."
    remedy = "First make another member an owner, without an end date."


class WrongPassword(Refusal):
    code = "wrong_password"
    category = Category.FORBIDDEN
    message = "This is not your present password."


class PasswordTooWeak(BillingError):
    """The new password is too short, too common or too easy to guess."""

    code = "password_too_weak"
    category = Category.INVALID


class SecondFactorToEnrol(BillingError):
    """A person who must have a second factor has none yet."""

    code = "second_factor_to_enrol"
    category = Category.FORBIDDEN

    def __init__(self, page: str) -> None:
        super().__init__(f"You need a second factor first. Sign in at {page} and set one up there.")


class SecondFactorMissing(Refusal):
    code = "second_factor_missing"
    category = Category.FORBIDDEN
    message = "Send `code` too: the code that your authenticator app shows now, or one of your recovery codes."


class SecondFactorWrong(Refusal):
    code = "second_factor_wrong"
    category = Category.FORBIDDEN
    message = "This code does not work. It is wrong, it was used before, or there were too many tries."
    remedy = "Wait for the next code, then try again."


class SecretUnreadable(Refusal):
    code = "secret_unreadable"
    category = Category.CONFLICT
    message = "A secret in the database was encrypted with a key that SECRETS_KEYS does not have."
    remedy = "Put that key back, after the newer ones."


class ScopeMissing(NotPermitted):
    """A service asked for what its scopes do not name. ``scope`` is empty if no scope opens the address."""

    code = "scope_missing"

    def __init__(self, scope: str) -> None:
        what = f"This service needs the scope {scope}. An administrator can give it." if scope else NOT_FOR_SERVICES
        BillingError.__init__(self, what)


class TokenOnlyReads(NotPermitted):
    """A person's token that can only read was sent to change something."""

    code = "token_only_reads"

    def __init__(self) -> None:
        BillingError.__init__(self, "This token can only read. Sign in again with the scope `operate`.")


NOT_FOR_SERVICES = "Services cannot use this address. A person must ask, with a token of their own."


class ServiceEnded(Refusal):
    code = "service_ended"
    category = Category.CONFLICT
    message = "This service has ended or expired."
    remedy = "Add a new service, or give this one a later end if it has only expired."


class SecretsOverlap(Refusal):
    code = "secrets_overlap"
    category = Category.CONFLICT
    message = "This service has two valid secrets already."
    remedy = "End the old secret first, as soon as the program uses the new one."
