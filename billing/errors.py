"""One class for each refusal: what is wrong, what would make it possible, and its category. No class knows HTTP."""

import re
from datetime import datetime
from enum import Enum
from typing import Any, ClassVar

from billing import declines, zones

STRIPE_ID = re.compile(
    r"\b(sub_sched|[a-z]{2,8}(?:_(?:test|live))?)_(?=[A-Za-z]*[A-Z0-9])([A-Za-z0-9]{8,})(?:_secret_[A-Za-z0-9]+)?"
)
"""Fits an id with any prefix, because Stripe adds new ones. An id has a digit or a capital letter; our words do not."""


def without_stripe_ids(text: str) -> str:
    """Return ``text`` with each of Stripe's ids cut to its prefix and last four characters, without client secrets."""
    return STRIPE_ID.sub(lambda found: f"{found[1]}_…{found[2][-4:]}", text)


def without_addresses(text: str) -> str:
    """Return ``text`` without e-mail addresses, also misspelt ones. For texts of others that we keep."""
    return re.sub(r"\S*@\S*", "…", text)


def in_words(seconds: int) -> str:
    """Return how long to wait, in words: seconds, or minutes if it is long."""
    return f"{seconds} seconds" if seconds < 90 else f"{-(-seconds // 60)} minutes"


class Category(Enum):
    """The kind of a refusal. The API has one answer for each kind."""

    MALFORMED = "the request cannot be read"
    INVALID = "a given value is not valid"
    FORBIDDEN = "this person is not allowed to do it"
    NOT_FOUND = "it does not exist"
    CONFLICT = "it cannot be done in the present state"
    PAYMENT = "the payment was declined, or there is nothing to charge"
    STRIPE_REFUSED = "Stripe said no"
    UNKNOWN = "nobody knows yet"
    HELD = "nothing is done until a person has released the restored database"
    WAITS = "it waits for a second person"
    TOO_MANY = "it was asked too often"
    TOO_LARGE = "the request is too large"


class BillingError(Exception):
    """A request that was refused or is not settled. ``str(error)`` may be shown to a person.

    A subclass has a ``code`` and a ``category``. If its text is always the same, it also has a ``message`` and a
    ``remedy``, which says what would make the request possible.
    """

    code: ClassVar[str] = "billing_error"
    category: ClassVar[Category]
    message: ClassVar[str] = ""
    remedy: ClassVar[str] = ""
    without_quotes: ClassVar[str] = ""
    """The refusal in our own words only. For a message that may quote what a person typed."""

    def __init__(self, says: str = "", *, about: Any = None) -> None:
        super().__init__(says or f"{self.message} {self.remedy}".strip())
        self.about = about

    @property
    def on_record(self) -> str:
        """Return the refusal as the audit trail keeps it, without words that a person typed."""
        return self.without_quotes or str(self)


class Defect(BillingError):
    """A mistake in the program: it tried to do something that is never allowed."""

    code = "billing_error"
    category = Category.CONFLICT


class Refusal(BillingError):
    """A refusal that always has the same text, whatever it is about."""

    def __init__(self, about: Any = None) -> None:
        super().__init__(about=about)


# --- Missing permissions and missing determinations.

RECORD_DETERMINATION = (
    "Record counsel's determination in the admin under Compliance, Determinations. Then another person, an "
    "administrator, must approve it."
)

FIND_A_SECOND = (
    "An administrator can give someone that role. For 30 days, whoever made or changed an account does not count as a "
    "second person beside it, until an independent administrator vouches for the two (Compliance, Vouchings)."
)


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


class TooManyRequests(BillingError):
    """The limit of how often somebody may ask is used up. ``retry_after_seconds`` is 1 or more."""

    code = "too_many_requests"
    category = Category.TOO_MANY

    def __init__(self, retry_after_seconds: int) -> None:
        super().__init__(f"There were too many requests. Nothing was done. Try again in {retry_after_seconds} seconds.")
        self.retry_after_seconds = retry_after_seconds


class TooManyInvitations(TooManyRequests):
    """So many invitations were sent for this Office, or to this address, that the next one must wait."""

    code = "too_many_invitations"

    def __init__(self, retry_after_seconds: int) -> None:
        BillingError.__init__(
            self,
            "Too many invitations were sent in the last hour. This one was not sent. Try again in "
            f"{in_words(retry_after_seconds)}.",
        )
        self.retry_after_seconds = retry_after_seconds


class BodyTooLarge(Refusal):
    code = "body_too_large"
    category = Category.TOO_LARGE
    message = "The body of the request is larger than 64 KiB. It was not read."


class LengthMissing(Refusal):
    code = "length_missing"
    category = Category.MALFORMED
    message = "The body of the request has no length. It was not read."
    remedy = "Send it with a Content-Length, and not in chunks."


