"""The billing portal's page: subscriptions, the card, invoices, as its configuration allows."""

from html import escape
from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from stripe_sandbox import customers, payment_methods, setup_intents
from stripe_sandbox.addresses import authenticate_url
from stripe_sandbox.currencies import money
from stripe_sandbox.errors import invalid
from stripe_sandbox.pages.forms import acted, card_field, error_box, form_of
from stripe_sandbox.pages.html import Safe, button, document, pill, table, time_shown
from stripe_sandbox.pages.panels import price_name
from stripe_sandbox.store import Row, Store
from stripe_sandbox.subscribing import subscriptions
from stripe_sandbox.subscribing.subscription_rows import ENDED


def routes(store: Store) -> list[Route]:
    async def portal(request: Request) -> Response:
        session = store.get("billing_portal.session", request.path_params["session"])
        if session is None:
            return HTMLResponse(document("Unknown", "<h1>There is no such page</h1>", narrow=True), 404)
        problem = ""
        if request.method == "POST":
            form = await form_of(request)
            problem = acted(store, lambda: _act(store, session, form))
            intent = store.get("setup_intent", session["_card"])
            if intent and intent["status"] == "requires_action":
                url = authenticate_url(store.base_url, intent["id"])
                return RedirectResponse(f"{url}?back=/portal/{session['id']}", 303)
            if not problem:
                return RedirectResponse(f"/portal/{session['id']}", 303)
        else:
            problem = acted(store, lambda: _settle_card(store, session))
        return HTMLResponse(_page(store, session, problem), 400 if problem else 200)

    return [Route("/portal/{session}", portal, methods=["GET", "POST"])]


def _act(store: Store, session: Row, form: dict[str, str]) -> None:
    """Do what a button of the page asks for, if the configuration allows it."""
    features = store.objects["billing_portal.configuration"][session["configuration"]]["features"]
    action = form.get("action", "")
    feature = {"card": "payment_method_update", "switch": "subscription_update"}.get(action, "subscription_cancel")
    if action not in ("card", "switch", "cancel", "resume") or not features[feature]["enabled"]:
        raise invalid("The portal's configuration does not allow this.")
    if action == "card":
        _change_card(store, session, form.get("card", ""))
        return
    subscription = store.need("subscription", form.get("subscription"), "subscription")
    if subscription["customer"] != session["customer"] or subscription["status"] in ENDED:
        raise invalid("There is no such subscription.")
    if action == "switch":
        _switch(store, subscription, features["subscription_update"], form.get("price", ""))
    elif action == "resume":
        subscriptions.update(store, subscription, {"cancel_at_period_end": False})
    elif features["subscription_cancel"]["mode"] == "at_period_end":
        subscriptions.update(store, subscription, {"cancel_at_period_end": True})
    else:
        subscriptions.cancel(store, subscription, reason="cancellation_requested")


def _switch(store: Store, subscription: Row, feature: dict[str, Any], price: str) -> None:
    items = store.all("subscription_item", subscription=subscription["id"])
    if len(items) != 1 or price not in _offered(feature):
        raise invalid("The portal's configuration does not allow this.")
    behaviour = {"proration_behavior": feature["proration_behavior"]}
    subscriptions.update(store, subscription, {"items": [{"id": items[0]["id"], "price": price}], **behaviour})


def _offered(feature: dict[str, Any]) -> list[str]:
    if "price" not in feature["default_allowed_updates"]:
        return []
    return [price for product in feature["products"] or () for price in product["prices"]]


def _change_card(store: Store, session: Row, card: str) -> None:
    """Set up the card for later charges. When this is done, it becomes the customer's default."""
    customer = store.objects["customer"][session["customer"]]
    method = payment_methods.of_id(store, card, "card", customer)
    params = {"customer": customer["id"], "payment_method": method["id"], "payment_method_types": ["card"]}
    intent = setup_intents.create(store, {**params, "confirm": True, "return_url": session["url"]})
    store.change(session, _card=intent["id"])
    _settle_card(store, session)


