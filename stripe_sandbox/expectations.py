"""What this imitation of Stripe does: by Stripe's documentation, or because it is believed. See README.md."""

DOCUMENTED = (
    # (what it does, the page that says so)
    (
        "A customer is billed in another currency as soon as nothing holds the old one: no subscription that has not "
        "ended, and no waiting invoice item. Credit in the old currency stays.",
        "https://support.stripe.com/questions/currency-selection-for-an-invoice-or-customer-in-stripe-billing",
    ),
    (
        "A one-off invoice may be in another currency than the customer's. It takes the waiting items and the balance "
        "of its own currency only.",
        "https://docs.stripe.com/invoicing/multi-currency-customers",
    ),
    (
        "invoice_credit_balance is above zero for credit, and balance, which is in the customer's own currency, below.",
        "https://docs.stripe.com/api/customers/object",
    ),
    (
        "A charge in ISK or UGX is sent with two decimals that are 00, one in a currency of three decimals with a last "
        "digit of 0. HUF and TWD are charged with two decimals.",
        "https://docs.stripe.com/currencies",
    ),
    (
        "Any attempt counts as an invoice's first one, and later only those that are made by itself.",
        "https://docs.stripe.com/api/invoices/object",
    ),
    (
        "An invoice over less than can be charged is paid, and the amount is owed with the next one.",
        "https://docs.stripe.com/billing/customer/balance",
    ),
    (
        "An attached payment pays its invoice or a part of it, now or when it succeeds; the default payment asks for "
        "the rest.",
        "https://docs.stripe.com/invoicing/partial-payments",
    ),
    (
        "An invoice with a payment that is paid, or with an attached one that is open, cannot be voided; with an "
        "attached open one it cannot be marked uncollectible either.",
        "https://docs.stripe.com/invoicing/partial-payments",
    ),
    (
        "The discounts of a preview are the subscription's, and are refused as by its creation or its change.",
        "https://docs.stripe.com/api/invoices/create_preview",
    ),
    (
        "A debit of a US bank account is processing for 4 business days, and then succeeds or comes back.",
        "https://docs.stripe.com/payments/ach-direct-debit/accept-a-payment",
    ),
    (
        "The money of a debit is in the balance, pending, as soon as the debit is sent to the bank. It goes out again, "
        "as payment_failure_refund, when the bank returns the debit.",
        "https://docs.stripe.com/reports/balance-transaction-types",
    ),
    (
        "A start in the past is charged with the first invoice, in a line for each billing period. The share of a part "
        "of a period is of a whole one that begins at that start.",
        "https://docs.stripe.com/billing/subscriptions/backdating",
    ),
    (
        "A subscription is active as soon as its first payment is confirmed, also by a debit that is on its way.",
        "https://docs.stripe.com/api/subscriptions/create",
    ),
    (
        "A subscription whose first invoice stays unpaid expires 23 hours after its creation, and its invoice is "
        "voided. Until then its items, trial and anchor cannot be changed.",
        "https://docs.stripe.com/api/subscriptions/object",
    ),
    (
        "A subscription that is canceled now takes its waiting prorations with it, unless it prorates or invoices. Its "
        "open invoices are no longer collected by themselves.",
        "https://docs.stripe.com/api/subscriptions/cancel",
    ),
    (
        "After the last phase a schedule is released or completed, and its subscription goes on or is canceled.",
        "https://docs.stripe.com/api/subscription_schedules/object",
    ),
    (
        "The end of a subscription that a schedule manages cannot be changed at the subscription. It can be canceled "
        "now.",
        "https://docs.stripe.com/billing/subscriptions/subscription-schedules",
    ),
    (
        "A credit note on an open invoice counts before payment as far as something is left to pay, and the rest "
        "after it.",
        "https://docs.stripe.com/api/credit_notes/create",
    ),
    (
        "The payments of an invoice are shown only where they are expanded.",
        "https://docs.stripe.com/api/invoice-payment",
    ),
    (
        "A request under a used idempotency key with other parameters is refused. A request with wrong parameters is "
        "not kept under its key.",
        "https://docs.stripe.com/api/idempotent_requests",
    ),
    (
        "What is paid too much is the invoice's amount_overpaid, and the customer's credit.",
        "https://docs.stripe.com/api/invoices/object",
    ),
)