class TooManyTries(TooManyRequests):
    """There were too many wrong passwords. Until the seconds are over, none is looked at."""

    code = "too_many_tries"

    def __init__(self, retry_after_seconds: int) -> None:
        BillingError.__init__(
            self,
            f"There were too many wrong tries. Try again in {in_words(retry_after_seconds)}. Until then no password is "
            "looked at. A passkey, or a sign-in through your organization, works at once.",
        )
        self.retry_after_seconds = retry_after_seconds


class DeterminationInvalid(BillingError):
    """Something in the form of the determination is missing or not valid."""

    code = "determination_invalid"
    without_quotes = "Something in the form is missing or not valid."
    category = Category.CONFLICT


class SecondPersonRequired(Refusal):
    code = "second_person_required"
    category = Category.CONFLICT
    message = "You prepared this determination, so another person with the role administrator must approve it."


class OnePersonBehindBoth(BillingError):
    """One person could act with both accounts, so they do not count as two people."""

    code = "one_person_behind_both"
    category = Category.CONFLICT

    def __init__(self, first: Any, second: Any, why: list[str]) -> None:
        super().__init__(
            f"This needs two people, and one person could act as {first} and as {second}: {'; '.join(why)}. There are "
            "three ways out. Another person does it. Or an administrator who is independent of both vouches for "
            "them: in the admin under Compliance, Vouchings. Or the account is made on the server: "
            "python manage.py create_administrator EMAIL.",
            about=second,
        )


class VouchedByOneOfThem(Refusal):
    code = "vouched_by_one_of_them"
    category = Category.CONFLICT
    message = "Choose two people, and neither of them may be you. A third person vouches for two others."


class SentForApproval(BillingError):
    """It was not refused, and it did not begin: another person must approve it. ``about`` is the request."""

    code = "sent_for_approval"
    category = Category.WAITS

    def __init__(self, request: Any, to: list[str]) -> None:
        who = f"{', '.join(to)}." if to else f"nobody yet. {FIND_A_SECOND}"
        super().__init__(
            f"With {request.money} the Office would get back more than one person may give in 24 hours. Nothing was "
            f"given back yet. Sent for approval to: {who}",
            about=request,
        )


class OwnRequest(Refusal):
    code = "own_request"
    category = Category.CONFLICT
    message = "You asked for this yourself, so another person with the role finance must decide."
    remedy = "If you do not want it any more, withdraw it."


class NotYourRequest(Refusal):
    code = "not_your_request"
    category = Category.FORBIDDEN
    message = "Another person asked for this, so only that person can withdraw it."
    remedy = "To say no to it, turn it down."


class PersonMustAsk(Refusal):
    code = "person_must_ask"
    category = Category.FORBIDDEN
    message = "This is above the limit, so two people must stand behind it. A service or a job cannot ask for it."


class RequesterMayNoLonger(BillingError):
    """The person who asked for this is not allowed to any more."""

    code = "requester_may_no_longer"
    category = Category.CONFLICT

    def __init__(self, request: Any) -> None:
        super().__init__(
            f"{request.requested_by} asked for this and is not allowed to any more. Turn it down. A person who is "
            "allowed can ask for it again.",
            about=request,
        )


class RequestDecided(BillingError):
    """Somebody has already decided about the request, or it has expired."""

    code = "request_decided"
    category = Category.CONFLICT

    def __init__(self, request: Any) -> None:
        was = "has expired" if request.has_expired else f"was already {request.status}"
        super().__init__(f"This request {was}. If it is still needed, ask for it again.", about=request)


class AmountChanged(BillingError):
    """What would be given back or credited is another amount now than the one that was asked for."""

    code = "amount_changed"
    category = Category.CONFLICT

    def __init__(self, asked: Any, now: Any) -> None:
        super().__init__(
            f"{asked} was asked for. Now it would be {now}. Turn this request down, and ask for the new amount."
        )


class DeterminationDecided(BillingError):
    """The determination was already approved, withdrawn or replaced, and that cannot change."""

    code = "determination_decided"
    category = Category.CONFLICT

    def __init__(self, determination: Any, what: str) -> None:
        super().__init__(
            f"This determination was already {what}, and that cannot change. If it is wrong now, prepare a new one.",
            about=determination,
        )


class NotSent(BillingError):
    """A request to Stripe that a rule of ours holds back. What an operation asked before it may have been done."""


class DeterminationMissing(NotSent):
    """In live mode, a request that can charge needs counsel's determination."""

    code = "determination_missing"
    category = Category.CONFLICT

    def __init__(self, why: str) -> None:
        super().__init__(f"Live charging is refused, and nothing was sent to Stripe: {why} {RECORD_DETERMINATION}")


# --- What can be wrong with any request: its reason, its key, its preview, its moment.


class ReasonRequired(Refusal):
    code = "reason_required"
    category = Category.INVALID
    message = "Give a reason of 3 to 200 characters. It is kept in the audit trail."


class TooManyRows(BillingError):
    """The list has more rows than an XLSX file can have. Choose CSV, or filter the list."""

    code = "too_many_rows"
    category = Category.INVALID

    def __init__(self, rows: int, most: int) -> None:
        super().__init__(
            f"The list has {rows:,} rows, and an XLSX file takes at most {most:,}. Choose CSV, or filter the list."
        )


