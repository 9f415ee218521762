"""What a request says about a subscription: its items and other terms, checked and converted to fields of rows."""

from dataclasses import dataclass, field

from stripe_sandbox import catalogue, discounts
from stripe_sandbox.errors import invalid, unsupported
from stripe_sandbox.handlers import Params, merged, refuse_automatic_tax
from stripe_sandbox.invoicing import invoice_lines, invoices
from stripe_sandbox.store import Row, Store
from stripe_sandbox.subscribing import subscription_rows as rows

DAY = 86_400
LONGEST_TRIAL = 730  # days
UNSUPPORTED = (
    "application_fee_percent billing_cycle_anchor_config billing_schedules billing_thresholds "
    "customer_account default_source on_behalf_of pending_invoice_item_interval transfer_data"
).split()
COPIED = (
    "collection_method default_payment_method default_tax_rates description invoice_settings "
    "payment_settings trial_settings"
).split()


@dataclass
class Item:
    """An item as the request asks for it: an existing row to change, or no row for a new item."""

    row: Row | None
    price: Row
    quantity: int
    deleted: bool = False
    values: Row = field(default_factory=dict)

    def changes(self) -> bool:
        """Whether the charge differs from before."""
        old = self.row
        return old is None or self.deleted or (old["price"], old["quantity"]) != (self.price["id"], self.quantity)


def refuse_unsupported(params: Params) -> None:
    """Refuse parameters that would change money or a status, and that the sandbox does not have. Raises: 501."""
    for name in UNSUPPORTED:
        if params.get(name):
            raise unsupported(f"{name} of a subscription")
    refuse_automatic_tax(params)


def start_date(params: Params, now: int) -> int:
    """Return when the subscription starts, which may be in the past.

    Raises: a 400 for a start in the future; a 501 if elapsed time would be charged together with a trial or an anchor.
    Source: https://docs.stripe.com/billing/subscriptions/backdating
    """
    start: int = params.get("backdate_start_date") or now
    if start > now:
        raise invalid("backdate_start_date must be in the past.", param="backdate_start_date")
    if start < now and params.get("proration_behavior") != "none":
        for name in ("trial_end", "trial_period_days", "billing_cycle_anchor"):
            if params.get(name):
                raise unsupported(f"{name} of a subscription that is charged for time before now")
    return start


def price_of(store: Store, given: Params, param: str) -> Row | None:
    """Find the recurring price of an item, by id or by its data. Returns None if the item names no price."""
    key = given.get("price") or given.get("plan")
    if key:
        price = store.need("price", key, f"{param}[price]")
        if not price["active"] and not given.get("_made_price"):  # a checkout session makes prices that are inactive
            raise invalid(
                "The price specified is inactive. This field only accepts active prices.", param=f"{param}[price]"
            )
    elif "price_data" in given:
        price = catalogue.price_from_data(store, given["price_data"], f"{param}[price_data]")
    else:
        return None
    if not price["recurring"]:
        raise invalid(
            "The price specified is set to `type=one_time` but this field only accepts prices with `type=recurring`.",
            param=f"{param}[price]",
        )
    return price


def item_of(store: Store, given: Params, customer: str, param: str, row: Row | None) -> Item:
    """Read one member of ``items``."""
    price = price_of(store, given, param)
    if price is None and row is None:
        raise invalid(f"Missing required param: {param}[price].", param=f"{param}[price]", code="parameter_missing")
    if price is None:
        assert row
        price = store.objects["price"][row["price"]]
    if given.get("billing_thresholds"):
        raise unsupported("billing thresholds")
    quantity: int = given["quantity"] if "quantity" in given else row["quantity"] if row else 1
    if quantity < 0:
        raise invalid("This value must be greater than or equal to 0.", param=f"{param}[quantity]")
    values: Row = {}
    if "metadata" in given:
        values["metadata"] = merged(row and row["metadata"], given["metadata"])
    if "tax_rates" in given:
        values["tax_rates"] = given["tax_rates"] or []
    if "discounts" in given:
        values["discounts"] = discounts.create(
            store,
            given["discounts"] or [],
            customer=customer,
            currency=price["currency"],
            amount=invoice_lines.amount_of(price, quantity),
            field=f"{param}[discounts]",
        )
    return Item(row, price, quantity, bool(given.get("deleted")), values)


def check_together(items: list[Item], billing_mode: str) -> None:
    """Refuse items of different currencies, too many items, and the same price twice.

    Different intervals need the flexible billing mode.
    Source: https://docs.stripe.com/billing/subscriptions/mixed-interval
    """
    kept = [item for item in items if not item.deleted]
    if not kept:
        raise invalid("A subscription must have at least one active price.", param="items")
    if len(kept) > 20:
        raise invalid("A subscription has at most 20 items.", param="items")
    for item in kept:
        check_currency(item.price, kept[0].price["currency"])
    if billing_mode != "flexible" and len({rows.interval_of(item.price) for item in kept}) > 1:
        raise invalid("Items of different intervals need a subscription whose billing_mode is flexible.", param="items")
    if len({item.price["id"] for item in kept}) < len(kept):
        raise invalid("Cannot add multiple subscription items with the same price.", param="items")


def check_currency(price: Row, currency: str) -> None:
    """Refuse a price of another currency than its subscription's, which never changes. Raises: a 400.

    The sentence is Stripe's, from https://github.com/lichess-org/lila/issues/9297
    """
    if price["currency"] != currency:
        raise invalid(
            f"The price specified supports currencies of `{price['currency']}` which doesn't include the expected "
            f"currency of `{currency}`."
        )


