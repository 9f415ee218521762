"""One class per refusal. Each says what is wrong and what would make it possible; none knows HTTP."""

import re
from typing import Any

from billing import declines

STRIPE_ID = re.compile(
    r"\b(sub_sched|[a-z]{2,8}(?:_(?:test|live))?)_(?=[A-Za-z]*[A-Z0-9])([A-Za-z0-9]{8,})(?:_secret_[A-Za-z0-9]+)?"
)
"""Any prefix, as Stripe adds some; what tells an id from our own words is a digit or a capital."""

RECORD_DETERMINATION = (
    "Record counsel's determination in the admin under Compliance, Determinations; another person, an "
    "administrator, must then approve it."
)


def without_stripe_ids(text: str) -> str:
    """``text`` with each of Stripe's ids, and client secrets, cut to what is fit to be shown."""
    return STRIPE_ID.sub(lambda found: f"{found[1]}_…{found[2][-4:]}", text)


def without_addresses(text: str) -> str:
    """``text`` without e-mail addresses, also misspelt ones: for what is kept of others' words."""
    return re.sub(r"\S*@\S*", "…", text)


class BillingError(Exception):
    """A request that was refused or is not settled. ``str(error)`` is fit to be shown to a person."""

    code = "billing_error"

    def __init__(self, message: str, **concerns: Any) -> None:
        super().__init__(message)
        self.concerns = concerns


class ReasonRequired(BillingError):
    code = "reason_required"

    def __init__(self) -> None:
        super().__init__("Say why: a reason of 3 to 200 characters is kept in the audit trail.")


class TextNotNeutral(BillingError):
    code = "text_not_neutral"

    def __init__(self, what: str) -> None:
        super().__init__(
            f"The text seems to contain {what}. It is kept for years and seen by many: say it without, and never "
            "anything about a patient."
        )


class OfficeArchived(BillingError):
    code = "office_archived"

    def __init__(self, office: Any) -> None:
        super().__init__("This Office is archived. Bring it back before changing its billing.", office=office)


class LiveSubscriptionExists(BillingError):
    code = "live_subscription_exists"

    def __init__(self, office: Any) -> None:
        super().__init__(
            "This Office already has a live subscription. Cancel it before starting another.", office=office
        )


class NoLiveSubscription(BillingError):
    code = "no_live_subscription"

    def __init__(self, office: Any) -> None:
        super().__init__(
            "This Office has no live subscription, so there is nothing to change or cancel.", office=office
        )


class SubscriptionNotChangeable(BillingError):
    code = "subscription_not_changeable"

    def __init__(self, office: Any) -> None:
        status = office.subscription_status.replace("_", " ")
        super().__init__(
            f"This subscription is {status}: pay its open invoice or resume it first, then change it.", office=office
        )


class NotCancelling(BillingError):
    code = "not_cancelling"

    def __init__(self, office: Any) -> None:
        super().__init__(
            "This subscription is not set to end: it renews by itself, and nothing is to be taken back.", office=office
        )


class CollectionPaused(BillingError):
    code = "collection_paused"

    def __init__(self, office: Any) -> None:
        super().__init__(
            "Collection is paused, so the invoice that this makes now would not be charged. Resume collection first, "
            "or settle with the next invoice.",
            office=office,
        )


class CollectionNotPaused(BillingError):
    code = "collection_not_paused"

    def __init__(self, office: Any) -> None:
        super().__init__("This Office's invoices are collected already: there is no pause to end.", office=office)


class NotTrialing(BillingError):
    code = "not_trialing"

    def __init__(self, office: Any) -> None:
        super().__init__(
            "This subscription is in no trial. To charge later, pause collection or give a discount instead.",
            office=office,
        )


class InTrial(BillingError):
    code = "in_trial"

    def __init__(self, office: Any) -> None:
        super().__init__(
            "This subscription is in a trial: its first period begins when that ends. End the trial instead.",
            office=office,
        )


class PaymentLinkGone(BillingError):
    code = "payment_link_gone"

    def __init__(self, office: Any) -> None:
        super().__init__(
            "The payment link was used, was withdrawn or has expired. Make another if the Office has no subscription.",
            office=office,
        )


class NoDiscount(BillingError):
    code = "no_discount"

    def __init__(self, office: Any) -> None:
        super().__init__("This subscription has no discount of its own that could be removed.", office=office)


