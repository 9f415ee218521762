"""Customers. Source: https://docs.stripe.com/api/customers"""

import re

from stripe_sandbox import balances, currencies, discounts, payment_methods, search, tax_ids
from stripe_sandbox.errors import invalid, missing, unsupported
from stripe_sandbox.handlers import Handler, Ids, Params, Routes, alive, gone, merged, page, refuse
from stripe_sandbox.store import Row, Store
from stripe_sandbox.subscribing import schedules, subscriptions
from stripe_sandbox.subscribing.subscription_rows import ENDED

TEXTS = ("business_name", "description", "email", "individual_name", "name", "phone")
ADDRESS = payment_methods.ADDRESS
SETTINGS = {"custom_fields": None, "default_payment_method": None, "footer": None, "rendering_options": None}
NOT_HERE = ("cash_balance", "default_source", "source", "tax")
PER_CLOCK = 3


def create(store: Store, params: Params) -> Row:
    """Create the customer with the given card and tax ids. If the card is declined, nothing is created."""
    with store.undo_on_error():
        return _created(store, params)


def _created(store: Store, params: Params) -> Row:
    refuse(params, NOT_HERE, "a customer")
    clock = params.get("test_clock")
    if clock is not None:
        _check_clock(store, clock)
    customer = store.add(
        "customer",
        address=None,
        balance=0,
        delinquent=False,
        invoice_credit_balance={},
        invoice_prefix=f"{store.random.getrandbits(32):08X}",
        invoice_settings=dict(SETTINGS),
        metadata={},
        next_invoice_sequence=1,
        preferred_locales=[],
        tax_exempt="none",
        test_clock=clock,
        created=store.time_on(clock or ""),
    )
    changes = _changes(store, customer, params)
    settings = dict(params.get("invoice_settings", {}))
    if key := params.get("payment_method"):
        method = payment_methods.of_id(store, key, "payment_method", customer)
        if settings.get("default_payment_method") == key:
            settings["default_payment_method"] = method["id"]
        payment_methods.attach(store, method, customer)
    changes["invoice_settings"] = _settings(store, customer, settings)
    if amount := params.get("balance", 0):
        changes |= _set_balance(store, customer, amount, "initial")
    store.change(customer, **changes)
    store.emit("customer.created", customer)
    for given in params.get("tax_id_data", []):
        tax_ids.add(store, given, customer)
    return customer


def update(store: Store, customer: Row, params: Params) -> Row:
    """Give the customer these values. A value that the request does not name stays the same."""
    refuse(params, NOT_HERE, "a customer")
    changes = _changes(store, customer, params)
    if "invoice_settings" in params:
        changes["invoice_settings"] = _settings(store, customer, params["invoice_settings"])
    if "balance" in params and params["balance"] != customer["balance"]:
        changes |= _set_balance(store, customer, params["balance"], "adjustment")
    store.change(customer, "customer.updated", **changes)
    return customer


def _set_balance(store: Store, customer: Row, balance: int, kind: str) -> Row:
    """Add the transaction that leads to this balance. Returns the customer's fields, with its currency."""
    currency = balances.default_currency(customer)
    currencies.check(balance, currency, "balance")
    balances.record(store, customer, balance - customer["balance"], kind, currency=currency)
    return {"currency": currency, **balances.changed(customer, currency, balance)}


def delete(store: Store, customer: Row) -> None:
    """Delete the customer. Subscriptions are canceled now, payment methods are detached, invoices stay.

    Repeating is a no-op.
    """
    if customer.get("deleted"):
        return
    for one in store.all("subscription", customer=customer["id"]):
        if one["status"] not in ENDED:
            subscriptions.cancel(store, one)
    schedules.cancel_waiting(store, customer)
    for one in store.all("payment_method", customer=customer["id"]):
        payment_methods.detach(store, one)
    store.emit("customer.deleted", customer)
    store.change(customer, deleted=True)