class OneCurrencyAtATime(BillingError):
    """The file has one currency only, and the month has several. Choose one."""

    code = "one_currency_at_a_time"
    category = Category.INVALID

    def __init__(self, currencies: list[str]) -> None:
        super().__init__(
            f"This file has one currency only, and the month has several. Choose {' or '.join(currencies)}."
        )


OF_FORM = {"more": "Write a shorter one.", "control": "Type it again."}
"""What to do about a text that is too long or cannot be shown, by the first word of what it has."""


class TextNotNeutral(BillingError):
    """The text seems to contain something about a person or a secret. Leave that out."""

    code = "text_not_neutral"
    category = Category.INVALID

    def __init__(self, what: str, *, called: str = "text") -> None:
        if advice := OF_FORM.get(what.split(maxsplit=1)[0]):
            super().__init__(f"The {called} has {what}. {advice}")
            return
        super().__init__(
            f"The {called} seems to contain {what}. Leave that out, because the text is kept for years and many people "
            "see it. Never write anything about a patient."
        )


class NothingToChange(BillingError):
    """Everything is already as it was asked for."""

    code = "nothing_to_change"
    category = Category.CONFLICT

    def __init__(self, what: str) -> None:
        super().__init__(f"Nothing would change: {what}")


class DateInvalid(BillingError):
    """The date cannot be used, for example because it is in the past."""

    code = "date_invalid"
    category = Category.INVALID


class PreviewStale(Refusal):
    code = "preview_stale"
    category = Category.CONFLICT
    message = "The preview is older than one hour, or something has changed since then."
    remedy = "Make a new preview and confirm that one."


class OperationLost(Refusal):
    code = "operation_lost"
    category = Category.CONFLICT
    message = "Stripe did something for this Office that is not on record here, because the database lost it."
    remedy = "Look at the Office's page and at its open finding. Close the finding before you ask for anything more."


class DatabaseHeld(Refusal):
    code = "database_held"
    category = Category.HELD
    message = "The database was restored from a backup. Nothing can be changed until a person has released it."
    remedy = "Nothing was done. Try again after the people who run this software have released it."


class OperationInProgress(BillingError):
    """Another operation on this Office is not settled yet. Wait for its outcome, then try again."""

    code = "operation_in_progress"
    category = Category.CONFLICT

    def __init__(self, other: Any, asked_by: str) -> None:
        super().__init__(
            f"Another operation on this Office is not settled yet: “{other.in_words}”, asked for by {asked_by}. "
            "Wait for its outcome, then try again.",
            about=other,
        )


class PlanOperationInProgress(BillingError):
    """Another operation on this plan is not settled yet. Wait for its outcome, then try again."""

    code = "plan_operation_in_progress"
    category = Category.CONFLICT

    def __init__(self, other: Any) -> None:
        super().__init__(
            f"Another operation on this plan is not settled yet: “{other.in_words}”, asked for by {other.actor_label}. "
            "Wait for its outcome, then try again.",
            about=other,
        )


class ReconciliationUnderWay(Refusal):
    code = "reconciliation_under_way"
    category = Category.CONFLICT
    message = "A comparison with Stripe is already running."
    remedy = "You can see it under Comparisons. If its process was stopped, it can continue after 90 seconds."


class BackfillUnfinished(BillingError):
    """An earlier adoption of what is at Stripe has not finished. Continue or end it first."""

    code = "backfill_unfinished"
    category = Category.CONFLICT

    def __init__(self, began_at: datetime) -> None:
        super().__init__(
            f"The adoption that began on {began_at:%d %B %Y %H:%M} UTC is not finished. Give the same products to "
            "continue it, or end it first: manage.py reconcile --abandon"
        )


class ProductUnknown(Refusal):
    code = "product_unknown"
    category = Category.CONFLICT
    message = "Stripe has no product with this id."
    remedy = "A product's id begins with prod_. You find it in Stripe's dashboard."


class FindingOver(Refusal):
    code = "finding_over"
    category = Category.CONFLICT
    message = "This finding no longer applies. Somebody has dealt with it, or it is different at Stripe now."


class FindingClosesItself(Refusal):
    code = "finding_closes_itself"
    category = Category.CONFLICT
    message = "This finding closes by itself when its cause is over. A person cannot close it."


class IdempotencyKeyInvalid(Refusal):
    code = "idempotency_key_invalid"
    category = Category.MALFORMED
    message = "An Idempotency-Key must be 1 to 255 visible ASCII characters without spaces, such as a UUID."


class IdempotencyKeyReused(Refusal):
    code = "idempotency_key_reused"
    category = Category.CONFLICT
    message = "This Idempotency-Key was already used for a different request."
    remedy = "Repeat that request unchanged, or send this request with a new key."