class NoFurtherInvoice(BillingError):
    code = "no_further_invoice"

    def __init__(self, office: Any) -> None:
        super().__init__(
            "This subscription ends before another invoice. Take the cancellation back first.", office=office
        )


class DateInvalid(BillingError):
    code = "date_invalid"


class NothingToChange(BillingError):
    code = "nothing_to_change"

    def __init__(self, what: str) -> None:
        super().__init__(f"Nothing would change: {what}")


class PreviewStale(BillingError):
    code = "preview_stale"

    def __init__(self) -> None:
        super().__init__(
            "The preview is older than an hour, or something changed since. Look at a new one and confirm that."
        )


class PaymentNotRefundable(BillingError):
    code = "payment_not_refundable"

    def __init__(self, payment: Any) -> None:
        super().__init__(
            f"This payment {payment.status}, so there is nothing to give back. Choose one that succeeded.",
            payment=payment,
        )


class AlreadyRefunded(BillingError):
    code = "already_refunded"

    def __init__(self, payment: Any) -> None:
        super().__init__(
            f"All of this payment, {payment.money}, went back already. A credit note can still give credit.",
            payment=payment,
        )


class PaymentDisputed(BillingError):
    code = "payment_disputed"

    def __init__(self, payment: Any) -> None:
        super().__init__(
            "The bank has taken this payment back itself, as its card's holder disputes it; a refund would pay it "
            "twice. Answer the dispute in Stripe's dashboard, or accept it there.",
            payment=payment,
        )


class InvoiceNotCreditable(BillingError):
    code = "invoice_not_creditable"

    def __init__(self, invoice: Any) -> None:
        status = "deleted" if invoice.deleted_at else invoice.status
        instead = {
            "open": "no money came in for it yet. Lower what is due of it instead",
            "paid": "nothing is due of it. Give the money back, or as credit for the next invoice",
        }
        super().__init__(
            f"This invoice is {status}: {instead.get(status, 'a credit note needs one that is open or paid')}.",
            invoice=invoice,
        )


class AlreadyCredited(BillingError):
    code = "already_credited"

    def __init__(self, invoice: Any) -> None:
        super().__init__("All of this invoice was credited already, so nothing is left to correct.", invoice=invoice)


class AmountInvalid(BillingError):
    code = "amount_invalid"

    def __init__(self, message: str) -> None:
        super().__init__(message)


class MoreThanLeft(BillingError):
    code = "more_than_left"

    def __init__(self, asked: Any, left: Any, *, instead: str = "") -> None:
        super().__init__(f"{asked} is more than is left: at most {left}. {instead}".strip(), left=left)


class NoCustomer(BillingError):
    code = "no_customer"

    def __init__(self, office: Any) -> None:
        super().__init__(
            "This Office is no customer at Stripe yet, or was deleted there. Add a card or start a subscription first.",
            office=office,
        )


class CurrencyUnknown(BillingError):
    code = "currency_unknown"

    def __init__(self, office: Any) -> None:
        super().__init__(
            "This Office has no currency yet: its first subscription sets it. Start one first.",
            office=office,
        )


class ContactInvalid(BillingError):
    """It names the field that is wrong, and never repeats what was given."""

    code = "contact_invalid"


class StillBilled(BillingError):
    code = "still_billed"

    def __init__(self, office: Any, what: str) -> None:
        super().__init__(f"This Office cannot be archived yet: {what}", office=office)


class NotArchived(BillingError):
    code = "not_archived"

    def __init__(self, office: Any) -> None:
        super().__init__("This Office is not archived, so there is nothing to bring back.", office=office)


class CurrencyMismatch(BillingError):
    code = "currency_mismatch"

    def __init__(self, office: Any, currency: str) -> None:
        super().__init__(
            f"This Office is billed in {office.currency.upper()} and stays so; choose a price in "
            f"{office.currency.upper()} instead of {currency.upper()}.",
            office=office,
        )


class PlanUnknown(BillingError):
    code = "plan_unknown"

    def __init__(self, price: str) -> None:
        super().__init__(f"There is no plan price {price!r} for sale. Choose one of the listed plans.")


class QuantityInvalid(BillingError):
    code = "quantity_invalid"

    def __init__(self, message: str) -> None:
        super().__init__(message)


class PaymentMethodRequired(BillingError):
    code = "payment_method_required"

    def __init__(self, office: Any, instead: str = "start with a trial") -> None:
        super().__init__(f"This Office has no payment method. Add a card, or {instead}.", office=office)


