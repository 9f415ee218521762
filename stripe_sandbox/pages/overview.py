"""The pages that show what the sandbox holds, with buttons that move the time and cause failures."""

from collections.abc import Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from stripe_sandbox import deliveries, test_clocks, timeline
from stripe_sandbox.control.levers import Refused, authenticate, plan_charges
from stripe_sandbox.dates import HOUR, add_interval
from stripe_sandbox.errors import StripeError, missing
from stripe_sandbox.pages import customer as customer_page
from stripe_sandbox.pages import panels
from stripe_sandbox.pages.forms import form_of
from stripe_sandbox.pages.html import button, cell, document, time_shown
from stripe_sandbox.store import Store

STEPS = ("hour", "day", "week", "month")
LIVE = ("trialing", "active", "past_due", "unpaid", "paused", "incomplete")
SECTIONS = "customers subscriptions invoices deliveries requests".split()
FIRST = (
    "Nothing yet. Point a Stripe client at this address, with the secret key that this server was started with, and "
)


def routes(store: Store) -> list[Route]:
    """Return the addresses of the pages."""

    async def show(_: Request) -> Response:
        return HTMLResponse(home(store))

    async def show_customer(request: Request) -> Response:
        return _found(store, request.path_params["customer"])

    async def move(request: Request) -> Response:
        given = await form_of(request)
        return _done(store, "/", lambda: _move(store, given.get("by", ""), given.get("clock", "")))

    async def again(request: Request) -> Response:
        return _done(store, "/#deliveries", lambda: _again(store, request.path_params["delivery"]))

    async def next_charge(request: Request) -> Response:
        customer, given = request.path_params["customer"], await form_of(request)
        outcome = "authenticate" if given.get("outcome") == "authenticate" else "decline"
        planned = {"customer": customer, "outcome": outcome}
        return _done(store, f"/customers/{customer}", lambda: plan_charges(store, planned, {}))

    async def confirm(request: Request) -> Response:
        succeed, back = (
            (await form_of(request)).get("succeed") == "yes",
            f"/customers/{request.path_params['customer']}",
        )

        def work() -> None:
            with store.request_undone_on_error():
                authenticate(store, {"succeed": succeed}, request.path_params)

        return _done(store, back, work)

    return [
        Route("/", show),
        Route("/clock", move, methods=["POST"]),
        Route("/deliveries/{delivery}/again", again, methods=["POST"]),
        Route("/customers/{customer}", show_customer),
        Route("/customers/{customer}/next_charge", next_charge, methods=["POST"]),
        Route("/customers/{customer}/intents/{intent}", confirm, methods=["POST"]),
    ]


def _done(store: Store, back: str, work: Callable[[], Any]) -> Response:
    """Do the work and show the page again, or show why the work was refused."""
    try:
        work()
    except Refused as error:
        return HTMLResponse(_refused(str(error)), 400)
    except StripeError as error:
        if error.status != 402:  # a declined charge is what the button was for
            return HTMLResponse(_refused(str(error)), error.status)
    finally:
        store.persist()
    return RedirectResponse(back, 303)


def _refused(why: str) -> str:
    return document("Refused", f'<h1>That was refused</h1><p class="error">{cell(why)}</p><p><a href="/">Back</a></p>')


def _found(store: Store, customer: str) -> Response:
    row = store.get("customer", customer)
    if row is None:
        return HTMLResponse(_refused(str(missing("customer", customer))), 404)
    return HTMLResponse(customer_page.shown(store, row))


def _move(store: Store, by: str, clock: str) -> None:
    if by not in STEPS:
        raise Refused(f"by is one of {', '.join(STEPS)}.")
    if not clock:
        deliveries.forget_old_events(store)
        timeline.advance_server(store, _later(store.time_on(""), by))
        return
    to = _later(store.time_on(clock), by)
    with store.request_undone_on_error():
        test_clocks.advance(store, {"frozen_time": to}, {"test_clock": clock})
    test_clocks.settle(store)


