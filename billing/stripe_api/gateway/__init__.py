"""One function per thing we ask of Stripe, in our words, with frozen values as answers.

A function that changes something takes ``step=`` and can be repeated with the same step without a second
effect. Each may raise CardDeclined, StripeRejected or StripeUnavailable (billing/errors.py).
"""

from billing.stripe_api.gateway.account import (
    AccountState,
    EndpointState,
    account,
    create_webhook_endpoint,
    find_webhook_endpoint,
)
from billing.stripe_api.gateway.adjustments import (
    PreviewedCreditNote,
    find_credit_note,
    find_refund,
    issue_credit_note,
    preview_credit_note,
    refund_payment,
)
from billing.stripe_api.gateway.catalogue import (
    create_price,
    create_product,
    is_price_for_sale,
    is_product_for_sale,
)
from billing.stripe_api.gateway.customers import (
    adjust_credit,
    attach_payment_method,
    contact,
    create_customer,
    create_portal_link,
    detach_payment_method,
    fetch_customer,
    find_customer,
    has_credit_adjustment,
    path_of,
    set_default_payment_method,
    update_customer,
)
from billing.stripe_api.gateway.invoices import pay_invoice
from billing.stripe_api.gateway.looks import customer_of, fetch
from billing.stripe_api.gateway.payment_methods import (
    card_set_up,
    create_card_link,
    create_setup_intent,
    has_card_link,
    has_setup_intent,
    owner_of_card,
)
from billing.stripe_api.gateway.subscriptions import (
    StartedSubscription,
    cancel_subscription,
    change_subscription,
    fetch_subscription,
    find_subscription,
    preview_subscription_change,
    start_subscription,
)

__all__ = [
    "AccountState",
    "EndpointState",
    "PreviewedCreditNote",
    "StartedSubscription",
    "account",
    "adjust_credit",
    "attach_payment_method",
    "cancel_subscription",
    "card_set_up",
    "change_subscription",
    "contact",
    "create_card_link",
    "create_customer",
    "create_portal_link",
    "create_price",
    "create_product",
    "create_setup_intent",
    "create_webhook_endpoint",
    "customer_of",
    "detach_payment_method",
    "fetch",
    "fetch_customer",
    "fetch_subscription",
    "find_credit_note",
    "find_customer",
    "find_refund",
    "find_subscription",
    "find_webhook_endpoint",
    "has_card_link",
    "has_credit_adjustment",
    "has_setup_intent",
    "is_price_for_sale",
    "is_product_for_sale",
    "issue_credit_note",
    "owner_of_card",
    "path_of",
    "pay_invoice",
    "preview_credit_note",
    "preview_subscription_change",
    "refund_payment",
    "set_default_payment_method",
    "start_subscription",
    "update_customer",
]
