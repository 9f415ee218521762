"""Every address of Stripe's API that the sandbox has. Each module has its own table."""

from stripe_sandbox import (
    account,
    catalogue,
    checkout,
    coupons,
    customers,
    disputes,
    events,
    fraud_warnings,
    intents,
    ledger,
    payment_methods,
    portal,
    previews,
    refunds,
    setup_intents,
    tax_ids,
    tax_rates,
    test_clocks,
)
from stripe_sandbox.handlers import Routes
from stripe_sandbox.invoicing import credit_notes, invoice_editing, invoice_items, invoice_requests
from stripe_sandbox.subscribing import schedules, subscription_items, subscriptions

ROUTES: Routes = {}
for module in (
    account,
    catalogue,
    checkout,
    coupons,
    credit_notes,
    customers,
    disputes,
    events,
    fraud_warnings,
    intents,
    invoice_editing,
    invoice_items,
    invoice_requests,
    ledger,
    payment_methods,
    portal,
    previews,
    refunds,
    schedules,
    setup_intents,
    subscription_items,
    subscriptions,
    tax_ids,
    tax_rates,
    test_clocks,
):
    ROUTES |= module.ROUTES