def list_customers(store: Store, params: Params, ids: Ids) -> Row:
    """List the customers that are not deleted. Those on a test clock are listed only if the request names the clock."""
    clock = params.get("test_clock")
    if clock is not None:
        store.need("test_helpers.test_clock", clock, "test_clock")
    wanted = {"email": params["email"]} if "email" in params else {}
    found = [one for one in store.all("customer", **wanted, test_clock=clock) if not one.get("deleted")]
    return page(store, found, params, "/v1/customers")


def create_balance_transaction(store: Store, params: Params, ids: Ids) -> Row:
    customer, currency = alive(store, "customer", ids["customer"]), params["currency"]
    if customer["currency"] is None:
        store.change(customer, **balances.in_currency(customer, currency))
    links = {"description": params.get("description"), "metadata": merged(None, params.get("metadata"))}
    return balances.adjust(store, customer, params["amount"], "adjustment", currency=currency, **links)


def update_balance_transaction(store: Store, params: Params, ids: Ids) -> Row:
    transaction = balance_transaction(store, params, ids)
    changes: Row = {}
    if "description" in params:
        changes["description"] = params["description"] or None
    if "metadata" in params:
        changes["metadata"] = merged(transaction["metadata"], params["metadata"])
    store.change(transaction, **changes)
    return transaction


def balance_transaction(store: Store, params: Params, ids: Ids) -> Row:
    customer = alive(store, "customer", ids["customer"])
    transaction = store.need("customer_balance_transaction", ids["transaction"])
    if transaction["customer"] != customer["id"]:
        raise missing("customer_balance_transaction", transaction["id"])
    return transaction


def list_balance_transactions(store: Store, params: Params, ids: Ids) -> Row:
    customer = alive(store, "customer", ids["customer"])
    wanted = {"invoice": params["invoice"]} if "invoice" in params else {}
    found = store.all("customer_balance_transaction", customer=customer["id"], **wanted)
    return page(store, found, params, f"/v1/customers/{customer['id']}/balance_transactions")


def delete_discount(store: Store, params: Params, ids: Ids) -> Row:
    customer = alive(store, "customer", ids["customer"])
    discount = store.get("discount", customer["discount"])
    if discount is None:
        raise invalid(f"No active discount for customer: {customer['id']}", status=404, code="resource_missing")
    discounts.end(store, discount)
    return discounts.deleted(store, discount)


def refused(what: str) -> Handler:
    """Return a handler for an address that Stripe has and the sandbox does not have."""

    def handler(store: Store, params: Params, ids: Ids) -> Row:
        raise unsupported(what)

    return handler


def _changes(store: Store, customer: Row, params: Params) -> Row:
    """Read the plain fields that a request gives. An empty value unsets a field."""
    changes: Row = {name: params[name] or None for name in TEXTS if name in params}
    if (email := changes.get("email")) and not re.fullmatch(r"[^@\s]+@[^@\s]+", email):
        raise invalid(f"Invalid email address: {email}", param="email", code="email_invalid")
    if "address" in params:
        changes["address"] = {**ADDRESS, **_set(params["address"])} if params["address"] else None
    if "shipping" in params:
        changes["shipping"] = _shipping(params["shipping"])
    if "preferred_locales" in params:
        changes["preferred_locales"] = params["preferred_locales"]
    if "tax_exempt" in params:
        changes["tax_exempt"] = params["tax_exempt"] or "none"
        if changes["tax_exempt"] not in ("none", "exempt", "reverse"):
            raise invalid("Invalid tax_exempt: must be one of exempt, none, reverse", param="tax_exempt")
    if "metadata" in params:
        changes["metadata"] = merged(customer["metadata"], params["metadata"])
    if "invoice_prefix" in params:
        changes["invoice_prefix"] = _prefix(store, customer, params["invoice_prefix"])
    if "next_invoice_sequence" in params:
        if params["next_invoice_sequence"] < 1:
            raise invalid("This value must be greater than or equal to 1.", param="next_invoice_sequence")
        changes["next_invoice_sequence"] = params["next_invoice_sequence"]
    return changes


