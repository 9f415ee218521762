"""What may be sent to Stripe: a closed list of methods, paths, fields, and what the value of each field can be.

No field is for patient data. Of an Office's data there are only its name, its e-mail address, its language and neutral
words. Comments say why Stripe needs the fields. ``outbound`` holds each request against the list.

In a path ``*`` stands for an id; ``PATH_IDS`` says of which type. A field inside another is written ``items[].price``
or ``recurring.interval``. A field with several types takes a value of any of them.

Counsel reviews this list. Another name for a type is another line.
"""

from billing import invoice_lines
from billing.models.statuses import CheckoutStatus, InvoicesBecome, InvoiceStatus
from billing.stripe_api.stored_ids import stored_id
from billing.stripe_api.value_types import (
    BUSINESS_NAME,
    CHOSEN_ID,
    COUNT,
    CURRENCY,
    DISCOUNT_CODE,
    EMAIL,
    EPOCH,
    FLAG,
    LANGUAGE,
    MINOR_UNITS,
    OUR_URL,
    PERCENT,
    PLAN_NAME,
    UUID,
    Type,
    stripe_id,
    words,
)

Types = tuple[Type, ...]
Fields = dict[str, Types]

API_VERSION = "2026-08-26.dahlia"

CUSTOMER = (stripe_id("cus"), stored_id("customer"))
SUBSCRIPTION = (stripe_id("sub"), stored_id("subscription"))
ITEM = (stripe_id("si"), stored_id("item"))
INVOICE = (stripe_id("in", "upcoming_in"), stored_id("invoice"))
CHARGE = (stripe_id("ch", "py"), stored_id("charge"))
CARD = (stripe_id("pm", "card", "src", "ba"), stored_id("card"))
PRODUCT = (CHOSEN_ID, stored_id("product"))
PRICE = (CHOSEN_ID, stored_id("price"))
TAX_RATE = (stripe_id("txr"),)
PROMOTION_CODE = (stripe_id("promo"),)

PATH_IDS: dict[str, Types] = {
    "customers": CUSTOMER,
    "subscriptions": SUBSCRIPTION,
    "invoices": INVOICE,
    "charges": CHARGE,
    "payment_methods": CARD,
    "sessions": (stripe_id("cs"),),
    "setup_intents": (stripe_id("seti"),),
    "payment_intents": (stripe_id("pi"),),
    "webhook_endpoints": (stripe_id("we"),),
    # the vendor may have chosen these ids
    "products": PRODUCT,
    "prices": PRICE,
    "coupons": (DISCOUNT_CODE,),
}
"""Which type an id in a path has, by the part before it."""

# our own opaque ids, to find an object again, and the code of a neutral charge, to describe it in our own words
METADATA: Fields = {
    "office": (UUID,),
    "operation": (UUID,),
    "plan": (UUID,),
    "price": (UUID,),
    "charge": words(*invoice_lines.CATALOGUE),
}


def _labels(*names: str, within: str = "") -> Fields:
    return {f"{within}metadata.{name}": METADATA[name] for name in names}


def _discounts(*, or_none: bool = False) -> Fields:
    """A coupon's or a promotion code's id. The empty word takes discounts away."""
    fields: Fields = {"discounts[].coupon": (DISCOUNT_CODE,), "discounts[].promotion_code": PROMOTION_CODE}
    return fields | ({"discounts": words("")} if or_none else {})


def _items(within: str = "") -> Fields:
    return {f"{within}items[].{name}": types for name, types in ITEM_FIELDS.items()}


ITEM_FIELDS: Fields = {"id": ITEM, "price": PRICE, "quantity": (COUNT,)}
PRORATION = words("create_prorations", "always_invoice", "none")
TERMS: Fields = {
    "proration_behavior": PRORATION,
    "proration_date": (EPOCH,),
    "cancel_at": (EPOCH, *words("")),
    "trial_end": (EPOCH, *words("now")),
    "billing_cycle_anchor": words("now"),
}
"""What a change of a subscription and its preview can say: when it ends, and when it is charged next."""
LINE: Fields = {
    "amount": (MINOR_UNITS,),
    "currency": (CURRENCY,),
    "description": words(*invoice_lines.CATALOGUE.values()),  # from our catalogue; it is printed on the invoice
    "discountable": (FLAG,),
    "tax_rates[]": TAX_RATE,
}
CREDIT_NOTE: Fields = {
    "invoice": INVOICE,
    "amount": (MINOR_UNITS,),
    "refund_amount": (MINOR_UNITS,),
    "credit_amount": (MINOR_UNITS,),
}
CONTACT: Fields = {
    "name": (BUSINESS_NAME,),
    "email": (EMAIL,),
    "preferred_locales[]": (LANGUAGE,),
    **_labels("office", "operation"),
}
PAGE: Fields = {"limit": (COUNT,), "starting_after": (CHOSEN_ID,)}
SINCE: Fields = {"created.gte": (EPOCH,)}


