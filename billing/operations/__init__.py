"""Every write that a person may ask for, one verb_noun function each."""

from billing.operations.agreement import approve_determination, prepare_determination, withdraw_determination
from billing.operations.archive import archive_office, unarchive_office
from billing.operations.cancel import cancel_subscription
from billing.operations.change import change_subscription, preview_change
from billing.operations.charges import charge_office, preview_charge
from billing.operations.collection import pause_collection, resume_collection
from billing.operations.credit import adjust_credit, preview_credit
from billing.operations.credit_note import issue_credit_note, preview_credit_note
from billing.operations.customer import change_contact, ensure_customer, open_portal
from billing.operations.discounts import apply_discount, preview_discount, preview_without_discount, remove_discount
from billing.operations.invoices import (
    mark_uncollectible,
    open_document,
    pay_invoice,
    preview_upcoming,
    retry_invoice,
    send_invoice,
    void_invoice,
)
from billing.operations.payment_link import create_payment_link, shown_payment_link, withdraw_payment_link
from billing.operations.payment_methods import (
    make_card_link,
    prepare_payment_method,
    remove_payment_method,
    set_default_payment_method,
)
from billing.operations.refund import preview_refund, refund_payment
from billing.operations.renewal import cancel_on_date, resume_renewal
from billing.operations.schedule import move_trial_end, preview_restarted_period, preview_trial_end, restart_period
from billing.operations.settling import resume_unsettled
from billing.operations.subscribe import preview_subscribe, subscribe

__all__ = [
    "adjust_credit",
    "apply_discount",
    "approve_determination",
    "archive_office",
    "cancel_on_date",
    "cancel_subscription",
    "change_contact",
    "change_subscription",
    "charge_office",
    "create_payment_link",
    "ensure_customer",
    "issue_credit_note",
    "make_card_link",
    "mark_uncollectible",
    "move_trial_end",
    "open_document",
    "open_portal",
    "pause_collection",
    "pay_invoice",
    "prepare_determination",
    "prepare_payment_method",
    "preview_change",
    "preview_charge",
    "preview_credit",
    "preview_credit_note",
    "preview_discount",
    "preview_refund",
    "preview_restarted_period",
    "preview_subscribe",
    "preview_trial_end",
    "preview_upcoming",
    "preview_without_discount",
    "refund_payment",
    "remove_discount",
    "remove_payment_method",
    "restart_period",
    "resume_collection",
    "resume_renewal",
    "resume_unsettled",
    "retry_invoice",
    "send_invoice",
    "set_default_payment_method",
    "shown_payment_link",
    "subscribe",
    "unarchive_office",
    "void_invoice",
    "withdraw_determination",
    "withdraw_payment_link",
]