class RequestInProgress(Refusal):
    """The same request with the same Idempotency-Key is being carried out, so there is no answer yet."""

    code = "request_in_progress"
    retry_after_seconds = 5
    category = Category.CONFLICT
    message = "The same request, with the same Idempotency-Key, is still being carried out."
    remedy = "Wait a few seconds and send it again with the same key. You will get the answer to the first one."


# --- Inviting people, and links that were sent by e-mail.


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


# --- What the state of an Office does not allow.


class OfficeArchived(Refusal):
    code = "office_archived"
    category = Category.CONFLICT
    message = "This Office is archived."
    remedy = "Bring it back before you change its billing."


class NotArchived(Refusal):
    code = "not_archived"
    category = Category.CONFLICT
    message = "This Office is not archived, so there is nothing to bring back."


class StillBilled(BillingError):
    """The Office still has a live subscription, or something else that must end before it is archived."""

    code = "still_billed"
    category = Category.CONFLICT

    def __init__(self, office: Any, what: str) -> None:
        super().__init__(f"This Office cannot be archived yet: {what}", about=office)


class ContactInvalid(BillingError):
    """A contact value is not valid. The text names the field and never repeats the value."""

    code = "contact_invalid"
    without_quotes = "A value for the contact is not valid."
    category = Category.INVALID


class CustomerWithoutOffice(Refusal):
    """An event of this customer came before the operation that makes it was committed, or the customer is not ours."""

    code = "customer_without_office"
    category = Category.CONFLICT
    message = "No Office has this customer yet."


class NoCustomer(Refusal):
    code = "no_customer"
    category = Category.CONFLICT
    message = "This Office has no customer at Stripe yet, or it was deleted there."
    remedy = "Add a payment method or start a subscription first."


class CurrencyUnknown(Refusal):
    code = "currency_unknown"
    category = Category.CONFLICT
    message = "This Office has no currency yet. Its first subscription sets the currency."
    remedy = "Start a subscription first."


class CurrencyMismatch(BillingError):
    """The price is not in the currency of the Office's subscription."""

    code = "currency_mismatch"
    category = Category.INVALID

    def __init__(self, office: Any, currency: str) -> None:
        super().__init__(
            f"This Office's subscription is in {office.currency.upper()}. Choose a price in "
            f"{office.currency.upper()}, not in {currency.upper()}. Another currency is possible after it has ended.",
            about=office,
        )


class PaymentMethodRequired(BillingError):
    """The Office has no payment method. Add one first."""

    code = "payment_method_required"
    category = Category.PAYMENT

    def __init__(self, office: Any, instead: str = "start with a trial") -> None:
        super().__init__(f"This Office has no payment method. Add one, or {instead}.", about=office)


class PaymentMethodUnknown(Refusal):
    code = "payment_method_unknown"
    category = Category.NOT_FOUND
    message = "This Office does not have this payment method on file."
    remedy = "Choose one of those that are listed."


class PaymentMethodNeeded(BillingError):
    """The live subscription is charged to this payment method. Make another one the default first."""

    code = "payment_method_needed"
    category = Category.CONFLICT

    def __init__(self, method: Any, *, others: bool) -> None:
        first = "Make another one the default" if others else "Add another payment method and make it the default"
        super().__init__(
            f"The live subscription is charged to {method}. {first}, then remove this one. You can also remove it if "
            "the subscription is set to end with its period and nothing is due.",
            about=method,
        )


# --- What the state of a subscription does not allow: starting, changing, pausing, ending.


class NoLiveSubscription(Refusal):
    code = "no_live_subscription"
    category = Category.CONFLICT
    message = "This Office has no live subscription, so there is nothing to change or cancel."


class ManagedBySchedule(BillingError):
    """Stripe refuses another end of such a subscription. Other changes would last until the schedule's next phase."""

    code = "managed_by_schedule"
    category = Category.CONFLICT

    def __init__(self, what: str) -> None:
        super().__init__(
            f"{what} So it cannot be changed here. Release the schedule in Stripe's dashboard first, then try again. "
            "You can also cancel the subscription at once: that ends the schedule too."
        )


class SubscriptionNotChangeable(BillingError):
    """The subscription has a status in which it cannot be changed."""

    code = "subscription_not_changeable"
    category = Category.CONFLICT

    def __init__(self, office: Any) -> None:
        status = office.subscription_status.replace("_", " ")
        super().__init__(
            f"This subscription is {status}. First pay its newest invoice or resume it, then change it.", about=office
        )


class PlanUnknown(Refusal):
    code = "plan_unknown"
    category = Category.INVALID
    message = "There is no such plan price for sale."
    remedy = "Choose one of the listed plans."


class PlanRetired(Refusal):
    code = "plan_retired"
    category = Category.CONFLICT
    message = "This plan is retired."
    remedy = "Make another plan."


class PlanCodeTaken(Refusal):
    code = "plan_code_taken"
    category = Category.CONFLICT
    message = "Another plan or price has this code."
    remedy = "Choose another code. The codes of plans and of prices are each used once."


