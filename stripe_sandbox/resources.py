"""One function per operation of Stripe's API, and the table that wires them to their addresses."""

import secrets
from collections.abc import Callable
from typing import Any

from stripe_sandbox import payments, subscriptions
from stripe_sandbox.cards import CARDS
from stripe_sandbox.errors import StripeError, invalid, missing
from stripe_sandbox.schema.load import new
from stripe_sandbox.store import Store

Params = dict[str, Any]
Handler = Callable[[Store, Params, dict[str, str]], dict[str, Any]]


def account(store: Store, params: Params, ids: dict[str, str]) -> dict[str, Any]:
    return new("account", id=store.account, type="standard", charges_enabled=True, payouts_enabled=True)


def create_customer(store: Store, params: Params, ids: dict[str, str]) -> dict[str, Any]:
    settings = {"custom_fields": None, "default_payment_method": None, "footer": None, "rendering_options": None}
    copied = ("name", "email", "phone", "description", "address")
    made = store.add(
        "customer",
        balance=0,
        delinquent=False,
        invoice_prefix=secrets.token_hex(4).upper(),
        invoice_settings=settings,
        metadata=params.get("metadata", {}),
        preferred_locales=params.get("preferred_locales", []),
        **{name: params.get(name) for name in copied},
    )
    if params.get("payment_method"):
        attach(store, {"customer": made["id"]}, {"payment_method": params["payment_method"]})
    store.emit("customer.created", made)
    return made


def update_customer(store: Store, params: Params, ids: dict[str, str]) -> dict[str, Any]:
    found = alive_customer(store, ids["customer"])
    changes = {name: params[name] for name in ("name", "email", "description", "preferred_locales") if name in params}
    if "metadata" in params:
        changes["metadata"] = {**found["metadata"], **params["metadata"]}
    if method := params.get("invoice_settings", {}).get("default_payment_method"):
        if store.need("payment_method", method, "invoice_settings[default_payment_method]")["customer"] != found["id"]:
            raise invalid("The customer does not have a payment method with this id.", code="resource_missing")
        changes["invoice_settings"] = {**found["invoice_settings"], "default_payment_method": method}
    store.change(found, "customer.updated", **changes)
    return found


def read_customer(store: Store, params: Params, ids: dict[str, str]) -> dict[str, Any]:
    found = store.need("customer", ids["customer"])
    if found.get("deleted"):
        return {"id": found["id"], "object": "customer", "deleted": True}
    return found


def alive_customer(store: Store, key: str) -> dict[str, Any]:
    found = store.need("customer", key)
    if found.get("deleted"):
        raise missing("customer", key)
    return found


def delete_customer(store: Store, params: Params, ids: dict[str, str]) -> dict[str, Any]:
    found = alive_customer(store, ids["customer"])
    for one in store.all("subscription", customer=found["id"]):
        if one["status"] not in subscriptions.ENDED:
            subscriptions.cancel(store, one)
    store.emit("customer.deleted", found)
    found["deleted"] = True
    store.changed = True
    return {"id": found["id"], "object": "customer", "deleted": True}


def list_customers(store: Store, params: Params, ids: dict[str, str]) -> dict[str, Any]:
    found = [one for one in store.objects["customer"].values() if not one.get("deleted")]
    if email := params.get("email"):
        found = [one for one in found if one["email"] == email]
    return store.page(found, params, "/v1/customers")


def create_product(store: Store, params: Params, ids: dict[str, str]) -> dict[str, Any]:
    made = store.add(
        "product",
        name=params["name"],
        active=params.get("active", True),
        metadata=params.get("metadata", {}),
        type="service",
        updated=store.now(),
    )
    store.emit("product.created", made)
    return made


def create_price(store: Store, params: Params, ids: dict[str, str]) -> dict[str, Any]:
    product = store.need("product", params.get("product", ""), "product")
    given = params.get("recurring")
    recurring = given and {
        "interval": given["interval"],
        "interval_count": given.get("interval_count", 1),
        "meter": None,
        "trial_period_days": None,
        "usage_type": "licensed",
    }
    made = store.add(
        "price",
        active=params.get("active", True),
        billing_scheme="per_unit",
        currency=params["currency"],
        product=product["id"],
        type="recurring" if recurring else "one_time",
        recurring=recurring,
        unit_amount=params.get("unit_amount"),
        unit_amount_decimal=str(params.get("unit_amount")),
        lookup_key=params.get("lookup_key"),
        nickname=params.get("nickname"),
        metadata=params.get("metadata", {}),
        tax_behavior="unspecified",
    )
    store.emit("price.created", made)
    return made


