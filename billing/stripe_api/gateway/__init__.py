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
from billing.stripe_api.gateway.catalogue import (
    create_price,
    create_product,
    is_price_for_sale,
    is_product_for_sale,
)
from billing.stripe_api.gateway.customers import (
    attach_payment_method,
    create_customer,
    detach_payment_method,
    fetch_customer,
    find_customer,
    set_default_payment_method,
)
from billing.stripe_api.gateway.invoices import pay_invoice
from billing.stripe_api.gateway.looks import customer_of, fetch
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
    "StartedSubscription",
    "account",
    "attach_payment_method",
    "cancel_subscription",
    "change_subscription",
    "create_customer",
    "create_price",
    "create_product",
    "create_webhook_endpoint",
    "customer_of",
    "detach_payment_method",
    "fetch",
    "fetch_customer",
    "fetch_subscription",
    "find_customer",
    "find_subscription",
    "find_webhook_endpoint",
    "is_price_for_sale",
    "is_product_for_sale",
    "pay_invoice",
    "preview_subscription_change",
    "set_default_payment_method",
    "start_subscription",
]
