"""Stripe's statuses, what each means, and the groups that our rules use.

They are stored as Stripe spells them. The columns have no ``choices``, so a status that Stripe adds is stored and
shown, and is in no group.
"""

from django.db.models import TextChoices


class SubscriptionStatus(TextChoices):
    """Source: https://docs.stripe.com/api/subscriptions/object#subscription_object-status"""

    INCOMPLETE = "incomplete", "Begun; its first invoice waits to be paid, for 23 hours"
    INCOMPLETE_EXPIRED = "incomplete_expired", "Its first invoice was not paid in time; it never began"
    TRIALING = "trialing", "In its trial: served, and not charged yet"
    ACTIVE = "active", "Served and paid"
    PAST_DUE = "past_due", "Its latest invoice was not paid; Stripe tries again"
    UNPAID = "unpaid", "Stripe has stopped trying; its new invoices stay drafts"
    PAUSED = "paused", "Its trial ended with nothing to charge; nothing is invoiced until there is something"
    CANCELED = "canceled", "Over, for good"


# Source of the groups: https://docs.stripe.com/billing/subscriptions/overview#subscription-statuses
LIVE = (
    SubscriptionStatus.TRIALING,
    SubscriptionStatus.ACTIVE,
    SubscriptionStatus.PAST_DUE,
    SubscriptionStatus.UNPAID,
    SubscriptionStatus.PAUSED,
)
"""It has begun and is not over. An Office should have at most one of these."""
ENTITLED = (SubscriptionStatus.ACTIVE, SubscriptionStatus.TRIALING, SubscriptionStatus.PAST_DUE)
"""The Office may use the product, within the graces of the policy."""
REVENUE = (SubscriptionStatus.ACTIVE, SubscriptionStatus.PAST_DUE)
"""It counts as recurring revenue."""
COLLECTED = (SubscriptionStatus.TRIALING, SubscriptionStatus.ACTIVE, SubscriptionStatus.PAST_DUE)
"""Its next invoice is charged. Those of an unpaid one stay drafts, and a paused one makes none."""
CHANGEABLE = (SubscriptionStatus.ACTIVE, SubscriptionStatus.TRIALING)
"""Its plan, interval and seats can be changed."""
FINAL = (SubscriptionStatus.CANCELED, SubscriptionStatus.INCOMPLETE_EXPIRED)
"""It is over, and this cannot change."""


class InvoicesBecome(TextChoices):
    """What happens to new invoices while collection is paused.

    Source: https://docs.stripe.com/billing/subscriptions/pause-payment
    """

    KEEP_AS_DRAFT = "keep_as_draft", "kept as drafts, to be charged later"
    VOID = "void", "void, and never charged"
    MARK_UNCOLLECTIBLE = "mark_uncollectible", "written off as a loss"


class InvoiceStatus(TextChoices):
    """Source: https://docs.stripe.com/invoicing/overview#invoice-statuses"""

    DRAFT = "draft", "Can still change or be deleted; nobody was asked to pay"
    OPEN = "open", "Final, and waits to be paid"
    PAID = "paid", "Paid, or nothing was due of it"
    VOID = "void", "Given up as if it had never been, for good"
    UNCOLLECTIBLE = "uncollectible", "Written off; it can still be paid or voided"


# Source of the groups: https://docs.stripe.com/invoicing/overview#invoice-statuses
COLLECTABLE = (InvoiceStatus.OPEN, InvoiceStatus.UNCOLLECTIBLE)
"""It can still be paid."""
UNDER_WAY = (InvoiceStatus.DRAFT, InvoiceStatus.OPEN)
"""It is not decided yet whether it is paid."""
GIVEN_UP = (InvoiceStatus.VOID, InvoiceStatus.UNCOLLECTIBLE)
"""What remains of it is no longer asked for."""
NOT_ASKED_FOR = (InvoiceStatus.DRAFT, InvoiceStatus.VOID)
"""Nothing is to be paid: a draft not yet, and a void invoice not any more."""


class PaymentStatus(TextChoices):
    """The statuses of a charge. A charge is one attempt to collect.

    Source: https://docs.stripe.com/api/charges/object#charge_object-status
    """

    SUCCEEDED = "succeeded", "The money was collected"
    PENDING = "pending", "The bank has not decided yet"
    FAILED = "failed", "Nothing was collected"