def _later(now: int, step: str) -> int:
    return now + HOUR if step == "hour" else add_interval(now, {"interval": step, "interval_count": 1}, 1)


def _again(store: Store, key: str) -> None:
    found = store.deliveries.get(key)
    if found is None:
        raise missing("delivery", key)
    if found["status"] == "pending":
        deliveries.wait_until(store, found, 0.0)
    else:
        deliveries.plan(store, store.objects["event"][found["event"]], found["endpoint"])


def home(store: Store) -> str:
    """Return the page that shows everything."""
    objects = {kind: panels.newest(rows.values()) for kind, rows in store.objects.items()}
    sections = [
        _section(
            "Customers",
            len(store.objects["customer"]),
            panels.customers(store, objects["customer"], empty=FIRST + "create a customer."),
        ),
        _section(
            "Subscriptions",
            len(store.objects["subscription"]),
            panels.subscriptions(
                store, objects["subscription"], empty="None yet. Subscribe a customer to a price of a product."
            ),
        ),
        _section(
            "Invoices",
            len(store.objects["invoice"]),
            panels.invoices(store, objects["invoice"], empty="None yet. A subscription's first invoice comes with it."),
        ),
        _section(
            "Deliveries",
            len(store.deliveries),
            panels.deliveries(store, panels.newest(store.deliveries.values()), empty=_no_deliveries(store)),
        ),
        _section(
            "Requests",
            len(store.requests),
            panels.requests(panels.newest(store.requests), empty=FIRST + "its requests are listed here."),
        ),
    ]
    links = "".join(f'<a href="#{name}">{name.capitalize()}</a>' for name in SECTIONS)
    body = (
        '<h1>Local Stripe <span class="test">test data</span></h1>'
        "<p>A stand-in for Stripe on this machine. No money moves here.</p>"
        f"{_clocks(store)}{_counts(store)}<nav>{links}</nav>{''.join(sections)}"
    )
    return document("Local Stripe", body)


def _section(title: str, count: int, content: str) -> str:
    more = f" <small>the newest {panels.MOST} of {count:,}</small>" if count > panels.MOST else ""
    return f'<h2 id="{title.lower()}">{title}{more}</h2>{content}'


def _no_deliveries(store: Store) -> str:
    if store.objects["webhook_endpoint"]:
        return "None yet. Every event that an endpoint asked for is listed here."
    return "None yet. Register a webhook endpoint: POST /v1/webhook_endpoints with url and enabled_events[]."


def _clocks(store: Store) -> str:
    rows = [_clock("The server's clock", store.time_on(""), "")]
    for row in panels.newest(store.objects["test_helpers.test_clock"].values()):
        held = len(store.all("customer", test_clock=row["id"]))
        label = f"Test clock {row['name'] or row['id']}, {held} customer{'' if held == 1 else 's'}"
        rows.append(_clock(label, row["frozen_time"], row["id"]))
    return f'<div class="box">{"".join(rows)}</div>'


def _clock(label: str, now: int, key: str) -> str:
    buttons = "".join(button("/clock", f"+ 1 {step}", by=step, clock=key) for step in STEPS)
    return f'<div class="row clock"><span>{cell(label)}<br><strong>{time_shown(now)}</strong></span>{buttons}</div>'


def _counts(store: Store) -> str:
    live = sum(row["status"] in LIVE for row in store.objects["subscription"].values())
    due = sum(row["status"] == "open" for row in store.objects["invoice"].values())
    counts = {
        "customers": len(store.objects["customer"]),
        "live subscriptions": live,
        "open invoices": due,
        "events": len(store.objects["event"]),
        "deliveries waiting": len(store.pending),
    }
    return '<div class="counts">' + "".join(f"<div><b>{n:,}</b>{name}</div>" for name, n in counts.items()) + "</div>"
