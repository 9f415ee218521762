"""Every address of Stripe's API that the sandbox has: each module brings its own table."""

from stripe_sandbox import (
    catalogue,
    checkout,
    coupons,
    credit_notes,
    customers,
    disputes,
    events,
    intents,
    invoice_editing,
    invoice_items,
    invoice_requests,
    ledger,
    payment_methods,
    portal,
    refunds,
    setup_intents,
    subscriptions,
    tax_ids,
    test_clocks,
)
from stripe_sandbox.handlers import Routes

MODULES = (
    catalogue,
    checkout,
    coupons,
    credit_notes,
    customers,
    disputes,
    events,
    intents,
    invoice_editing,
    invoice_items,
    invoice_requests,
    ledger,
    payment_methods,
    portal,
    refunds,
    setup_intents,
    subscriptions,
    tax_ids,
    test_clocks,
)
ROUTES: Routes = {}
for module in MODULES:
    ROUTES |= module.ROUTES
