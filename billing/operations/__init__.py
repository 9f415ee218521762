"""Every write that a person may ask for, one verb_noun function each."""

from billing.operations.agreement import approve_determination, prepare_determination, withdraw_determination
from billing.operations.archive import archive_office, unarchive_office
from billing.operations.cancel import cancel_subscription
from billing.operations.change import change_subscription, preview_change
from billing.operations.credit import adjust_credit, preview_credit
from billing.operations.credit_note import issue_credit_note, preview_credit_note
from billing.operations.customer import change_contact, ensure_customer, open_portal
from billing.operations.payment_methods import (
    make_card_link,
    prepare_payment_method,
    remove_payment_method,
    set_default_payment_method,
)
from billing.operations.protocol import resume_unsettled
from billing.operations.refund import preview_refund, refund_payment
from billing.operations.subscribe import subscribe

__all__ = [
    "adjust_credit",
    "approve_determination",
    "archive_office",
    "cancel_subscription",
    "change_contact",
    "change_subscription",
    "ensure_customer",
    "issue_credit_note",
    "make_card_link",
    "open_portal",
    "prepare_determination",
    "prepare_payment_method",
    "preview_change",
    "preview_credit",
    "preview_credit_note",
    "preview_refund",
    "refund_payment",
    "remove_payment_method",
    "resume_unsettled",
    "set_default_payment_method",
    "subscribe",
    "unarchive_office",
    "withdraw_determination",
]