class PriceNotOurs(Refusal):
    code = "price_not_ours"
    category = Category.CONFLICT
    message = "This subscription has a price that is not one of the plans here, so its seats cannot be changed here."
    remedy = "Choose a plan to change to, or change the seats in Stripe's dashboard."


class QuantityInvalid(BillingError):
    """A number cannot be used, for example 0 seats."""

    code = "quantity_invalid"
    category = Category.INVALID

    def __init__(self, message: str) -> None:
        super().__init__(message)


class NothingWaiting(Refusal):
    code = "nothing_waiting"
    category = Category.CONFLICT
    message = "This Office has no subscription that waits for its first payment, so there is nothing to end."


class NotCancelling(Refusal):
    code = "not_cancelling"
    category = Category.CONFLICT
    message = "This subscription is not set to end. It renews by itself, so there is no cancellation to take back."


class CollectionPaused(Refusal):
    code = "collection_paused"
    category = Category.CONFLICT
    message = "Collection is paused, so the new invoice would not be charged."
    remedy = "Resume collection first, or put the difference on the next invoice."


class CollectionNotPaused(Refusal):
    code = "collection_not_paused"
    category = Category.CONFLICT
    message = "Collection is not paused for this Office, so there is nothing to resume."


class NotTrialing(Refusal):
    code = "not_trialing"
    category = Category.CONFLICT
    message = "This subscription is not in a trial."
    remedy = "To charge later, pause collection or give a discount instead."


class InTrial(Refusal):
    code = "in_trial"
    category = Category.CONFLICT
    message = "This subscription is in a trial. Its first period begins when the trial ends."
    remedy = "End the trial instead."


class PaymentLinkGone(Refusal):
    code = "payment_link_gone"
    category = Category.CONFLICT
    message = "The payment link was used, was withdrawn or has expired."
    remedy = "Make another link if the Office has no subscription."


class NoDiscount(Refusal):
    code = "no_discount"
    category = Category.CONFLICT
    message = "This subscription has no discount of its own, so there is nothing to remove."


class NoFurtherInvoice(Refusal):
    code = "no_further_invoice"
    category = Category.CONFLICT
    message = "This subscription ends before its next invoice."
    remedy = "Take the cancellation back first."


class NoUpcomingInvoice(Refusal):
    code = "no_upcoming_invoice"
    category = Category.NOT_FOUND
    message = "There is no upcoming invoice, because no subscription renews."


# --- What the state of an invoice does not allow, and what cannot be charged.


class ChargeUnknown(BillingError):
    """There is no one-off charge with this name."""

    code = "charge_unknown"
    category = Category.INVALID

    def __init__(self, charges: list[str]) -> None:
        super().__init__(f"There is no such charge. Choose one of: {', '.join(charges)}.")


class AmountOutOfBounds(BillingError):
    """A one-off charge is below the least or above the most that the vendor allows."""

    code = "amount_out_of_bounds"
    category = Category.INVALID

    def __init__(self, least: Any, most: Any) -> None:
        super().__init__(f"A one-off charge must be {least} to {most}. Correct the amount, or split a larger charge.")


class DaysInvalid(BillingError):
    """The number of days until an invoice is due cannot be used."""

    code = "days_invalid"
    category = Category.INVALID

    def __init__(self, most: int) -> None:
        super().__init__(f"An invoice that is sent must be due after 1 to {most} days. 0 charges what is on file now.")


class InvoiceDraft(BillingError):
    """The invoice is still a draft."""

    code = "invoice_draft"
    category = Category.CONFLICT

    def __init__(self, invoice: Any) -> None:
        remedy = (
            "Stripe does not finalise it by itself: pay it, or leave it."
            if invoice.stays_a_draft
            else "Wait until Stripe finalises it."
        )
        super().__init__(f"This invoice is still a draft. {remedy}", about=invoice)


class InvoicePaid(Refusal):
    code = "invoice_paid"
    category = Category.CONFLICT
    message = "This invoice is already paid."
    remedy = "To give money back, make a refund or a credit note."


class PaymentUnderWay(BillingError):
    """A payment for this invoice has begun, and the bank has not decided about it yet."""

    code = "payment_under_way"
    category = Category.CONFLICT

    def __init__(self, payment: Any) -> None:
        super().__init__(
            f"A payment of {payment.money} for this invoice began on "
            f"{zones.day(payment.created_at, payment.office.time_zone)}. The bank has not decided about it yet. "
            "That can take some days. Wait until the bank has decided. Otherwise the invoice could be paid twice, or "
            "be paid after you gave it up.",
            about=payment,
        )


class InvoiceVoid(Refusal):
    code = "invoice_void"
    category = Category.CONFLICT
    message = "This invoice is void, so nothing is owed on it."
    remedy = "Make a new charge instead."


class InvoiceUncollectible(Refusal):
    code = "invoice_uncollectible"
    category = Category.CONFLICT
    message = "This invoice was marked uncollectible."
    remedy = "It can still be paid or voided."