class ChargeUnknown(BillingError):
    code = "charge_unknown"

    def __init__(self, charges: list[str]) -> None:
        super().__init__(f"There is no such charge. Choose one of: {', '.join(charges)}.")


class AmountOutOfBounds(BillingError):
    code = "amount_out_of_bounds"

    def __init__(self, least: Any, most: Any) -> None:
        super().__init__(f"A one-off charge is {least} to {most}. Split a larger one, or mend the amount.")


class DaysInvalid(BillingError):
    code = "days_invalid"

    def __init__(self, most: int) -> None:
        super().__init__(f"An invoice that is sent is due after 1 to {most} days; 0 charges the card now.")


class InvoiceDraft(BillingError):
    code = "invoice_draft"

    def __init__(self, invoice: Any) -> None:
        super().__init__(
            "This invoice is a draft still. It can be dealt with once Stripe finalises it.", invoice=invoice
        )


class InvoicePaid(BillingError):
    code = "invoice_paid"

    def __init__(self, invoice: Any) -> None:
        super().__init__("This invoice is paid already. Money goes back by a refund or a credit note.", invoice=invoice)


class InvoiceVoid(BillingError):
    code = "invoice_void"

    def __init__(self, invoice: Any) -> None:
        super().__init__("This invoice is void: nothing is owed on it. Make a new charge instead.", invoice=invoice)


class InvoiceUncollectible(BillingError):
    code = "invoice_uncollectible"

    def __init__(self, invoice: Any) -> None:
        super().__init__("This invoice was marked uncollectible. It can still be paid, or be voided.", invoice=invoice)


class InvoiceNotSendable(BillingError):
    code = "invoice_not_sendable"

    def __init__(self, invoice: Any) -> None:
        super().__init__(
            "This invoice is charged to the card, and only one that is paid until it is due can be sent. "
            "Give the Office the address of its page instead.",
            invoice=invoice,
        )


class NothingToPay(BillingError):
    code = "nothing_to_pay"

    def __init__(self, invoice: Any) -> None:
        super().__init__("Nothing remains to be paid on this invoice.", invoice=invoice)


class NoFailedAttempt(BillingError):
    code = "no_failed_attempt"

    def __init__(self, invoice: Any) -> None:
        super().__init__(
            "No attempt to collect this invoice has failed. Pay it instead of trying again.", invoice=invoice
        )


class NoDocument(BillingError):
    code = "no_document"

    def __init__(self, invoice: Any) -> None:
        super().__init__("Stripe has no such document of this invoice; a draft has none.", invoice=invoice)


class NoUpcomingInvoice(BillingError):
    code = "no_upcoming_invoice"

    def __init__(self, office: Any) -> None:
        super().__init__("No invoice is to come: there is no subscription that renews.", office=office)


class PaymentMethodUnknown(BillingError):
    code = "payment_method_unknown"

    def __init__(self) -> None:
        super().__init__("This Office has no such card on file. Choose one of those that are listed.")


class PaymentMethodNeeded(BillingError):
    code = "payment_method_needed"

    def __init__(self, card: Any, *, others: bool) -> None:
        first = "Make another card the default" if others else "Add another card and make it the default"
        super().__init__(
            f"The live subscription is charged to {card}. {first}, or let the subscription end at its period's end "
            "with nothing due, then remove this one.",
            payment_method=card,
        )


class OperationInProgress(BillingError):
    code = "operation_in_progress"

    def __init__(self, other: Any, asked_by: str) -> None:
        super().__init__(
            f"Another change of this Office's billing is not settled yet: “{other.kind}”, asked by {asked_by}. "
            "Wait for its outcome, then try again.",
            operation=other,
        )


class IdempotencyKeyInvalid(BillingError):
    code = "idempotency_key_invalid"

    def __init__(self) -> None:
        super().__init__("An Idempotency-Key is 1 to 255 visible ASCII characters without spaces, such as a UUID.")


class IdempotencyKeyReused(BillingError):
    code = "idempotency_key_reused"

    def __init__(self) -> None:
        super().__init__(
            "This Idempotency-Key came before with another request. Repeat that one unchanged, or send this "
            "one with a new key."
        )


class RequestInProgress(BillingError):
    """A twin with the same Idempotency-Key is being carried out: there is no answer to give yet."""

    code = "request_in_progress"
    retry_after_seconds = 5

    def __init__(self) -> None:
        super().__init__(
            "The same request, with the same Idempotency-Key, is still being carried out. Wait a few seconds "
            "and ask again with the same key: the answer will be that one's."
        )


