"""Checkout sessions: what they sell, for how much, and until when. ``checkout_payment`` pays them.

Source: https://docs.stripe.com/api/checkout/sessions
"""

from stripe_sandbox import addresses, checkout_items, checkout_payment, timeline
from stripe_sandbox.dates import DAY, HOUR
from stripe_sandbox.errors import invalid, required, unsupported
from stripe_sandbox.handlers import Ids, Params, Routes, checked_url, merged, page, reads
from stripe_sandbox.store import Row, Store

HALF_AN_HOUR = HOUR // 2
MOST_ITEMS = 20
SHOWN_AS_GIVEN = (
    "allow_promotion_codes",
    "billing_address_collection",
    "cancel_url",
    "client_reference_id",
    "customer_creation",
    "integration_identifier",
    "locale",
    "origin_context",
    "payment_method_collection",
    "phone_number_collection",
    "submit_type",
    "success_url",
)
HONOURED = {
    *SHOWN_AS_GIVEN,
    *("currency", "customer", "customer_email", "discounts", "expires_at", "line_items", "metadata", "mode"),
    *("payment_intent_data", "payment_method_types", "setup_intent_data", "subscription_data", "ui_mode"),
    *("customer_update", "automatic_tax", "invoice_creation", "tax_id_collection", "adaptive_pricing"),
}
DATA = {"payment": "payment_intent_data", "setup": "setup_intent_data", "subscription": "subscription_data"}
OFF = ("automatic_tax", "invoice_creation", "tax_id_collection", "adaptive_pricing")
"""These parameters are accepted only where they are not enabled."""


def create(store: Store, params: Params, ids: Ids) -> Row:
    """Open a session, with the address of its page."""
    _refuse(params)
    mode = params["mode"]
    customer = store.need("customer", params["customer"], "customer") if "customer" in params else None
    now = store.now(customer["id"] if customer else None)
    key = store.new_id("checkout.session")
    session = store.add(
        "checkout.session",
        id=key,
        **{name: params.get(name) for name in SHOWN_AS_GIVEN},
        automatic_tax={"enabled": False, "liability": None, "provider": None, "status": None},
        currency=params.get("currency"),
        customer=customer and customer["id"],
        customer_details=None,
        customer_email=params.get("customer_email"),
        custom_text={
            "after_submit": None,
            "shipping_address": None,
            "submit": None,
            "terms_of_service_acceptance": None,
        },
        discounts=[],
        expires_at=_expiry(params, now),
        metadata=merged(None, params.get("metadata")),
        mode=mode,
        payment_method_types=params.get("payment_method_types", ["card"]),
        payment_status="no_payment_required" if mode == "setup" else "unpaid",
        status="open",
        ui_mode="hosted_page",
        url=addresses.pay_url(store.base_url, key),
        _attempt=None,
        _data=params.get(DATA[mode], {}),
        _waits=None,
    )
    for n, given in enumerate(params.get("line_items", ())):
        checkout_items.add(store, session, given, f"line_items[{n}]")
    if mode == "subscription" and not checkout_items.recurring(store, session):
        raise invalid("You must provide at least one recurring price in `subscription` mode when using prices.")
    checkout_items.count(store, session)
    if params.get("discounts"):
        checkout_items.take_discounts(store, session, params["discounts"])
    checkout_payment.refuse_impossible(store, session)
    return session


def expire(store: Store, session: Row) -> None:
    """Expire the session, so that nobody can pay it."""
    if session["status"] != "open":
        raise invalid(
            'Only Checkout Sessions with a status in ["open"] can be expired. This Checkout Session has a status of '
            f"`{session['status']}`."
        )
    checkout_payment.abandon(store, session)
    store.change(session, status="expired", url=None, _waits=None)
    store.emit("checkout.session.expired", session)


@timeline.timed("checkout.session")
def due(store: Store, session: Row) -> timeline.Due | None:
    """Return when an open session expires."""
    return (session["expires_at"], expire) if session["status"] == "open" else None


