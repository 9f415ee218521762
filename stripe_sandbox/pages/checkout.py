"""The pages that Stripe hosts: paying a checkout session, 3-D Secure, verifying a bank account. Forms only, no scripts.

The pages of the portal and of an invoice are in modules of their own. Their addresses are here.
"""

from html import escape
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from stripe_sandbox import checkout_items, checkout_payment, setup_intents
from stripe_sandbox.addresses import authenticate_url, pay_url
from stripe_sandbox.currencies import money
from stripe_sandbox.pages import invoice as invoice_page
from stripe_sandbox.pages import portal as portal_page
from stripe_sandbox.pages.forms import acted, card_field, error_box, form_of, local_path
from stripe_sandbox.pages.html import cost, document, pairs, time_shown
from stripe_sandbox.store import Row, Store

LABELS = {"subscription": "Subscribe", "payment": "Pay", "setup": "Save the card"}


def routes(store: Store) -> list[Route]:
    """Return the addresses of the pages."""

    async def pay(request: Request) -> Response:
        session = store.get("checkout.session", request.path_params["session"])
        if session is None:
            return _unknown()
        form = await form_of(request)
        return _pay(store, session, form, posted=request.method == "POST")

    async def authenticate(request: Request) -> Response:
        intent = _any_intent(store, request.path_params["intent"])
        if intent is None:
            return _unknown()
        form = await form_of(request)
        back = local_path(request.query_params.get("back", ""))
        if request.method == "POST":
            return _answer(store, intent, back, ok=form.get("outcome") == "complete")
        return HTMLResponse(_authenticate_page(intent, back))

    async def verify(request: Request) -> Response:
        intent = store.get("setup_intent", request.path_params["intent"])
        if intent is None:
            return _unknown()
        problem = ""
        if request.method == "POST":
            given = {"descriptor_code": (await form_of(request)).get("descriptor_code", "").strip()}
            problem = acted(store, lambda: setup_intents.verify_deposits(store, intent, given))
        return HTMLResponse(_verify_page(intent, problem), 400 if problem else 200)

    return [
        Route("/verify/{intent}", verify, methods=["GET", "POST"]),
        Route("/pay/{session}", pay, methods=["GET", "POST"]),
        Route("/authenticate/{intent}", authenticate, methods=["GET", "POST"]),
        *portal_page.routes(store),
        *invoice_page.routes(store),
    ]


def _pay(store: Store, session: Row, form: dict[str, str], *, posted: bool) -> Response:
    """Return the page of a session, or a redirect to where its customer goes next."""
    problem, waits = "", checkout_payment.waiting(store, session)
    if posted and form.get("action") == "code":
        problem = acted(store, lambda: checkout_items.apply_code(store, session, form.get("promotion_code", "")))
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
    """Return what is sold, and what is paid today."""
    currency = session["currency"]
    rows = [(_sold(store, one), money(one["amount_subtotal"], currency)) for one in checkout_items.of(store, session)]
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
    return f"{item['quantity']} × {item['description']} at {cost(store.objects['price'][item['price']])}"


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


def _verify_page(intent: Row, problem: str) -> str:
    """Return the page on which the owner of a bank account enters the code of the small deposit."""
    if intent["status"] == "succeeded":
        return document("Verified", "<h1>The bank account is verified</h1>", narrow=True)
    wait = (intent["next_action"] or {}).get("verify_with_microdeposits")
    if wait is None:
        message = (intent["last_setup_error"] or {}).get("message", "")
        return document("Nothing to verify", f"<h1>Nothing to verify</h1>{error_box(message)}", narrow=True)
    body = (
        f"<h1>Verify the bank account</h1>{error_box(problem)}"
        f"<p>A deposit of 0.01 arrives by {time_shown(wait['arrival_date'])}. The bank statement shows its code, which "
        f"begins with SM. Here, SM11AA is right.</p>"
        f'<form method="post" class="box"><label for="code">Code</label>'
        f'<input id="code" name="descriptor_code" required autocomplete="off"><button>Verify</button></form>'
    )
    return document("Verify", body, narrow=True)


def _answer(store: Store, intent: Row, back: str, *, ok: bool) -> Response:
    """Apply the cardholder's answer, and send the cardholder back to where they came from."""
    action = intent["next_action"] or {}
    session: Row | None = None

    def answered() -> None:
        nonlocal session
        session = checkout_payment.authenticated(store, intent, ok)

    problem = acted(store, answered)
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
    """Return the vendor's address with the parameters that Stripe adds to it."""
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