def _set(given: Params) -> Params:
    return {name: value or None for name, value in given.items()}


def _shipping(given: Params) -> Row | None:
    if not given:
        return None
    address = {**ADDRESS, **_set(given["address"])}
    return {"address": address, "name": given["name"], "phone": given.get("phone") or None}


def _prefix(store: Store, customer: Row, given: str) -> str:
    if not re.fullmatch("[A-Z0-9]{3,12}", given):
        raise invalid("An invoice prefix has 3 to 12 upper-case letters or digits.", param="invoice_prefix")
    if any(one["id"] != customer["id"] for one in store.all("customer", invoice_prefix=given)):
        raise invalid(f"The invoice prefix {given} is already in use.", param="invoice_prefix")
    return given


def _settings(store: Store, customer: Row, given: Params) -> Row:
    """Return the invoice settings after a change."""
    settings = {**customer["invoice_settings"]}
    for name in ("custom_fields", "footer"):
        if name in given:
            settings[name] = given[name] or None
    if len(settings["custom_fields"] or ()) > 4:
        raise invalid("At most 4 custom fields.", param="invoice_settings[custom_fields]")
    if "rendering_options" in given:
        options = given["rendering_options"] or {}
        if options.get("template"):
            raise unsupported("templates of invoices")
        shown_tax = options.get("amount_tax_display") or None
        settings["rendering_options"] = {"amount_tax_display": shown_tax, "template": None} if options else None
    if "default_payment_method" in given:
        param = "invoice_settings[default_payment_method]"
        key = given["default_payment_method"] or None
        if key and store.need("payment_method", key, param)["customer"] != customer["id"]:
            raise invalid(
                f"The customer does not have a payment method with the ID {key}. The payment method must be attached "
                "to the customer.",
                param=param,
                code="resource_missing",
            )
        settings["default_payment_method"] = key
    return settings


def _check_clock(store: Store, clock: str) -> None:
    row = store.need("test_helpers.test_clock", clock, "test_clock")
    if row["status"] == "advancing":
        raise invalid("The test clock is advancing: no customer can be added to it now.", param="test_clock")
    if sum(not one.get("deleted") for one in store.all("customer", test_clock=clock)) >= PER_CLOCK:
        raise invalid(f"A test clock has at most {PER_CLOCK} customers.", param="test_clock")


def _create(store: Store, params: Params, ids: Ids) -> Row:
    return create(store, params)


def _update(store: Store, params: Params, ids: Ids) -> Row:
    return update(store, alive(store, "customer", ids["customer"]), params)


def _delete(store: Store, params: Params, ids: Ids) -> Row:
    customer = alive(store, "customer", ids["customer"])
    delete(store, customer)
    return gone("customer", customer["id"])


def _read(store: Store, params: Params, ids: Ids) -> Row:
    return store.need("customer", ids["customer"])


ROUTES: Routes = {
    ("get", "/v1/customers"): list_customers,
    ("post", "/v1/customers"): _create,
    ("get", "/v1/customers/search"): search.searches("customer", "/v1/customers/search"),
    ("get", "/v1/customers/{customer}"): _read,
    ("post", "/v1/customers/{customer}"): _update,
    ("delete", "/v1/customers/{customer}"): _delete,
    ("get", "/v1/customers/{customer}/balance_transactions"): list_balance_transactions,
    ("post", "/v1/customers/{customer}/balance_transactions"): create_balance_transaction,
    ("get", "/v1/customers/{customer}/balance_transactions/{transaction}"): balance_transaction,
    ("post", "/v1/customers/{customer}/balance_transactions/{transaction}"): update_balance_transaction,
    ("get", "/v1/customers/{customer}/cash_balance"): refused("cash balances"),
    ("delete", "/v1/customers/{customer}/discount"): delete_discount,
    ("get", "/v1/customers/{customer}/sources"): refused("sources; use payment methods"),
    ("post", "/v1/customers/{customer}/sources"): refused("sources; use payment methods"),
}