class InvoicePaidInPart(BillingError):
    """Stripe voids no invoice that has a payment.

    Source: https://docs.stripe.com/invoicing/partial-payments#invoice-payment-statuses
    """

    code = "invoice_paid_in_part"
    category = Category.CONFLICT

    def __init__(self, invoice: Any, paid: Any) -> None:
        super().__init__(
            f"{paid} was paid on this invoice, and Stripe voids no invoice on which something was paid. To ask for "
            f"less or nothing of the other {invoice.remaining}, correct the invoice with a credit note, or mark it "
            "uncollectible. To give back what was paid, refund the payment.",
            about=invoice,
        )


class PaymentAttached(Refusal):
    """Source: https://docs.stripe.com/invoicing/partial-payments#invoice-payment-statuses"""

    code = "payment_attached"
    category = Category.CONFLICT
    message = "Somebody attached a payment to this invoice in Stripe's dashboard, and it can still pay it."
    remedy = "Cancel that payment there first, or wait until it has paid."


class InvoiceNotSendable(Refusal):
    code = "invoice_not_sendable"
    category = Category.CONFLICT
    message = "This invoice is charged automatically. Only an invoice that the Office pays itself can be sent."
    remedy = "Give the Office the address of the invoice's page instead."


class NothingToPay(Refusal):
    code = "nothing_to_pay"
    category = Category.CONFLICT
    message = "Nothing remains to be paid on this invoice."


class NoFailedAttempt(Refusal):
    code = "no_failed_attempt"
    category = Category.CONFLICT
    message = "No attempt to collect this invoice has failed."
    remedy = "Pay it instead."


class NoDocument(Refusal):
    code = "no_document"
    category = Category.NOT_FOUND
    message = "Stripe has no such document for this invoice. A draft has none."


class NothingToSend(Refusal):
    code = "nothing_to_send"
    category = Category.CONFLICT
    message = "There is no such link to send, or no mail server is configured. Make another link and copy it."


# --- What cannot be given back or credited.


class PaymentNotRefundable(BillingError):
    """The payment has a status in which nothing can be given back."""

    code = "payment_not_refundable"
    category = Category.CONFLICT

    def __init__(self, payment: Any) -> None:
        super().__init__(
            f"The status of this payment is “{payment.status}”, so nothing can be given back.",
            about=payment,
        )


class AlreadyRefunded(BillingError):
    """All of this payment was already given back."""

    code = "already_refunded"
    category = Category.CONFLICT

    def __init__(self, payment: Any) -> None:
        super().__init__(
            f"All of this payment, {payment.money}, was already given back. A credit note can still give credit.",
            about=payment,
        )


class PaymentDisputed(Refusal):
    code = "payment_disputed"
    category = Category.CONFLICT
    message = "The bank has already taken this payment back, because it is disputed. A refund would pay it twice."
    remedy = "Answer the dispute in Stripe's dashboard, or accept it there."


class InvoiceNotCreditable(BillingError):
    """A credit note needs an invoice that is open or paid."""

    code = "invoice_not_creditable"
    category = Category.CONFLICT

    def __init__(self, invoice: Any) -> None:
        status = "deleted" if invoice.deleted_at else invoice.status
        instead = {
            "open": "nothing was paid for it yet. Lower the amount that is due instead",
            "paid": "nothing is due on it. Give the money back, or keep it as credit for the next invoice",
        }
        super().__init__(
            f"This invoice is {status}: {instead.get(status, 'a credit note needs one that is open or paid')}.",
            about=invoice,
        )


class AlreadyCredited(Refusal):
    code = "already_credited"
    category = Category.CONFLICT
    message = "All of this invoice was already credited, so nothing is left to correct."


class AmountInvalid(BillingError):
    """The amount cannot be used, for example because it is below zero."""

    code = "amount_invalid"
    category = Category.INVALID

    def __init__(self, message: str) -> None:
        super().__init__(message)


class MoreThanLeft(BillingError):
    """The amount is higher than what is left."""

    code = "more_than_left"
    category = Category.INVALID

    def __init__(self, asked: Any, left: Any, *, instead: str = "") -> None:
        super().__init__(f"{asked} is too much: at most {left} is left. {instead}".strip(), about=left)


# --- How a request to Stripe can end: declined, rejected, or nobody knows. And what must not be sent.


class CardDeclined(BillingError):
    """The payment was declined. ``decline_code`` is the issuer's, if it gave one. ``declines`` has the words for it."""

    code = "card_declined"
    category = Category.PAYMENT

    def __init__(self, decline_code: str = "") -> None:
        super().__init__(str(declines.of(decline_code)))
        self.decline_code = decline_code


class AuthenticationRequired(CardDeclined):
    """The cardholder must confirm the payment at the bank. Send the link where that is done."""

    code = "authentication_required"