def attach(store: Store, params: Params, ids: dict[str, str]) -> dict[str, Any]:
    """A test id makes a card of the customer's own. Source: https://docs.stripe.com/api/payment_methods/attach"""
    customer = alive_customer(store, params["customer"])
    key = ids["payment_method"]
    if key in CARDS:
        card = CARDS[key]
        if card.on_attach:
            raise payments.declined(card.on_attach)
        method = store.add(
            "payment_method",
            type="card",
            billing_details={"address": None, "email": None, "name": None, "phone": None, "tax_id": None},
            card=_card(card.brand, card.last4, store.now()),
            metadata={},
            _card=key,
        )
    else:
        method = store.need("payment_method", key)
        if method["customer"] not in (None, customer["id"]):
            raise invalid("The payment method is already attached to another customer.")
    store.change(method, customer=customer["id"])
    store.emit("payment_method.attached", method)
    return method


def _card(brand: str, last4: str, now: int) -> dict[str, Any]:
    return {
        "brand": brand,
        "checks": None,
        "country": "US",
        "display_brand": brand,
        "exp_month": 12,
        "exp_year": 1970 + now // 31_556_952 + 3,
        "fingerprint": "sandbox",
        "funding": "credit",
        "generated_from": None,
        "last4": last4,
        "networks": None,
        "regulated_status": None,
        "three_d_secure_usage": None,
        "wallet": None,
    }


def detach(store: Store, params: Params, ids: dict[str, str]) -> dict[str, Any]:
    method = store.need("payment_method", ids["payment_method"])
    if not method["customer"]:
        raise invalid("The payment method is not attached to a customer.")
    owner = store.objects["customer"][method["customer"]]
    if owner["invoice_settings"]["default_payment_method"] == method["id"]:
        settings = {**owner["invoice_settings"], "default_payment_method": None}
        store.change(owner, "customer.updated", invoice_settings=settings)
    before = {"customer": method["customer"]}
    method["customer"] = None
    data_event_before = len(store.objects["event"])
    store.emit("payment_method.detached", method)
    last = list(store.objects["event"].values())[data_event_before]
    last["data"]["previous_attributes"] = before
    return method


def pay_invoice(store: Store, params: Params, ids: dict[str, str]) -> dict[str, Any]:
    invoice = store.need("invoice", ids["invoice"])
    subscriptions.pay(store, invoice, params.get("payment_method"))
    return invoice


def void_invoice(store: Store, params: Params, ids: dict[str, str]) -> dict[str, Any]:
    invoice = store.need("invoice", ids["invoice"])
    if invoice["status"] not in ("open", "uncollectible"):
        raise invalid(f"You can only void open invoices; this one is {invoice['status']}.")
    payments.void(store, invoice)
    return invoice


def confirm_intent(store: Store, params: Params, ids: dict[str, str]) -> dict[str, Any]:
    intent = store.need("payment_intent", ids["intent"])
    if intent["status"] == "succeeded":
        raise invalid("This PaymentIntent has already succeeded.", code="payment_intent_unexpected_state")
    invoice = store.need("invoice", intent["_invoice"])
    subscriptions.pay(store, invoice, params.get("payment_method") or intent["payment_method"])
    return intent


def create_endpoint(store: Store, params: Params, ids: dict[str, str]) -> dict[str, Any]:
    made = store.add(
        "webhook_endpoint",
        url=params["url"],
        enabled_events=params["enabled_events"],
        api_version=params.get("api_version"),
        description=params.get("description"),
        metadata=params.get("metadata", {}),
        status="enabled",
        _secret=store.webhook_secret or f"whsec_{secrets.token_hex(16)}",
    )
    return {**made, "secret": made["_secret"]}


def list_events(store: Store, params: Params, ids: dict[str, str]) -> dict[str, Any]:
    found = list(store.objects["event"].values())
    if wanted := params.get("type"):
        found = [one for one in found if one["type"] == wanted]
    if wanted := params.get("types"):
        found = [one for one in found if one["type"] in wanted]
    if "delivery_success" in params:
        found = [one for one in found if (one["pending_webhooks"] == 0) == params["delivery_success"]]
    return store.page(found, params, "/v1/events")


def list_subscriptions(store: Store, params: Params, ids: dict[str, str]) -> dict[str, Any]:
    found = list(store.objects["subscription"].values())
    status = params.get("status")
    if status is None:
        found = [one for one in found if one["status"] not in subscriptions.ENDED]
    elif status == "ended":
        found = [one for one in found if one["status"] in subscriptions.ENDED]
    elif status != "all":
        found = [one for one in found if one["status"] == status]
    if params.get("customer"):
        found = [one for one in found if one["customer"] == params["customer"]]
    return store.page(found, params, "/v1/subscriptions")


def reads(kind: str, name: str) -> Handler:
    return lambda store, params, ids: store.need(kind, ids[name])


def lists(kind: str, url: str, *filters: str) -> Handler:
    def handler(store: Store, params: Params, ids: dict[str, str]) -> dict[str, Any]:
        wanted = {name: params[name] for name in filters if name in params}
        return store.page(store.all(kind, **wanted), params, url)

    return handler


