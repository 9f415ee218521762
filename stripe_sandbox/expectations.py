"""What this Stripe does by engineering knowledge, and nobody has confirmed against the real one. See README.md."""

EXPECTATIONS = (
    "The events of one change come in the order in which the sandbox makes them; Stripe promises no order.",
    "A failed renewal is tried again after 3, then 5, then 7 days, and then cancels the subscription; "
    "Stripe chooses the times by a model and the end by a setting.",
    "A renewal without any card to charge ends the subscription at once, without a retry.",
    "A renewal's invoice stays a draft for exactly one hour, whether or not invoice.created was answered.",
    "A subscription whose first invoice stays unpaid expires exactly 23 hours after its creation, tells it by "
    "customer.subscription.updated, and its invoice is voided.",
    "Canceling an incomplete subscription voids its open invoice; other open invoices stay open and are no "
    "longer collected.",
    "An answer given again under its idempotency key has the header Idempotent-Replayed: true.",
    "Other parameters under a used idempotency key are a 400 of type idempotency_error.",
    "Idempotency keys are kept until a reset and never pruned.",
    "A deleted customer is expanded as id, object and deleted.",
    "The payments of an invoice are shown only where they are expanded.",
    "An invoice's number is the last eight characters of its customer's id and a count of four digits.",
    "An invoice over nothing is paid as soon as it is finalised, with no payment intent.",
    "A card that asks for authentication is declined with authentication_required; nobody can complete it.",
    "A delivery that fails is tried 15 times, after 1, 2, 4 … and at most 60 seconds.",
    "Refunds succeed at once.",
)
