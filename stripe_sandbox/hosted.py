"""The pages that Stripe hosts: paying a checkout session, 3-D Secure. Forms only, no scripts.

The portal's page and the invoice's are in modules of their own; their addresses are here.
"""

import json
from collections.abc import Callable
from html import escape
from typing import Any
from urllib.parse import parse_qsl, urlencode

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from stripe_sandbox import (
    checkout,
    checkout_payment,
    hosted_invoice,
    hosted_portal,
    payments,
    refunds,
    setup_intents,
    timeline,
)
from stripe_sandbox.addresses import authenticate_url, pay_url
from stripe_sandbox.errors import StripeError
from stripe_sandbox.hosted_forms import acted, card_field, error_box, local_path
from stripe_sandbox.html import document, money, pairs
from stripe_sandbox.store import Row, Store
from stripe_sandbox.views import shown

LABELS = {"subscription": "Subscribe", "payment": "Pay", "setup": "Save the card"}


def routes(store: Store) -> list[Route]:
    """The addresses of the pages, and of the control plane for what happens on them."""

    async def pay(request: Request) -> Response:
        session = store.get("checkout.session", request.path_params["session"])
        if session is None:
            return _unknown()
        form = dict(parse_qsl((await request.body()).decode()))
        return _pay(store, session, form, posted=request.method == "POST")

    async def authenticate(request: Request) -> Response:
        intent = _any_intent(store, request.path_params["intent"])
        if intent is None:
            return _unknown()
        form = dict(parse_qsl((await request.body()).decode()))
        back = local_path(request.query_params.get("back", ""))
        if request.method == "POST":
            return _answer(store, intent, back, ok=form.get("outcome") == "complete")
        return HTMLResponse(_authenticate_page(intent, back))

    async def complete(request: Request) -> Response:
        try:
            given = json.loads(await request.body() or b"{}")
        except ValueError:
            return JSONResponse({"error": "The body is not JSON."}, 400)

        def done() -> dict[str, Any]:
            session = store.need("checkout.session", request.path_params["session"])
            email = str(given.get("email", "customer@example.com"))
            waits = checkout_payment.pay(store, session, card=str(given.get("card", "")), email=email)
            return {"session": shown(store, session), "authenticate_url": waits and _authenticate(store, waits, "")}

        return _controlled(store, done)

    async def settle(request: Request) -> Response:
        def done() -> dict[str, Any]:
            refund = store.need("refund", request.path_params["refund"])
            refunds.settle(store, refund)
            return shown(store, refund)

        return _controlled(store, done)

    return [
        Route("/pay/{session}", pay, methods=["GET", "POST"]),
        Route("/authenticate/{intent}", authenticate, methods=["GET", "POST"]),
        Route("/_sandbox/checkout/sessions/{session}/complete", complete, methods=["POST"]),
        Route("/_sandbox/refunds/{refund}/settle", settle, methods=["POST"]),
        *hosted_portal.routes(store),
        *hosted_invoice.routes(store),
    ]


def _controlled(store: Store, done: Callable[[], dict[str, Any]]) -> Response:
    timeline.catch_up(store)
    try:
        with store.request_undone_on_error():
            body = done()
    except StripeError as error:
        return JSONResponse(error.body, error.status)
    finally:
        store.persist()
    return JSONResponse(body)


def _pay(store: Store, session: Row, form: dict[str, str], *, posted: bool) -> Response:
    """The page of a session, or where its customer goes next."""
    problem, waits = "", checkout_payment.waiting(store, session)
    if posted and form.get("action") == "code":
        problem = acted(store, lambda: checkout.apply_code(store, session, form.get("promotion_code", "")))
    elif posted:
        card, email = form.get("card", ""), form.get("email", "")
        problem = acted(store, lambda: checkout_payment.pay(store, session, card=card, email=email))
        waits = checkout_payment.waiting(store, session)
    elif session["status"] == "open" and not waits:
        problem = checkout_payment.last_refusal(store, session).get("message", "")
    if session["status"] == "complete":
        return RedirectResponse(_success(session), 303)
    if session["status"] == "open" and waits and not problem:
        return RedirectResponse(_authenticate(store, waits, f"/pay/{session['id']}"), 303)
    return HTMLResponse(_pay_page(store, session, problem), 400 if posted and problem else 200)


def _success(session: Row) -> str:
    return session["success_url"].replace("{CHECKOUT_SESSION_ID}", session["id"])