def update(store: Store, params: Params, ids: Ids) -> Row:
    """Change the session's metadata."""
    session = store.need("checkout.session", ids["session"])
    for name in set(params) - {"metadata"}:
        raise unsupported(f"updating {name} of a checkout session")
    if "metadata" in params:
        store.change(session, metadata=merged(session["metadata"], params["metadata"]))
    return session


def listing(store: Store, params: Params, ids: Ids) -> Row:
    """List the sessions, newest first."""
    for name in ("customer_account", "payment_link"):
        if name in params:
            raise unsupported(f"listing checkout sessions by {name}")
    wanted = {k: params[k] for k in ("customer", "payment_intent", "subscription", "status") if k in params}
    found = store.all("checkout.session", **wanted)
    if "customer_details" in params:
        email = params["customer_details"]["email"]
        found = [one for one in found if (one["customer_details"] or {}).get("email") == email]
    return page(store, found, params, "/v1/checkout/sessions")


def line_items(store: Store, params: Params, ids: Ids) -> Row:
    """List a page of what the session sells."""
    session = store.need("checkout.session", ids["session"])
    url = f"/v1/checkout/sessions/{session['id']}/line_items"
    return page(store, checkout_items.of(store, session), params, url, newest_first=False)


def _expire(store: Store, params: Params, ids: Ids) -> Row:
    session = store.need("checkout.session", ids["session"])
    expire(store, session)
    return session


def _refuse(params: Params) -> None:
    for name in set(params) - HONOURED:
        raise unsupported(f"checkout sessions with {name}")
    for name in OFF:
        if params.get(name, {}).get("enabled"):
            raise unsupported(f"checkout sessions with {name}")
    if params.get("ui_mode", "hosted_page") != "hosted_page":
        raise unsupported(f"checkout sessions with ui_mode {params['ui_mode']}")
    if params.get("payment_method_types", ["card"]) != ["card"]:
        raise unsupported("checkout sessions with other payment methods than cards")
    mode = params.get("mode", "")
    needed = ["mode", "success_url"]
    if mode == "setup":
        needed += [] if "payment_method_types" in params else ["currency"]
    else:
        needed += ["line_items"]
    for name in needed:
        if not params.get(name):
            raise required(name)
    for pair in (("customer", "customer_email"), ("allow_promotion_codes", "discounts")):
        if all(params.get(name) for name in pair):
            raise invalid(f"You may only specify one of these parameters: {', '.join(pair)}.", param=pair[1])
    for other, data in DATA.items():
        if data in params and other != mode:
            raise invalid(f"You can not pass `{data}` in `{mode}` mode.", param=data)
    for name in ("success_url", "cancel_url"):
        if name in params:
            checked_url(params[name], name)
    if mode == "setup" and (params.get("line_items") or params.get("discounts")):
        raise invalid("You can not pass `line_items` or `discounts` in `setup` mode.", param="line_items")
    if len(params.get("line_items", ())) > MOST_ITEMS:
        raise invalid(f"A session has at most {MOST_ITEMS} line items.", param="line_items")


def _expiry(params: Params, now: int) -> int:
    at = params.get("expires_at", now + DAY)
    if at < now + HALF_AN_HOUR:
        raise invalid(
            "The `expires_at` timestamp must be at least 30 minutes from Checkout Session creation.", param="expires_at"
        )
    if at > now + DAY:
        raise invalid(
            "The `expires_at` timestamp must be less than 24 hours from Checkout Session creation.", param="expires_at"
        )
    return at


ROUTES: Routes = {
    ("post", "/v1/checkout/sessions"): create,
    ("get", "/v1/checkout/sessions"): listing,
    ("get", "/v1/checkout/sessions/{session}"): reads("checkout.session", "session"),
    ("post", "/v1/checkout/sessions/{session}"): update,
    ("post", "/v1/checkout/sessions/{session}/expire"): _expire,
    ("get", "/v1/checkout/sessions/{session}/line_items"): line_items,
}