class InvoicePaymentStatus(TextChoices):
    """The statuses of what pays an invoice or a part of it.

    Source: https://docs.stripe.com/api/invoice-payment/object#invoice_payment_object-status
    """

    OPEN = "open", "It can still pay"
    PAID = "paid", "It has paid"
    CANCELED = "canceled", "It does not pay any more"


class AdjustmentStatus(TextChoices):
    """The statuses of refunds, credit notes and disputes. Each of them has its own words."""

    # refunds. Source: https://docs.stripe.com/api/refunds/object#refund_object-status
    PENDING = "pending", "The bank has not confirmed the refund yet"
    REQUIRES_ACTION = "requires_action", "The customer must do something to get the refund"
    SUCCEEDED = "succeeded", "The money is on its way back"
    FAILED = "failed", "The money did not arrive and came back to the vendor"
    CANCELED = "canceled", "The refund was taken back before the bank had it"
    # credit notes. Source: https://docs.stripe.com/api/credit_notes/object#credit_note_object-status
    ISSUED = "issued", "The credit note counts"
    VOID = "void", "The credit note was taken back"
    # disputes. Source: https://docs.stripe.com/api/disputes/object#dispute_object-status
    WARNING_NEEDS_RESPONSE = "warning_needs_response", "The bank asks and waits for an answer"
    WARNING_UNDER_REVIEW = "warning_under_review", "The bank has the answer to its question"
    WARNING_CLOSED = "warning_closed", "The bank asked, and no dispute came of it"
    NEEDS_RESPONSE = "needs_response", "The bank took the money and waits for an answer"
    UNDER_REVIEW = "under_review", "The bank took the money, has the answer, and decides"
    WON = "won", "The bank gave the money back to the vendor"
    LOST = "lost", "The customer keeps the money"
    PREVENTED = "prevented", "It was settled before it became a dispute"


# Source of the groups: https://docs.stripe.com/disputes/how-disputes-work and https://docs.stripe.com/refunds
ANSWER_AWAITED = (AdjustmentStatus.NEEDS_RESPONSE, AdjustmentStatus.WARNING_NEEDS_RESPONSE)
"""The bank waits for an answer to a dispute or an inquiry."""
INQUIRY = (
    AdjustmentStatus.WARNING_NEEDS_RESPONSE,
    AdjustmentStatus.WARNING_UNDER_REVIEW,
    AdjustmentStatus.WARNING_CLOSED,
)
"""The bank only asks. The money is still here."""
DISPUTE_UNDECIDED = (
    AdjustmentStatus.NEEDS_RESPONSE,
    AdjustmentStatus.UNDER_REVIEW,
    AdjustmentStatus.WARNING_NEEDS_RESPONSE,
    AdjustmentStatus.WARNING_UNDER_REVIEW,
)
"""A dispute or an inquiry that the bank has not closed."""
UNDECIDED = (*DISPUTE_UNDECIDED, AdjustmentStatus.PENDING, AdjustmentStatus.REQUIRES_ACTION)
"""A dispute or refund that can still end either way."""
NOT_GIVEN_BACK = (AdjustmentStatus.FAILED, AdjustmentStatus.CANCELED)
"""A refund whose money is still here, or came back."""


class CheckoutStatus(TextChoices):
    """The statuses of a page at Stripe on which somebody can pay.

    Source: https://docs.stripe.com/api/checkout/sessions/object#checkout_session_object-status
    """

    OPEN = "open", "Somebody can still pay on it"
    COMPLETE = "complete", "Somebody has"
    EXPIRED = "expired", "Nobody can any more"


class SetupIntentStatus(TextChoices):
    """The statuses of adding a card.

    Source: https://docs.stripe.com/api/setup_intents/object#setup_intent_object-status
    """

    REQUIRES_PAYMENT_METHOD = "requires_payment_method", "No card is entered, or it was refused"
    REQUIRES_CONFIRMATION = "requires_confirmation", "A card is entered and not confirmed"
    REQUIRES_ACTION = "requires_action", "Its holder must confirm it at the bank"
    PROCESSING = "processing", "The bank has not decided yet"
    SUCCEEDED = "succeeded", "The card is on file"
    CANCELED = "canceled", "Given up"