class StripeRejected(BillingError):
    """Stripe understood the request and said no. The mistake is ours or in the input, never the card's."""

    code = "stripe_rejected"
    category = Category.STRIPE_REFUSED

    def __init__(self, says: str = "", stripe_code: str = "", param: str = "", status: int = 0) -> None:
        super().__init__(says)
        self.stripe_code = stripe_code
        self.param = param
        self.status = status


class CouponUnknown(StripeRejected):
    """Stripe was asked. It has no such code, or the code cannot be redeemed here. What was typed is not repeated."""

    code = "coupon_unknown"
    category = Category.INVALID
    message = "There is no coupon or promotion code like this that can be redeemed here."
    remedy = "Coupons and codes are made and changed in Stripe's dashboard."


class DiscountInvalid(BillingError):
    """What the discount takes off, or how long it lasts, cannot be used."""

    code = "discount_invalid"
    category = Category.INVALID


class CouponShorterThanTrial(StripeRejected):
    code = "coupon_shorter_than_trial"
    category = Category.INVALID
    message = "The discount would end during the trial and take nothing off."
    remedy = "Start without it, and give the discount when the trial ends."


class SeveralItems(StripeRejected):
    """Our rows show it, or Stripe was asked. A change would be one of a single price, and nobody said of which."""

    code = "several_items"
    category = Category.CONFLICT

    def __init__(self, items: str) -> None:
        super().__init__(
            f"This subscription has {f'several prices at Stripe: {items}' if items else 'no price at Stripe'}. "
            "Change it in Stripe's dashboard. The change is shown here."
        )


class CouponInOtherCurrency(StripeRejected):
    """The discount is an amount in another currency than the price."""

    code = "coupon_in_other_currency"
    category = Category.INVALID

    def __init__(self, currencies: list[str], wanted: str) -> None:
        super().__init__(
            f"This discount is an amount in {' or '.join(one.upper() for one in currencies)}, and here the price is in "
            f"{wanted.upper()}. Leave the code out, or use one for {wanted.upper()} or with a percentage."
        )


class CouponNeedsMore(StripeRejected):
    """The discount needs a higher price."""

    code = "coupon_needs_more"
    category = Category.INVALID

    def __init__(self, price: Any, minimums: Any) -> None:
        super().__init__(
            f"This code needs a price of at least {' or '.join(map(str, minimums))} before discounts, and here it is "
            f"{price}. Choose another plan, or leave the code out."
        )


class CouponForFirstTime(StripeRejected):
    code = "coupon_for_first_time"
    category = Category.INVALID
    message = "This code is only for customers that have not paid before, and this Office has paid or has an invoice."
    remedy = "Leave the code out, or use another one."


class LiveSubscriptionExists(StripeRejected):
    """Our rows show it, or Stripe was asked and shows it, whoever made it there."""

    code = "live_subscription_exists"
    category = Category.CONFLICT

    def __init__(self, which: str) -> None:
        super().__init__(
            f"This Office already has a live subscription: {which}. Cancel it before you start another one."
        )


class SubscriptionWaiting(StripeRejected):
    """Our rows show it, or Stripe was asked. With a second subscription the Office could pay twice.

    The address of the page for its payment is not in the text. It is shown to a person who may use it, and not stored.
    """

    code = "subscription_waiting"
    category = Category.CONFLICT

    def __init__(self, which: str, since: datetime, zone: str) -> None:
        super().__init__(
            "This Office has a subscription that has been waiting for its first payment since "
            f"{zones.moment(since, zone)}: {which}. Complete that payment on its page at Stripe, or end that "
            "subscription before you start another one. If nobody pays, it ends by itself after 23 hours."
        )


class ScheduleStarts(StripeRejected):
    """Our rows show it, or Stripe was asked. With a second subscription the Office would pay twice."""

    code = "schedule_starts"
    category = Category.CONFLICT

    def __init__(self, what: str) -> None:
        super().__init__(
            f"{what} A second subscription would be charged too. Cancel the schedule in Stripe's dashboard before you "
            "start another one, or let it start."
        )


class SubscriptionBegan(StripeRejected):
    code = "subscription_began"
    category = Category.CONFLICT
    message = "The first payment of the waiting subscription has succeeded, so it is live now and nothing was ended."
    remedy = "To end it, cancel it."


class PaymentLinkUsed(StripeRejected):
    code = "payment_link_used"
    category = Category.CONFLICT
    message = "Somebody used the payment link at the same moment, so it was not withdrawn and nothing else was done."
    remedy = "Look at the Office's subscription."


class PaymentLinkOpen(StripeRejected):
    """Stripe was asked. With a second open link, the Office could pay twice."""

    code = "payment_link_open"
    category = Category.CONFLICT
    message = "This Office has an open payment link with other terms."
    remedy = "Withdraw that link, or wait until it expires after 24 hours. Then make another."


class StripeObjectMissing(StripeRejected):
    """Stripe has no such object any more."""

    code = "stripe_object_missing"


