"""What may be sent to Stripe: a closed list of methods, paths, fields, and what the value of each field can be.

A field that is not in this list is never sent, whatever the caller passed, and neither is a value of another type. No
field is for patient data. Of an Office's data there are only its name, its e-mail address, its language and neutral
words. Comments say why Stripe needs the fields.

In a path ``*`` stands for an id; ``PATH_IDS`` says of which type. A field inside another is written ``items[].price``
or ``recurring.interval``. A field with several types takes a value of any of them.

Counsel reviews this list. ``text`` has one line for each method, path, field and type, and its SHA-256 is the
fingerprint that a determination names (``reviewed``). Another name for a type is another line.
"""

import fnmatch
import functools
import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from billing import errors, invoice_lines
from billing.models.statuses import CheckoutStatus, InvoicesBecome, InvoiceStatus
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
    PLAN_NAME,
    UUID,
    Type,
    stripe_id,
    words,
)

Types = tuple[Type, ...]
Fields = dict[str, Types]

API_VERSION = "2026-08-26.dahlia"
NAME = re.compile(r"[a-z][a-z_]{0,39}")
ODD_NAME = "(another name)"
"""Stands for the name of a field that may be a text which somebody typed, so that no error repeats it."""

CUSTOMER = (stripe_id("cus"),)
SUBSCRIPTION = (stripe_id("sub"),)
ITEM = (stripe_id("si"),)
INVOICE = (stripe_id("in", "upcoming_in"),)
CHARGE = (stripe_id("ch", "py"),)
CARD = (stripe_id("pm", "card", "src", "ba"),)
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
    "products": (CHOSEN_ID,),
    "prices": (CHOSEN_ID,),
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


ITEM_FIELDS: Fields = {"id": ITEM, "price": (CHOSEN_ID,), "quantity": (COUNT,)}
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
            "line_items[].price": (CHOSEN_ID,),
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
        # the catalogue: neutral names, because they are printed on card statements
        "/v1/products": {"name": (PLAN_NAME,), **_labels("plan")},
        "/v1/prices": {
            "product": (CHOSEN_ID,),
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
        "/v1/products/*": {},
        "/v1/prices": PAGE | {"type": words("recurring")} | _expand("data.product"),
        "/v1/prices/*": _expand("product"),
        # a discount code that somebody typed
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
    },
}


@dataclass(frozen=True, slots=True, order=True)
class Entry:
    """One line of the list. ``field`` and ``type`` are empty for the path itself."""

    method: str
    path: str
    field: str = ""
    type: str = ""
    tells: bool = False

    @property
    def line(self) -> str:
        return f"{self.method.upper()}\t{self.path}\t{self.field}\t{self.type}"

    @property
    def in_words(self) -> str:
        return f"{self.method.upper()} {self.path} {self.field}".strip() + (f" ({self.type})" if self.type else "")

    @property
    def needs_review(self) -> bool:
        """A request that only reads, and has only ids, words and numbers, tells Stripe nothing about anybody."""
        return self.method != "get" or self.tells


def checked(method: str, path: str, params: dict[str, Any]) -> set[Entry]:
    """Return the entries of the list that this request needs. ``method`` is in lower case.

    Raises:
        FieldNotAllowed: the path or a field is not on the list.
        ValueNotAllowed: a value is not of the type that its field has. Neither error says any value.
    """
    pattern = _pattern(method, path)
    fields = ALLOWED[method][pattern]
    used, strange, wrong = _used_by_path(method, pattern, path), [], []
    for name, value in _leaves(params):
        types = fields.get(name)
        if types is None:
            strange.append(name)
            continue
        fitting = next((one for one in types if one.fits(value)), None)
        if fitting:
            used.add(_entry(method, pattern, name, fitting))
        else:
            wrong.append(f"{name} must be {' or '.join(one.name for one in types)}")
    if strange:
        raise errors.FieldNotAllowed(pattern, sorted(set(strange)))
    if wrong:
        raise errors.ValueNotAllowed(pattern, sorted(set(wrong)))
    return used


@functools.cache
def entries() -> frozenset[Entry]:
    """Return the whole list."""
    found: set[Entry] = set()
    for method, paths in ALLOWED.items():
        for pattern, fields in paths.items():
            found |= {_of_path(method, pattern, one) for one in _id_types(pattern) or [None]}
            found |= {_entry(method, pattern, name, one) for name, types in fields.items() for one in types}
    return frozenset(found)


@functools.cache
def text() -> str:
    """Return the list as counsel reads it: one line for each entry, sorted."""
    return "".join(f"{line}\n" for line in sorted(entry.line for entry in entries()))


def fingerprint_of(listed: str) -> str:
    """Return the SHA-256 of a list, as sha256sum prints it for a file with this text."""
    return hashlib.sha256(listed.encode()).hexdigest()


def matches(path: str, pattern: str) -> bool:
    """Return whether the path fits the pattern. ``*`` in the pattern stands for one part of the path."""
    return pattern.count("/") == path.count("/") and fnmatch.fnmatchcase(path, pattern)


def _pattern(method: str, path: str) -> str:
    """Return the path of the list that this one is. Raises: FieldNotAllowed: there is none."""
    paths = ALLOWED.get(method, {})
    if path in paths and "*" not in path:
        return path
    found = next((one for one in paths if "*" in one and matches(path, one)), None)
    if found is None:
        raise errors.FieldNotAllowed(_without_values(path), ["this address"])
    return found


def _used_by_path(method: str, pattern: str, path: str) -> set[Entry]:
    types, parts = _id_types(pattern), path.split("/")
    if not types:
        return {_of_path(method, pattern, None)}
    value = parts[pattern.split("/").index("*")]
    fitting = next((one for one in types if one.fits(value)), None)
    if fitting is None:
        must = " or ".join(one.name for one in types)
        raise errors.ValueNotAllowed(pattern, [f"* must be {must}"])
    return {_of_path(method, pattern, fitting)}


def _id_types(pattern: str) -> Types:
    parts = pattern.split("/")
    return PATH_IDS[parts[parts.index("*") - 1]] if "*" in parts else ()


def _of_path(method: str, pattern: str, kind: Type | None) -> Entry:
    return _entry(method, pattern, "*", kind) if kind else Entry(method, pattern)


def _entry(method: str, pattern: str, name: str, kind: Type) -> Entry:
    return Entry(method, pattern, name, kind.name, kind.tells)


def _leaves(value: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the name and value of each field, also of those inside others. What is empty is a value itself."""
    if isinstance(value, dict) and (value or not name):
        for key, inner in value.items():
            plain = key if NAME.fullmatch(str(key)) else ODD_NAME  # ``metadata[x]`` as one key is another field
            yield from _leaves(inner, f"{name}.{plain}" if name else plain)
    elif isinstance(value, list | tuple) and value:
        for inner in value:
            yield from _leaves(inner, f"{name}[]")
    else:
        yield name, value


def _without_values(path: str) -> str:
    known = {part for paths in ALLOWED.values() for one in paths for part in one.split("/")}
    return "/".join(part if part in known else "*" for part in path.split("/"))