class NotPermitted(BillingError):
    code = "not_permitted"

    def __init__(self, what: str) -> None:
        super().__init__(f"You are not permitted to {what}. Ask an administrator for a role that is.")


class StaffOnly(NotPermitted):
    code = "staff_only"

    def __init__(self, what: str) -> None:
        BillingError.__init__(self, f"Only the vendor's staff may {what}. Ask them for it.")


class DeterminationInvalid(BillingError):
    code = "determination_invalid"


class SecondPersonRequired(BillingError):
    code = "second_person_required"

    def __init__(self, determination: Any) -> None:
        super().__init__(
            "You prepared this determination, so another person must approve it: anyone else whose role is "
            "administrator.",
            determination=determination,
        )


class DeterminationDecided(BillingError):
    code = "determination_decided"

    def __init__(self, determination: Any, what: str) -> None:
        super().__init__(
            f"This determination was {what} already, and that stays so. Prepare a new one where it no longer holds.",
            determination=determination,
        )


class DeterminationMissing(BillingError):
    """Nothing was sent to Stripe: in live mode, what can charge waits for counsel's determination."""

    code = "determination_missing"

    def __init__(self, why: str) -> None:
        super().__init__(f"Live charging is refused, and nothing was sent to Stripe: {why} {RECORD_DETERMINATION}")


class CardDeclined(BillingError):
    """The card said no. ``decline_code`` is the issuer's, where it gave one; ``declines`` has the words for it."""

    code = "card_declined"

    def __init__(self, decline_code: str = "") -> None:
        super().__init__(str(declines.of(decline_code)), decline_code=decline_code)
        self.decline_code = decline_code


class AuthenticationRequired(CardDeclined):
    code = "authentication_required"


class StripeRejected(BillingError):
    """Stripe understood the request and said no: a mistake of ours or of the input, never of the card."""

    code = "stripe_rejected"

    def __init__(self, message: str, stripe_code: str = "", param: str = "", status: int = 0) -> None:
        super().__init__(message, stripe_code=stripe_code, param=param)
        self.stripe_code = stripe_code
        self.param = param
        self.status = status


class CouponUnknown(StripeRejected):
    """Stripe was asked and has no such code, or it was redeemed as often as it can be."""

    code = "coupon_unknown"

    def __init__(self, code: str) -> None:
        super().__init__(
            f"There is no coupon or promotion code {code!r} that can be redeemed here. Coupons and codes are made, "
            "and kept valid, in Stripe's dashboard."
        )


class CouponShorterThanTrial(StripeRejected):
    code = "coupon_shorter_than_trial"

    def __init__(self) -> None:
        super().__init__(
            "The discount would run out during the trial, and take nothing off. Start without it, and apply it when "
            "the trial ends."
        )


class PaymentLinkOpen(StripeRejected):
    """Stripe was asked: the Office could pay twice."""

    code = "payment_link_open"

    def __init__(self) -> None:
        super().__init__(
            "This Office has an open payment link with other terms. Withdraw that one, or wait until it expires after "
            "24 hours; then make another."
        )


class StripeObjectMissing(StripeRejected):
    code = "stripe_object_missing"


class StripeKeyRefused(StripeRejected):
    code = "stripe_key_refused"


class StripeUnavailable(BillingError):
    """No answer arrived: nobody knows yet whether it was done. It is settled later, never guessed.

    ``retry_after`` is how many seconds Stripe asks us to wait, 0 where it did not say.
    """

    code = "stripe_unavailable"

    def __init__(self, message: str = "", *, replayed: bool = False, retry_after: float = 0) -> None:
        super().__init__(
            message
            or "Stripe did not answer, so the outcome is not yet known. It is settled by itself in the "
            "background; nothing needs to be repeated."
        )
        self.replayed = replayed
        self.retry_after = retry_after


class WrongStripeAccount(BillingError):
    code = "wrong_stripe_account"


class CallInsideTransaction(BillingError):
    code = "call_inside_transaction"

    def __init__(self, path: str) -> None:
        super().__init__(f"{path} was about to be called inside an open database transaction.")


class FieldNotAllowed(BillingError):
    code = "field_not_allowed"

    def __init__(self, path: str, fields: list[str]) -> None:
        super().__init__(f"{path}: {', '.join(fields)} is not on the list of what may leave for Stripe.")