class StripeKeyRefused(StripeRejected):
    """Stripe refuses the vendor's key. Nothing was changed. The vendor is told."""

    code = "stripe_key_refused"


class StripeUnavailable(BillingError):
    """No answer arrived, so nobody knows yet whether the change was made. It is settled later, never guessed.

    ``retry_after`` is how many seconds Stripe asks us to wait, or 0 if it did not say.
    """

    code = "stripe_unavailable"
    category = Category.UNKNOWN

    def __init__(self, message: str = "", *, replayed: bool = False, retry_after: float = 0) -> None:
        super().__init__(
            message
            or "Stripe did not answer, so the outcome is not known yet. It is settled automatically in the background. "
            "You do not need to repeat anything."
        )
        self.replayed = replayed
        self.retry_after = retry_after


class WrongStripeAccount(BillingError):
    """The vendor's key belongs to a Stripe account that is not the one of this database."""

    code = "wrong_stripe_account"
    category = Category.CONFLICT


class EndpointNotRight(BillingError):
    """Stripe was asked after the set-up, and does not show the webhook endpoint as it should be."""

    code = "endpoint_not_right"
    category = Category.CONFLICT


class AlertNotTaken(BillingError):
    """ALERT_WEBHOOK did not take an alert. It is posted again."""

    code = "alert_not_taken"
    category = Category.UNKNOWN


class CallInsideTransaction(BillingError):
    """A mistake in the program: Stripe was about to be called while a transaction was open."""

    code = "call_inside_transaction"
    category = Category.CONFLICT

    def __init__(self, path: str) -> None:
        super().__init__(f"{path} was about to be called inside an open database transaction.")


class FieldNotAllowed(NotSent):
    """A mistake in the program: a field was about to be sent to Stripe that may not be sent."""

    code = "field_not_allowed"
    category = Category.CONFLICT

    def __init__(self, path: str, fields: list[str]) -> None:
        super().__init__(f"{path}: {', '.join(fields)} is not on the list of what may be sent to Stripe.")


class ValueNotAllowed(NotSent):
    """``wrong`` says for each field what its value must be. The value itself is never said."""

    code = "value_not_allowed"
    category = Category.INVALID

    def __init__(self, path: str, wrong: list[str]) -> None:
        super().__init__(
            f"A value has a form that Stripe does not take, so this request was not sent. {path}: {', '.join(wrong)}."
        )


class FieldNotReviewed(NotSent):
    """``fields`` came with an update after counsel reviewed what is sent, so they wait for another determination."""

    code = "field_not_reviewed"
    category = Category.CONFLICT

    def __init__(self, fields: list[str]) -> None:
        super().__init__(
            "This request was not sent to Stripe. It has fields that came with an update and that counsel has not "
            f"reviewed: {'; '.join(fields)}. The rest goes on. {RECORD_DETERMINATION}"
        )


class PeriodInvalid(BillingError):
    """The last day is before the first one, or the period is too long."""

    code = "period_invalid"
    category = Category.INVALID

    def __init__(self, most: int) -> None:
        super().__init__(f"The last day must not be before the first one. A period has at most {most} days.")


class PeriodNotOver(BillingError):
    """The period has not ended, or has ended only just now."""

    code = "period_not_over"
    category = Category.CONFLICT

    def __init__(self, minutes: int) -> None:
        super().__init__(
            f"This period has not ended, or has ended only just now. You can sign it off {minutes} minutes after its "
            "end. By then everything that began in it is recorded."
        )


class NotSealedYet(Refusal):
    code = "not_sealed_yet"
    category = Category.CONFLICT
    message = "Not every entry of the period is sealed."
    remedy = (
        "A worker seals the trail each minute. Wait two minutes. If this is still refused, no worker is running: "
        "start one."
    )


class OwnActsAlone(Refusal):
    code = "own_acts_alone"
    category = Category.CONFLICT
    message = "Nobody but you did anything in this period."
    remedy = "Another auditor must sign it off."


# --- Bulk acts and the worklist.


class BulkKindUnknown(Refusal):
    code = "bulk_kind_unknown"
    category = Category.INVALID
    message = "This cannot be done to many Offices together."


class NothingToActOn(BillingError):
    code = "nothing_to_act_on"
    category = Category.CONFLICT
    message = "This cannot be done to any of the chosen Offices."
    remedy = "The reason is shown beside each one."


class TooManyOffices(BillingError):
    """More Offices were chosen than can be at once."""

    code = "too_many_offices"
    category = Category.INVALID

    def __init__(self, most: int) -> None:
        super().__init__(f"Choose at most {most:,} Offices at once.")


class DueChanged(Refusal):
    code = "due_changed"
    category = Category.CONFLICT
    message = "Another amount is due now than when this was confirmed, so nothing was charged."
    remedy = "Look at the invoice, and charge it by itself."


class NotAColleague(Refusal):
    code = "not_a_colleague"
    category = Category.INVALID
    message = "This person cannot work on Offices."
    remedy = "Choose somebody with the role of operator or finance."
