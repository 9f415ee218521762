"""The tables of the pages: what the store holds, in words for a person."""

from collections.abc import Iterable
from datetime import UTC, datetime
from itertools import islice

from stripe_sandbox import card_rules
from stripe_sandbox.currencies import money
from stripe_sandbox.pages.html import Safe, button, cell, cost, link, pill, table, time_shown
from stripe_sandbox.store import Row, Store

MOST = 50
OWED = ("draft", "open", "uncollectible")


def newest(rows: Iterable[Row]) -> list[Row]:
    """Return the last ``MOST`` rows, newest first. ``rows`` has the oldest first, and can be read backwards."""
    return list(islice(reversed(rows), MOST))  # type: ignore[call-overload]


def customers(store: Store, rows: list[Row], *, empty: str) -> Safe:
    heads = ["Customer", "Subscription", "Balance", "Card", "Since"]
    return table(heads, ([*_customer(store, row), _card(store, row), day(row["created"])] for row in rows), empty=empty)


def _customer(store: Store, row: Row) -> list[str]:
    live = [pill(one["status"]) for one in store.all("subscription", customer=row["id"])]
    balance = money(row["balance"], row["currency"]) if row["currency"] else "–"
    return [customer_link(store, row["id"]), Safe(" ".join(live[-3:])) if live else "none", balance]


def customer_link(store: Store, key: str | None) -> Safe:
    """Return the customer's name as a link to its page."""
    row = store.get("customer", key)
    if row is None:
        return Safe("–")
    name = "deleted customer" if row.get("deleted") else row["name"] or row["email"] or row["id"]
    return link(f"/customers/{row['id']}", name)


def _card(store: Store, customer: Row) -> str:
    method = store.get("payment_method", (customer["invoice_settings"] or {}).get("default_payment_method"))
    return card_name(method) if method else "none"


def card_name(method: Row) -> str:
    if card_rules.is_bank(method):
        return f"{method['us_bank_account']['bank_name']} …{method['us_bank_account']['last4']}"
    card = method["card"]
    return f"{card['brand']} …{card['last4']}, {card['exp_month']:02}/{card['exp_year']}"


def subscriptions(store: Store, rows: list[Row], *, empty: str) -> Safe:
    heads = ["Customer", "Status", "Plan", "Quantity", "Period ends", "Ends"]
    return table(heads, (_subscription(store, row) for row in rows), empty=empty)


def _subscription(store: Store, row: Row) -> list[str]:
    items = store.all("subscription_item", subscription=row["id"])
    plans = Safe("<br>".join(cell(price_name(store, store.objects["price"][one["price"]])) for one in items))
    quantities = ", ".join(str(one["quantity"] if one["quantity"] is not None else "–") for one in items)
    ends = [one["current_period_end"] for one in items]
    return [
        Safe(f"<span>{customer_link(store, row['customer'])}<small>{row['id']}</small></span>"),
        pill(row["status"]),
        plans,
        quantities,
        time_shown(min(ends)) if ends else "–",
        time_shown(row["ended_at"] or row["cancel_at"]),
    ]


def price_name(store: Store, price: Row) -> str:
    """Return the product, and what it costs how often."""
    product = store.get("product", price["product"])
    return f"{price['nickname'] or (product and product.get('name')) or price['id']}, {cost(price)}"


def invoices(store: Store, rows: list[Row], *, empty: str) -> Safe:
    heads = ["Number", "Customer", "Status", "Total", "Still due", "Attempts", "Next attempt or due"]
    return table(heads, (_invoice(store, row) for row in rows), empty=empty)


def _invoice(store: Store, row: Row) -> list[str]:
    upcoming = row["next_payment_attempt"] or (row["due_date"] if row["status"] == "open" else None)
    return [
        row["number"] or row["id"],
        customer_link(store, row["customer"]),
        pill(row["status"]),
        money(row["total"], row["currency"]),
        money(row["amount_remaining"], row["currency"]) if row["status"] in OWED else "–",
        str(row["attempt_count"]),
        time_shown(upcoming),
    ]


def payments(store: Store, rows: list[Row], *, empty: str) -> Safe:
    heads = ["When", "Amount", "Status", "Refunded", "Why it failed", "Id"]
    return table(heads, (_payment(row) for row in rows), empty=empty)


def _payment(row: Row) -> list[str]:
    why = (row["outcome"] or {}).get("reason") or row["failure_code"] or "–"
    return [
        time_shown(row["created"]),
        money(row["amount"], row["currency"]),
        pill("disputed" if row["disputed"] else row["status"]),
        money(row["amount_refunded"], row["currency"]) if row["amount_refunded"] else "–",
        why,
        row["id"],
    ]


def deliveries(store: Store, rows: list[Row], *, empty: str) -> Safe:
    heads = ["Event", "Status", "Attempts", "Next attempt", ""]
    return table(heads, (_delivery(store, row) for row in rows), empty=empty)


def _delivery(store: Store, row: Row) -> list[str]:
    event, endpoint = store.get("event", row["event"]), store.get("webhook_endpoint", row["endpoint"])
    address = endpoint["url"] if endpoint else "its endpoint is gone"
    tried = "<br>".join(
        f"{clock_time(one['at'])} {cell(str(one['status'] or one['error']))}" for one in row["attempts"][-4:]
    )
    earlier = f"<small>{len(row['attempts']) - 4} earlier</small>" if len(row["attempts"]) > 4 else ""
    waits = row["status"] == "pending"
    upcoming = (clock_time(row["due"]) if row["due"] else "now") if waits else "–"
    if waits and store.mode == "manual":
        upcoming = "when taken"
    again = button(f"/deliveries/{row['id']}/again", "Send now" if waits else "Send again", quiet=True)
    return [
        Safe(f"<span>{event['type'] if event else '–'}<small>{cell(address)}</small></span>"),
        pill(row["status"]),
        Safe(f'<span class="tries">{earlier}{tried}</span>') if tried else "none",
        upcoming,
        again,
    ]


def events(rows: list[Row], *, empty: str) -> Safe:
    heads = ["When", "Event", "Still to deliver", "Id"]
    cells = ([time_shown(row["created"]), row["type"], str(row["pending_webhooks"]), row["id"]] for row in rows)
    return table(heads, cells, empty=empty)


def requests(rows: list[Row], *, empty: str) -> Safe:
    heads = ["When", "Request", "Answer", "Idempotency key", "Id"]
    cells = (
        [
            clock_time(row["at"]),
            f"{row['method']} {row['path']}",
            pill(str(row["status"])),
            row["idempotency_key"] or "–",
            row["request_id"],
        ]
        for row in rows
    )
    return table(heads, cells, empty=empty)


def day(epoch: int) -> str:
    return f"{datetime.fromtimestamp(epoch, UTC):%d %b %Y}"


def clock_time(epoch: float) -> str:
    """Return a moment of the machine's clock. Deliveries and requests use that clock."""
    return f"{datetime.fromtimestamp(epoch, UTC):%H:%M:%S} UTC"