def _expand(*paths: str) -> Fields:
    """What Stripe is asked to show together with an object."""
    return {"expand[]": words(*paths)} if paths else {}


OF_CUSTOMER = ("invoice_settings.default_payment_method", "default_source", "invoice_credit_balance")
OF_COUPON = ("applies_to", "currency_options")

ALLOWED: dict[str, dict[str, Fields]] = {
    "post": {
        # an invoice is addressed to a name and an e-mail address
        "/v1/customers": CONTACT,
        "/v1/customers/*": CONTACT
        | {"email": (EMAIL, *words(""))}  # one that was taken over may have none yet
        | {"invoice_settings.default_payment_method": CARD},
        # credit: an amount, and our own id to find it again
        "/v1/customers/*/balance_transactions": {
            "amount": (MINOR_UNITS,),
            "currency": (CURRENCY,),
            **_labels("operation"),
        },
        "/v1/payment_methods/*/attach": {"customer": CUSTOMER},
        "/v1/payment_methods/*/detach": {},
        # a card is entered at Stripe, never here: in a setup intent of the vendor's front end, or on a page at Stripe
        "/v1/setup_intents": {
            "customer": CUSTOMER,
            "usage": words("off_session"),
            "payment_method_types[]": words("card"),
            **_labels("office", "operation"),
        },
        "/v1/checkout/sessions": {
            "mode": words("setup", "subscription"),
            "customer": CUSTOMER,
            "payment_method_types[]": words("card"),
            "line_items[].price": PRICE,
            "line_items[].quantity": (COUNT,),
            "subscription_data.trial_period_days": (COUNT,),
            **_labels("office", "operation", within="subscription_data."),
            **_discounts(),
            "success_url": (OUR_URL,),
            "cancel_url": (OUR_URL,),
            **_labels("office", "operation", within="setup_intent_data."),
            **_labels("office", "operation"),
        },
        "/v1/checkout/sessions/*/expire": {},
        "/v1/billing_portal/sessions": {"customer": CUSTOMER, "return_url": (OUR_URL,)},
        # a discount for one Office: how much, how long and how often; it has no name
        "/v1/coupons": {
            "percent_off": (PERCENT,),
            "amount_off": (MINOR_UNITS,),
            "currency": (CURRENCY,),
            "duration": words("once", "repeating", "forever"),
            "duration_in_months": (COUNT,),
            "max_redemptions": (COUNT,),
            **_labels("operation"),
        },
        # the catalogue: neutral names, because they are printed on card statements
        "/v1/products": {"name": (PLAN_NAME,), **_labels("plan")},
        "/v1/products/*": {"name": (PLAN_NAME,), "active": (FLAG,)},
        "/v1/prices/*": {"active": (FLAG,)},
        "/v1/prices": {
            "product": PRODUCT,
            "currency": (CURRENCY,),
            "unit_amount": (MINOR_UNITS,),
            "recurring.interval": words("day", "week", "month", "year"),
            "recurring.interval_count": (COUNT,),
            **_labels("price"),
        },
        "/v1/subscriptions": {
            "customer": CUSTOMER,
            **_items(),
            "payment_behavior": words("default_incomplete"),
            "trial_period_days": (COUNT,),
            **_discounts(),
            **_labels("office", "operation"),
            **_expand("latest_invoice"),
        },
        # a change of plan and seats, and its terms: when it ends, whether it is collected, and its discount
        "/v1/subscriptions/*": {
            "cancel_at_period_end": (FLAG,),
            **_items(),
            "payment_behavior": words("error_if_incomplete"),
            **TERMS,
            "pause_collection": words(""),
            "pause_collection.behavior": words(*InvoicesBecome.values),
            "pause_collection.resumes_at": (EPOCH,),
            **_discounts(or_none=True),
            **_labels("operation"),
        },
        "/v1/invoices/create_preview": {
            "customer": CUSTOMER,
            "subscription": SUBSCRIPTION,
            **_items("subscription_details."),
            **{f"subscription_details.{name}": types for name, types in TERMS.items()},
            **_discounts(or_none=True),
            "currency": (CURRENCY,),
            **{f"invoice_items[].{name}": types for name, types in LINE.items()},
            **_labels("charge", within="invoice_items[]."),
        },
        # a one-off charge: how it is collected, and one line
        "/v1/invoices": {
            "customer": CUSTOMER,
            "currency": (CURRENCY,),
            "collection_method": words("charge_automatically", "send_invoice"),
            "days_until_due": (COUNT,),
            "auto_advance": (FLAG,),
            "pending_invoice_items_behavior": words("exclude"),
            **_labels("office", "operation"),
        },
        "/v1/invoiceitems": {
            "customer": CUSTOMER,
            "invoice": INVOICE,
            **LINE,
            **_labels("operation", "charge"),
        },
        "/v1/invoices/*/finalize": {"auto_advance": (FLAG,), **_expand("payments")},
        "/v1/invoices/*/send": {},
        "/v1/invoices/*/void": {},
        "/v1/invoices/*/mark_uncollectible": {},
        "/v1/invoices/*/pay": {"off_session": (FLAG,), "payment_method": CARD},
        # money back: of which payment or invoice, how much, and the reason in one of Stripe's words; ours stay here
        "/v1/refunds": {
            "charge": CHARGE,
            "amount": (MINOR_UNITS,),
            "reason": words("duplicate", "fraudulent", "requested_by_customer"),
            **_labels("operation"),
        },
        "/v1/credit_notes": CREDIT_NOTE
        | {
            "reason": words("duplicate", "fraudulent", "order_change", "product_unsatisfactory"),
            **_labels("operation"),
        },
        # where Stripe reports events
        "/v1/webhook_endpoints": {
            "url": (OUR_URL,),
            "enabled_events[]": words("*"),
            "api_version": words(API_VERSION),
            "description": words("Office Billing"),
        },
        "/v1/webhook_endpoints/*": {"disabled": (FLAG,), "enabled_events[]": words("*")},
    },
    "get": {
        "/v1/account": {},
        # an Office's customer is looked for by its e-mail address, where our record of it may be lost
        "/v1/customers": PAGE | {"email": (EMAIL,)} | _expand(*(f"data.{one}" for one in OF_CUSTOMER)),
        "/v1/customers/*": _expand(*OF_CUSTOMER),
        "/v1/customers/*/balance_transactions": PAGE,
        "/v1/customers/*/payment_methods": PAGE,
        "/v1/payment_methods/*": {},
        "/v1/payment_intents/*": {},
        "/v1/setup_intents": PAGE | {"customer": CUSTOMER},
        "/v1/setup_intents/*": {},
        "/v1/checkout/sessions": PAGE | {"customer": CUSTOMER, "status": words(CheckoutStatus.OPEN)},
        "/v1/checkout/sessions/*": _expand("setup_intent"),
        "/v1/products": PAGE,
        "/v1/products/*": {},
        "/v1/prices": PAGE | {"type": words("recurring"), "product": PRODUCT} | _expand("data.product"),
        "/v1/prices/*": _expand("product"),
        # a discount code that somebody typed; one that the gate refuses is compared with the lists here
        "/v1/coupons": PAGE | _expand(*(f"data.{one}" for one in OF_COUPON)),
        "/v1/coupons/*": _expand(*OF_COUPON),
        "/v1/promotion_codes": PAGE
        | {"code": (DISCOUNT_CODE,), "active": words("true")}
        | _expand(*(f"data.promotion.coupon.{one}" for one in OF_COUPON)),
        "/v1/subscriptions": PAGE
        | {"customer": CUSTOMER, "status": words("all")}
        | _expand(
            "data.latest_invoice",
            "data.latest_invoice.payments",
            "data.discounts.source.coupon",
            "data.default_payment_method",
            "data.default_source",
            "data.schedule",
            *(f"data.customer.{one}" for one in OF_CUSTOMER),
        ),
        "/v1/subscriptions/*": _expand("latest_invoice", "discounts.source.coupon"),
        "/v1/subscription_items": PAGE | {"subscription": SUBSCRIPTION} | _expand("data.discounts.source.coupon"),
        "/v1/subscription_schedules": PAGE | {"customer": CUSTOMER, "scheduled": (FLAG,)},
        "/v1/invoices": PAGE
        | SINCE
        | {"customer": CUSTOMER, "status": words(*InvoiceStatus.values)}
        | _expand("data.payments"),
        "/v1/invoices/*": _expand("payments"),
        "/v1/invoices/*/lines": PAGE,
        "/v1/invoice_payments": PAGE | {"invoice": INVOICE},
        "/v1/charges": PAGE
        | SINCE
        | {"customer": CUSTOMER}
        | _expand("data.refunds", "data.failure_balance_transaction"),
        "/v1/charges/*": _expand("refunds", "failure_balance_transaction"),
        "/v1/refunds": PAGE | SINCE | {"charge": CHARGE},
        "/v1/credit_notes": PAGE | SINCE | {"customer": CUSTOMER, "invoice": INVOICE},
        "/v1/credit_notes/preview": CREDIT_NOTE,
        "/v1/disputes": PAGE | SINCE | {"charge": CHARGE},
        "/v1/radar/early_fraud_warnings": PAGE | {"charge": CHARGE},
        "/v1/events": PAGE | SINCE | {"type": words("invoice.sent"), "delivery_success": (FLAG,)},
        "/v1/webhook_endpoints": PAGE,
    },
    "delete": {
        "/v1/subscriptions/*": {},
        "/v1/invoices/*": {},  # a draft
        "/v1/coupons/*": {},  # one that was made for a discount which Stripe then refused
    },
}