def add_item(store: Store, subscription: Row, item: Item, start: int, end: int) -> Row:
    """Add an item to the subscription, for [start, end)."""
    given = {"discounts": [], "metadata": {}, "tax_rates": [], **item.values}
    row = store.add(
        "subscription_item",
        billed_until=None,
        billing_thresholds=None,
        current_period_start=start,
        current_period_end=end,
        price=item.price["id"],
        quantity=item.quantity,
        subscription=subscription["id"],
        _billed_until=None,
        _customer=subscription["customer"],
        _debits=[],
        **given,
    )
    link_discounts(store, row)
    return row


def link_discounts(store: Store, row: Row) -> None:
    """Let the discounts of an item name it."""
    for key in row["discounts"]:
        store.change(store.objects["discount"][key], subscription_item=row["id"])


def plain(store: Store, params: Params, customer: Row, subscription: Row | None = None) -> Row:
    """Read the terms that cost nothing by themselves, as fields of the row."""
    values = {name: params[name] for name in COPIED if name in params}
    for name in ("description", "default_payment_method"):
        if values.get(name) == "":
            values[name] = None
    if "default_tax_rates" in values:
        values["default_tax_rates"] = values["default_tax_rates"] or []
    method = values.get("default_payment_method")
    if method and store.need("payment_method", method, "default_payment_method")["customer"] != customer["id"]:
        raise invalid(
            f"The customer does not have a payment method with the ID {method}. The payment method must be "
            "attached to the customer.",
            param="default_payment_method",
            code="resource_missing",
        )
    if "invoice_settings" in values:
        values["invoice_settings"] = {**NO_INVOICE_SETTINGS, **values["invoice_settings"]}
    if "payment_settings" in values:
        values["payment_settings"] = {**NO_PAYMENT_SETTINGS, **values["payment_settings"]}
    return values | _days_until_due(params, subscription or {})


def _days_until_due(params: Params, subscription: Row) -> Row:
    """Read the days until an invoice is due. Only a subscription whose invoices are sent may have them."""
    if not {"collection_method", "days_until_due"} & set(params):
        return {}
    method = params.get("collection_method") or subscription.get("collection_method") or "charge_automatically"
    days = params.get("days_until_due")
    if method != "send_invoice":
        if days is not None:
            raise invalid(
                "You can only set `days_until_due` if `collection_method` is `send_invoice`.", param="days_until_due"
            )
        return {"days_until_due": None}
    days = subscription.get("days_until_due") if days is None else days
    if days is None:
        raise invalid(
            "If you set `collection_method` to `send_invoice`, you must specify `days_until_due`.",
            param="days_until_due",
            code="parameter_missing",
        )
    invoices.check_days(days)
    return {"days_until_due": days}


def pause(store: Store, params: Params, subscription: Row) -> Row:
    """Read ``pause_collection`` as a field. Empty if the request does not name it."""
    if "pause_collection" not in params:
        return {}
    asked = params["pause_collection"] or None
    if asked and asked.get("resumes_at") and asked["resumes_at"] <= store.now(subscription["customer"]):
        raise invalid("The resumes_at time must be in the future.", param="pause_collection[resumes_at]")
    return {"pause_collection": {"resumes_at": None, **asked} if asked else None}


NO_INVOICE_SETTINGS: Row = {
    "account_tax_ids": None,
    "custom_fields": None,
    "description": None,
    "footer": None,
    "issuer": {"type": "self"},
}
NO_PAYMENT_SETTINGS: Row = {
    "payment_method_options": None,
    "payment_method_types": None,
    "save_default_payment_method": "off",
}


def cancellation(store: Store, params: Params, subscription: Row) -> Row:
    """Read the fields that say when it will end by itself. Empty if the request does not name them.

    Source: https://docs.stripe.com/changelog/basil/2025-07-30/cancel-at-enums
    """
    if "cancel_at_period_end" not in params and "cancel_at" not in params:
        return {}
    now = store.now(subscription["customer"])
    asked = params.get("cancel_at") or None
    if asked and params.get("cancel_at_period_end"):
        raise invalid(
            "You may only specify one of these parameters: cancel_at, cancel_at_period_end.", param="cancel_at"
        )
    at = asked
    if params.get("cancel_at_period_end") or asked == "min_period_end":
        at = rows.period_end(store, subscription)
    elif asked == "max_period_end":
        at = rows.last_period_end(store, subscription)
    if at is not None and at <= now:
        raise invalid("The cancel_at time must be in the future.", param="cancel_at")
    details = subscription["cancellation_details"] or {}
    return {
        "cancel_at": at,
        "cancel_at_period_end": bool(params.get("cancel_at_period_end")),
        "canceled_at": now if at else None,
        "cancellation_details": {**details, "reason": "cancellation_requested" if at else None},
    }


def trial_end(store: Store, params: Params, now: int) -> int | None:
    """Read the requested end of the trial. Returns None if there is no trial."""
    given = params.get("trial_end")
    if given == "now":
        return None
    if given:
        if int(given) <= now:
            raise invalid("Invalid timestamp: must be an integer Unix timestamp in the future.", param="trial_end")
        if int(given) > now + LONGEST_TRIAL * DAY:
            raise invalid("Invalid timestamp: can be no more than two years in the future.", param="trial_end")
        return int(given)
    days = params.get("trial_period_days")
    if days is None:
        return None
    if not 1 <= days <= LONGEST_TRIAL:
        raise invalid(f"This value must be between 1 and {LONGEST_TRIAL}.", param="trial_period_days")
    return now + days * DAY