def _pay_page(store: Store, session: Row, problem: str) -> str:
    if session["status"] == "expired":
        return document("Expired", "<h1>This page has expired</h1><p>Nothing was paid.</p>", narrow=True)
    parts = ['<p><span class="test">TEST</span></p>', "<h1>Checkout</h1>", error_box(problem)]
    action = escape(f"/pay/{session['id']}")
    if session["mode"] != "setup":
        parts.append(_summary(store, session))
    if session["allow_promotion_codes"]:
        parts.append(
            f'<form method="post" action="{action}" class="box"><label for="code">Promotion code</label>'
            '<div class="row"><input id="code" name="promotion_code" required>'
            '<button class="quiet" name="action" value="code">Apply</button></div></form>'
        )
    email = "" if session["customer"] or session["customer_email"] else _email_field()
    free = checkout_payment.may_go_without_card(session)
    parts.append(
        f'<form method="post" action="{action}" class="box">{email}{card_field(optional=free)}'
        f'<button class="wide" name="action" value="pay">{LABELS[session["mode"]]}</button></form>'
    )
    if session["cancel_url"]:
        parts.append(f'<p><a href="{escape(session["cancel_url"])}">Go back</a></p>')
    return document("Checkout", "".join(parts), narrow=True)


def _email_field() -> str:
    return '<label for="email">Email</label><input id="email" name="email" type="email" autocomplete="email" required>'


def _summary(store: Store, session: Row) -> str:
    """What is sold, and what is paid today."""
    currency = session["currency"]
    rows = [(_sold(store, one), money(one["amount_subtotal"], currency)) for one in checkout.items(store, session)]
    totals = session["total_details"]
    if totals["amount_discount"]:
        rows.append(("Discount", money(-totals["amount_discount"], currency)))
    if totals["amount_tax"]:
        rows.append(("Tax", money(totals["amount_tax"], currency)))
    trial = session["_data"].get("trial_period_days")
    note = f"<p>{trial} days free, then the price of each period.</p>" if trial else ""
    total = money(session["amount_total"], currency)
    return f'<p class="total">{total} today</p>{note}{pairs(rows)}'


def _sold(store: Store, item: Row) -> str:
    price = store.objects["price"][item["price"]]
    every = price["recurring"]
    count = every and (f"{every['interval_count']} {every['interval']}s" if every["interval_count"] > 1 else "")
    period = f", every {count or every['interval']}" if every else ""
    return f"{item['quantity']} × {item['description']} at {money(price['unit_amount'] or 0, item['currency'])}{period}"


def _authenticate(store: Store, intent: Row, back: str) -> str:
    url = authenticate_url(store.base_url, intent["id"])
    return f"{url}?{urlencode({'back': back})}" if back else url


def _authenticate_page(intent: Row, back: str) -> str:
    if intent["status"] != "requires_action":
        body = f"<h1>Nothing to authenticate</h1><p>This payment's status is {escape(intent['status'])}.</p>"
        return document("3-D Secure", body, narrow=True)
    what = money(intent["amount"], intent["currency"]) if "amount" in intent else "the use of your card later"
    query = f"?{urlencode({'back': back})}" if back else ""
    buttons = "".join(
        f'<form method="post" action="/authenticate/{escape(intent["id"])}{escape(query)}">'
        f'<button{look} name="outcome" value="{value}">{label}</button></form>'
        for value, label, look in (("complete", "Complete", ""), ("fail", "Fail", ' class="quiet"'))
    )
    body = (
        '<p><span class="test">TEST</span></p><h1>3-D Secure</h1>'
        f"<p>Your bank asks whether you agree to {escape(what)}.</p>"
        f'<div class="row">{buttons}</div>'
    )
    return document("3-D Secure", body, narrow=True)


def _answer(store: Store, intent: Row, back: str, *, ok: bool) -> Response:
    """The owner's answer has its effect, and they go back to where they came from."""
    action = intent["next_action"] or {}
    verdict = payments.authenticated if intent["_kind"] == "payment_intent" else setup_intents.authenticated
    problem = acted(store, lambda: verdict(store, intent, ok))
    session: Row | None = None

    def settled() -> None:
        nonlocal session
        session = checkout_payment.after_authentication(store, intent)

    acted(store, settled)
    if session is not None:
        done = session["status"] == "complete"
        return RedirectResponse(_success(session) if done else pay_url(store.base_url, session["id"]), 303)
    if back:
        return RedirectResponse(back, 303)
    if url := (action.get("redirect_to_url") or {}).get("return_url"):
        return RedirectResponse(_returned(url, intent, ok=intent["status"] == "succeeded"), 303)
    body = f"<h1>{'Done' if ok and not problem else 'Not authenticated'}</h1>{error_box(problem)}"
    return HTMLResponse(document("3-D Secure", body, narrow=True))


def _returned(url: str, intent: Row, *, ok: bool) -> str:
    """The vendor's address with what Stripe appends to it."""
    kind = intent["_kind"]
    query = {
        kind: intent["id"],
        f"{kind}_client_secret": intent["client_secret"],
        "redirect_status": "succeeded" if ok else "failed",
    }
    return f"{url}{'&' if '?' in url else '?'}{urlencode(query)}"


def _any_intent(store: Store, key: str) -> Row | None:
    return store.get("payment_intent", key) or store.get("setup_intent", key)


def _unknown() -> Response:
    return HTMLResponse(document("Unknown", "<h1>There is no such page</h1>", narrow=True), 404)