def removes(kind: str, name: str) -> Handler:
    def handler(store: Store, params: Params, ids: dict[str, str]) -> dict[str, Any]:
        found = store.need(kind, ids[name])
        del store.objects[kind][found["id"]]
        store.changed = True
        return {"id": found["id"], "object": kind, "deleted": True}

    return handler


def customers_methods(store: Store, params: Params, ids: dict[str, str]) -> dict[str, Any]:
    found = store.all("payment_method", customer=ids["customer"])
    return store.page(found, params, f"/v1/customers/{ids['customer']}/payment_methods")


def change_subscription(store: Store, params: Params, ids: dict[str, str]) -> dict[str, Any]:
    unsupported = sorted(set(params) - {"metadata", "default_payment_method", "cancel_at", "cancel_at_period_end"})
    if unsupported:
        raise StripeError(
            501, "api_error", f"The local Stripe cannot change {', '.join(unsupported)} of a subscription yet."
        )
    return subscriptions.update(store, store.need("subscription", ids["subscription"]), params)


def end_subscription(store: Store, params: Params, ids: dict[str, str]) -> dict[str, Any]:
    return subscriptions.cancel(store, store.need("subscription", ids["subscription"]))


ROUTES: dict[tuple[str, str], Handler] = {
    ("get", "/v1/account"): account,
    ("get", "/v1/customers"): list_customers,
    ("post", "/v1/customers"): create_customer,
    ("get", "/v1/customers/{customer}"): read_customer,
    ("post", "/v1/customers/{customer}"): update_customer,
    ("delete", "/v1/customers/{customer}"): delete_customer,
    ("get", "/v1/customers/{customer}/payment_methods"): customers_methods,
    ("get", "/v1/products"): lists("product", "/v1/products", "active"),
    ("post", "/v1/products"): create_product,
    ("get", "/v1/products/{product}"): reads("product", "product"),
    ("get", "/v1/prices"): lists("price", "/v1/prices", "active", "product", "currency"),
    ("post", "/v1/prices"): create_price,
    ("get", "/v1/prices/{price}"): reads("price", "price"),
    ("get", "/v1/payment_methods"): lists("payment_method", "/v1/payment_methods", "customer", "type"),
    ("get", "/v1/payment_methods/{payment_method}"): reads("payment_method", "payment_method"),
    ("post", "/v1/payment_methods/{payment_method}/attach"): attach,
    ("post", "/v1/payment_methods/{payment_method}/detach"): detach,
    ("get", "/v1/subscriptions"): list_subscriptions,
    ("post", "/v1/subscriptions"): lambda store, params, ids: subscriptions.create(store, params),
    ("get", "/v1/subscriptions/{subscription}"): reads("subscription", "subscription"),
    ("post", "/v1/subscriptions/{subscription}"): change_subscription,
    ("delete", "/v1/subscriptions/{subscription}"): end_subscription,
    ("get", "/v1/subscription_items"): lists("subscription_item", "/v1/subscription_items", "subscription"),
    ("get", "/v1/invoices"): lists("invoice", "/v1/invoices", "customer", "status"),
    ("get", "/v1/invoices/{invoice}"): reads("invoice", "invoice"),
    ("post", "/v1/invoices/{invoice}/pay"): pay_invoice,
    ("post", "/v1/invoices/{invoice}/void"): void_invoice,
    ("get", "/v1/invoice_payments"): lists("invoice_payment", "/v1/invoice_payments", "invoice", "status"),
    ("get", "/v1/payment_intents"): lists("payment_intent", "/v1/payment_intents", "customer"),
    ("get", "/v1/payment_intents/{intent}"): reads("payment_intent", "intent"),
    ("post", "/v1/payment_intents/{intent}/confirm"): confirm_intent,
    ("get", "/v1/charges"): lists("charge", "/v1/charges", "customer", "payment_intent"),
    ("get", "/v1/charges/{charge}"): reads("charge", "charge"),
    ("get", "/v1/refunds"): lists("refund", "/v1/refunds", "charge", "payment_intent"),
    ("post", "/v1/refunds"): lambda store, params, ids: payments.refund(store, params),
    ("get", "/v1/refunds/{refund}"): reads("refund", "refund"),
    ("get", "/v1/events"): list_events,
    ("get", "/v1/events/{id}"): reads("event", "id"),
    ("get", "/v1/webhook_endpoints"): lists("webhook_endpoint", "/v1/webhook_endpoints"),
    ("post", "/v1/webhook_endpoints"): create_endpoint,
    ("get", "/v1/webhook_endpoints/{webhook_endpoint}"): reads("webhook_endpoint", "webhook_endpoint"),
    ("delete", "/v1/webhook_endpoints/{webhook_endpoint}"): removes("webhook_endpoint", "webhook_endpoint"),
}
