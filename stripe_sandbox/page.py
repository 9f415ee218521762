"""A page that shows what the sandbox holds and lets a person make time pass."""

from datetime import UTC, datetime
from html import escape

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse
from starlette.routing import Route

from stripe_sandbox import subscriptions
from stripe_sandbox.store import Store

STEPS = {"hour": 3600, "day": 86_400, "month": 31 * 86_400}
STYLE = """
body{font:15px/1.5 system-ui,sans-serif;margin:0;background:#f6f8fa;color:#1a1f36}
main{max-width:1100px;margin:0 auto;padding:2rem 1rem}h1{font-size:1.5rem;margin:0}
h2{font-size:1.1rem;margin:2rem 0 .5rem}
.clock{display:flex;gap:.5rem;align-items:center;flex-wrap:wrap;background:#fff;border:1px solid #e3e8ee;
border-radius:8px;padding:1rem;margin:1rem 0}button{font:inherit;border:0;border-radius:6px;padding:.4rem .9rem;
background:#635bff;color:#fff;cursor:pointer}table{width:100%;border-collapse:collapse;background:#fff;
border:1px solid #e3e8ee;border-radius:8px}th,td{text-align:left;padding:.45rem .75rem;border-top:1px solid #e3e8ee}
th{border-top:0;font-size:.8rem;color:#697386}p{color:#697386}
"""


def routes(store: Store) -> list[Route]:
    async def show(_: Request) -> HTMLResponse:
        return HTMLResponse(_page(store))

    async def advance(request: Request) -> RedirectResponse:
        subscriptions.advance(store, store.now() + STEPS[request.path_params["step"]])
        return RedirectResponse("/", 303)

    return [Route("/", show), Route("/advance/{step}", advance, methods=["POST"])]


def _page(store: Store) -> str:
    names = {one["id"]: one["name"] or one["id"] for one in store.objects["customer"].values()}
    buttons = "".join(
        f'<form method="post" action="/advance/{step}"><button>+ 1 {step}</button></form>' for step in STEPS
    )
    live = [
        [names.get(one["customer"], ""), one["status"], _day(subscriptions.period_end(one)), one["id"]]
        for one in _newest(store, "subscription")
    ]
    invoices = [
        [names.get(one["customer"], ""), one["number"] or "–", one["status"], _money(one["total"], one["currency"])]
        for one in _newest(store, "invoice")
    ]
    deliveries = [
        [
            (store.get("event", one["event"]) or {}).get("type", "–"),
            one["status"],
            ", ".join(str(tried["status"] or "no answer") for tried in one["attempts"]) or "–",
        ]
        for one in list(store.deliveries.values())[:-51:-1]
    ]
    return f"""<!doctype html><html lang="en"><meta charset="utf-8"><title>Local Stripe</title><style>{STYLE}</style>
<main><h1>Local Stripe</h1><p>A stand-in for Stripe on this machine. No money moves here.</p>
<div class="clock"><strong>{_time(store.now())}</strong>{buttons}</div>
<h2>Subscriptions</h2>{_table(["Customer", "Status", "Paid until", "Id"], live)}
<h2>Invoices</h2>{_table(["Customer", "Number", "Status", "Total"], invoices)}
<h2>Webhook deliveries</h2>{_table(["Event", "Status", "Answers"], deliveries)}</main></html>"""


def _newest(store: Store, kind: str) -> list[dict]:
    return sorted(store.objects[kind].values(), key=lambda one: one["_seq"], reverse=True)[:50]


def _table(heads: list[str], rows: list[list[str]]) -> str:
    if not rows:
        return "<p>None yet.</p>"
    head = "".join(f"<th>{escape(one)}</th>" for one in heads)
    body = "".join("<tr>" + "".join(f"<td>{escape(str(cell))}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table><tr>{head}</tr>{body}</table>"


def _time(epoch: int) -> str:
    return f"{datetime.fromtimestamp(epoch, UTC):%d %B %Y, %H:%M} UTC"


def _day(epoch: int) -> str:
    return f"{datetime.fromtimestamp(epoch, UTC):%d %b %Y}"


def _money(amount: int, currency: str) -> str:
    return f"{amount / 100:,.2f} {currency.upper()}"