def _settle_card(store: Store, session: Row) -> None:
    """Make a card that was set up the default of the customer and of each subscription with a default of its own.

    Raises: StripeError if the cardholder did not authenticate.
    """
    intent = store.get("setup_intent", session["_card"])
    if intent is None or intent["status"] == "requires_action":
        return
    store.change(session, _card=None)
    if intent["status"] != "succeeded":
        problem = intent["last_setup_error"] or {}
        raise invalid(problem.get("message", "The card was not saved."), status=402)
    key = intent["payment_method"]
    for one in store.all("subscription", customer=session["customer"]):
        if one["default_payment_method"] and one["status"] not in ENDED:
            store.change(one, "customer.subscription.updated", default_payment_method=key)
    settings = {"invoice_settings": {"default_payment_method": key}}
    customers.update(store, store.objects["customer"][session["customer"]], settings)


def _page(store: Store, session: Row, problem: str) -> str:
    configuration = store.objects["billing_portal.configuration"][session["configuration"]]
    features, customer = configuration["features"], store.objects["customer"][session["customer"]]
    name = customer["name"] or customer["email"] or customer["id"]
    parts = [
        '<p><span class="test">TEST</span></p>',
        f"<h1>{escape(configuration['business_profile']['headline'] or 'Billing')}</h1><p>{escape(name)}</p>",
        error_box(problem),
        "<h2>Subscriptions</h2>",
    ]
    live = [one for one in store.all("subscription", customer=customer["id"]) if one["status"] not in ENDED]
    parts += [_subscription(store, session, one, features) for one in live] or ["<p>None.</p>"]
    parts.append("<h2>Card</h2>")
    parts.append(f"<p>{escape(_card(store, customer))}</p>")
    if features["payment_method_update"]["enabled"]:
        parts.append(
            f'<form method="post" action="/portal/{escape(session["id"])}" class="box">{card_field()}'
            '<button class="wide" name="action" value="card">Use this card</button></form>'
        )
    if features["invoice_history"]["enabled"]:
        parts += ["<h2>Invoices</h2>", _invoices(store, customer)]
    if session["return_url"]:
        parts.append(f'<p><a href="{escape(session["return_url"])}">Return</a></p>')
    return document("Billing", "".join(parts), narrow=True)


def _subscription(store: Store, session: Row, subscription: Row, features: dict[str, Any]) -> str:
    items = store.all("subscription_item", subscription=subscription["id"])
    names = ", ".join(
        f"{one['quantity'] or 1} × {price_name(store, store.objects['price'][one['price']])}" for one in items
    )
    ends = subscription["cancel_at_period_end"]
    until = time_shown(items[0]["current_period_end"]) if items else "–"
    parts = [f"<strong>{escape(names)}</strong>", f"<p>{escape(subscription['status'])}, "]
    parts.append(f"{'ends' if ends else 'renews'} {until}</p>" if items else "</p>")
    address, buttons = f"/portal/{session['id']}", []
    if features["subscription_cancel"]["enabled"]:
        label, action = ("Keep the subscription", "resume") if ends else ("Cancel the subscription", "cancel")
        buttons.append(button(address, label, quiet=True, action=action, subscription=subscription["id"]))
    held = {one["price"] for one in items}
    offered = _offered(features["subscription_update"]) if features["subscription_update"]["enabled"] else []
    for price in offered if len(items) == 1 and not ends else ():
        if price not in held:
            label = f"Switch to {price_name(store, store.objects['price'][price])}"
            buttons.append(button(address, label, action="switch", subscription=subscription["id"], price=price))
    return f'<div class="box">{"".join(parts)}<div class="row">{"".join(buttons)}</div></div>'


def _card(store: Store, customer: Row) -> str:
    key = (customer["invoice_settings"] or {}).get("default_payment_method")
    method = store.get("payment_method", key)
    return f"{method['card']['brand']} ···· {method['card']['last4']}" if method else "None yet."


def _invoices(store: Store, customer: Row) -> Safe:
    found = [one for one in store.all("invoice", customer=customer["id"]) if one["number"]]
    rows = [
        [
            Safe(f'<a href="/invoices/{escape(one["id"])}">{escape(one["number"])}</a>'),
            time_shown(one["created"]),
            pill(one["status"]),
            money(one["total"], one["currency"]),
        ]
        for one in reversed(found)
    ]
    return table(["Number", "Date", "Status", "Total"], rows)