EXPECTATIONS = (
    # requests
    "The events of one change come in the order in which the sandbox makes them; Stripe promises no order.",
    "An answer given again under its idempotency key has the header Idempotent-Replayed: true.",
    "An id that does not exist is a 404 where the address names it, and a 400 where a parameter does.",
    "An idempotency key is known for 24 hours of the machine's clock.",
    "A deleted customer is expanded as id, object and deleted.",
    # subscriptions
    "A failed renewal is tried again after 3, then 5, then 7 days, and then cancels the subscription; "
    "Stripe chooses the times by a model. Both are settings of the sandbox.",
    "A renewal without any card is an attempt that failed, and is tried again as one with a card.",
    "A renewal's invoice stays a draft for exactly one hour, whether or not invoice.created was answered.",
    "invoice.upcoming comes seven days before the end of a period, which is a setting of the sandbox.",
    "A subscription that expires tells it by customer.subscription.updated; voiding its first invoice expires it too.",
    "Canceling an incomplete subscription voids its open invoice, and its status is canceled.",
    "A subscription that is behind becomes active when its latest invoice is paid, voided or uncollectible.",
    "A renewal whose card asks for authentication waits for it and counts as a failed attempt.",
    "A trial that is given to a running subscription makes no invoice over nothing.",
    "A pending update's invoice is not tried again by itself; paid, it applies the update at no further cost.",
    # invoices and amounts
    "An invoice's number is its customer's prefix and a count of four digits.",
    "An invoice over nothing is paid as soon as it is finalised, with no payment intent.",
    "An invoice that is finalised by hand and advances by itself is charged after an hour.",
    "An invoice has a promotion code's least amount to reach only as far as it has lines.",
    "A bank account by its test id is verified, with a mandate. A debit that comes back has last_payment_error of type "
    "invalid_request_error, and is tried again as a declined card, the days counted from its return.",
    "A subscription whose debit fails is past due, as after a declined card.",
    "While a debit is on its way its invoice is not paid, voided or settled otherwise, and cannot be tried again.",
    "The billing periods of a start in the past are counted back from now, and their lines are prorations.",
    "The lines of the newest 20 previews can be listed by the id of the preview.",
    "A refund to a bank account is pending for a day.",
    "Which amounts are too little is known for the currencies of Stripe's list only; a preview asks for none of them.",
    "An attached payment that fails changes nothing at its invoice; its success is no attempt. It pays one invoice.",
    "A phase that begins with a period changes the items before that period is billed, without prorations. A schedule "
    "starts its subscription as active, with a first invoice that is a draft for an hour.",
    "A subscription shows its first 10 items; the pages of its list go on from there, oldest first.",
    "A percentage is taken from each line and rounded there; an amount off is spread over the lines in proportion.",
    "Taxes are rounded on each line, halves away from zero.",
    "Prorations are invoice items also in flexible billing mode; percentages off lower their amounts, amounts off do "
    "not.",
    "A credit for unused time is a share of what was debited for it, whether or not that was paid.",
    "Charges and disputes cost no fee; what charges bring is available after two days.",
    # delivery
    "A test clock has advanced by the time of the next request.",
    "A delivery that fails is tried 15 times, after 1, 2, 4 … and at most 60 seconds.",
    "An attempt to deliver fails where no 2xx comes within 10 seconds; at most 8 are on the way to one endpoint.",
    "What waits for an endpoint that is deleted or disabled ends, and its event keeps the count of who has not heard.",
    "A concurrent request with the same idempotency key is a 409 of type invalid_request_error.",
    "A limit of requests per second is off until the settings of the control plane set one.",
    # customers, catalogue, cards and search
    "An update of a customer's address or shipping replaces the whole and does not merge it with what was there.",
    "Deleting a customer detaches the payment methods, each with its event, before customer.deleted.",
    "A balance that is set with a customer makes a transaction of the type initial, and one that is changed "
    "later one of the type adjustment.",
    "Tax ids are verified at once: of au_abn, eu_vat and gb_vat, numbers that end in 000000000 are verified, "
    "in 111111111 unverified, and others stay pending.",
    "A tax id's owner has at most 5 of them.",
    "Detaching a payment method also takes it from the subscriptions that had it as their default.",
    "A price that is made for one line or item is inactive, and price.created tells of it.",
    "A lookup key is taken also by an inactive price.",
    "A coupon that is used up is refused with the code coupon_expired, as are promotion codes that are "
    "inactive or expired.",
    "No event tells that a coupon or a promotion code was redeemed, is used up or has expired.",
    "customer.discount.created and customer.discount.deleted tell of the discounts of customers and "
    "subscriptions, not of those of items and invoices; a coupon that takes another's place is told by both, "
    "and customer.discount.updated never comes.",
    "Who has a discount keeps it when its coupon is deleted, and the coupon is then expanded as id, object and"
    " deleted.",
    "A card that has to be authenticated once is asked at each setup until one succeeds.",
    "A search finds objects on test clocks too.",
    # after a payment
    "A refund's balance transaction, and the charge's amounts, move when the refund is made, also while it is pending.",
    "A pending refund succeeds, and one that must fail fails, one day later; a failed or canceled one gives the "
    "charge its amount back without an event of the charge.",
    "A refund that fails has the failure reason expired_or_canceled_card.",
    "A charge that is not captured or did not succeed is refused a refund with charge_not_refundable, a disputed "
    "one with charge_disputed.",
    "A dispute must be answered within 7 days, or is lost; an inquiry that nobody decides closes after 120 days.",
    "Submitted evidence decides one day later by its uncategorized_text; with any other text the dispute stays "
    "under review.",
    "An inquiry marks its charge as disputed and leaves it refundable; refunding the charge does not close the "
    "inquiry.",
    "A card that is warned of is warned of right after its charge; when the charge is refunded in whole or disputed, "
    "radar.early_fraud_warning.updated tells that nothing can be done any more.",
    "A credit note by amount has one line, with each of the invoice's taxes in proportion; shares are rounded so "
    "that all notes together take each cent once.",
    "A preview of a credit note wants the same sums as its creation.",
    "A credit note can be voided only while its invoice is open and nothing of the note counts after payment.",
    "The page of a checkout session starts an incomplete subscription with the first card that is tried, and "
    "cancels it when the session expires.",
    "A checkout session's amounts are those of today: nothing for what a trial puts off; once complete, those of "
    "its invoice.",
    "A customer's card that pays at checkout is attached to the customer.",
    "The billing portal's default configuration exists from its first use: cancellation at the period's end, "
    "card, invoices.",
    "A card that is chosen in the portal becomes the default of the customer and of each subscription that had "
    "one of its own.",
    # requests that are wrong
    "An idempotency key is in use as long as its first request is being answered and its client waits; who gave up "
    "waiting gets the answer.",
    "A tax rate that does not exist is named by its whole place, as items[0][tax_rates][0].",
    "Quantities are at most 999999, amounts 99999999 either way, and the months of a coupon 120.",
    "An invoice item has the currency of its invoice, else of its subscription, else the customer's. Without "
    "an invoice and a subscription it may have any.",
    "A subscription that has not ended holds its customer's currency, also one that is incomplete or paused.",
    "The amounts of prices, coupons, invoice items and balances are as whole as those of charges. Prorations, "
    "discounts and taxes are rounded to what their currency can charge.",
    "Another method than GET, HEAD, POST and DELETE is a 405 with Stripe's error body.",
    # subscriptions, again
    "Deleting a customer cancels its schedules that have not started.",
    "A credit for the time after cancel_at waits from the request on that sets it; an end that moves or is taken "
    "back debits the time again.",
    "Of items with different intervals, a renewal bills those whose own period ends; the anchor stays the "
    "subscription's. An item that was billed beyond an earlier end is credited for the rest.",
    "The ten days to verify a bank account begin when its deposit is to arrive; the deposit has a code, never "
    "amounts. The last wrong try fails the setup intent, and is answered with it and not with an error.",
    "A change of a subscription's items, trial, anchor or end voids the invoice of a pending update, which is "
    "then dropped; so does the subscription's end.",
    "The invoice of a pending update asks for what the change costs, and for nothing that waited before; a new "
    "period begins when the change was asked for.",
    "An update with payment_behavior=pending_if_incomplete is made at once while collection is paused, and where "
    "invoices are sent.",
    "Resuming with an unchanged anchor bills what is left of the period at once, whether prorations are created "
    "or always invoiced.",
    "A subscription that is not resumed because its invoice is void has its anchor and period from before.",
    "The invoice for resuming is voided after 23 hours.",
    "A subscription that saves its payment method takes the card of each payment that succeeds.",
    "A change of the settings of retries moves those that wait; one for which there is no day any more stays.",
)
