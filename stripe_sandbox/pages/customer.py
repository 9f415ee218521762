"""The page of one customer."""

from stripe_sandbox.currencies import money
from stripe_sandbox.pages import panels
from stripe_sandbox.pages.html import Safe, button, cell, document, pill, table, time_shown
from stripe_sandbox.store import Row, Store


def shown(store: Store, row: Row) -> str:
    """Return the page of one customer, with everything about it."""
    if row.get("deleted"):
        head = f'<h1>Deleted customer</h1><p>{row["id"]}</p><p><a href="/">Everything</a></p>'
        return document("Deleted customer", head + _events(store, row["id"]))
    key = row["id"]
    methods = store.all("payment_method", customer=key)
    default = (row["invoice_settings"] or {}).get("default_payment_method")
    cards = [[panels.card_name(one), "yes" if one["id"] == default else "no", one["id"]] for one in reversed(methods)]
    balance = [
        [time_shown(one["created"]), one["type"].replace("_", " "), money(one["amount"], one["currency"]), one["id"]]
        for one in panels.newest(store.all("customer_balance_transaction", customer=key))
    ]
    parts = [
        (
            "Subscriptions",
            panels.subscriptions(store, panels.newest(store.all("subscription", customer=key)), empty="None."),
        ),
        ("Invoices", panels.invoices(store, panels.newest(store.all("invoice", customer=key)), empty="None.")),
        (
            "Payments",
            panels.payments(store, panels.newest(store.all("charge", customer=key)), empty="Nothing was charged."),
        ),
        ("Cards", table(["Card", "Default", "Id"], cards, empty="None. Attach pm_card_visa to this customer.")),
        ("Credit balance", table(["When", "What", "Amount", "Id"], balance, empty="It never changed.")),
    ]
    facts = {
        "E-mail": row["email"] or "–",
        "Created": time_shown(row["created"]),
        "Its time now": time_shown(store.now(key)),
        "Test clock": row["test_clock"] or "none: the server's clock",
        "Balance": money(row["balance"], row["currency"]) if row["currency"] else "–",
        "Id": key,
    }
    boxes = "".join(f"<div><small>{name}</small>{cell(value)}</div>" for name, value in facts.items())
    body = (
        f'<p><a href="/">Everything</a></p><h1>{cell(row["name"] or key)} <span class="test">test data</span></h1>'
        f'<div class="box facts">{boxes}</div>{_trouble(store, key)}{_waiting(store, key)}'
        + "".join(f"<h2>{title}</h2>{content}" for title, content in parts)
        + _events(store, key)
    )
    return document(row["name"] or key, body)


def _events(store: Store, key: str) -> str:
    rows = panels.newest(store.all("event", _customer=key))
    return f"<h2>Events</h2>{panels.events(rows, empty='None in the last 30 days.')}"


def _trouble(store: Store, key: str) -> str:
    """Return buttons that decide how the customer's next charge ends."""
    address = f"/customers/{key}/next_charge"
    buttons = button(address, "Decline the next charge", quiet=True, outcome="decline") + button(
        address, "Ask for authentication at the next charge", quiet=True, outcome="authenticate"
    )
    planned = [one for one in store.next_charges if one.get("customer") in (None, key)]
    note = f"<p>Planned: {cell(', '.join(one['outcome'] for one in planned))}.</p>" if planned else ""
    return f'<div class="row">{buttons}</div>{note}'


def _waiting(store: Store, key: str) -> str:
    """Return what waits for the customer to authenticate, with the two possible answers."""
    rows = [
        [one["id"], pill(one["status"]), _answers(key, one["id"])]
        for kind in ("payment_intent", "setup_intent")
        for one in store.all(kind, customer=key, status="requires_action")
    ]
    return f"<h2>Waits for authentication</h2>{table(['Intent', 'Status', 'Answer'], rows)}" if rows else ""


def _answers(customer: str, intent: str) -> Safe:
    address = f"/customers/{customer}/intents/{intent}"
    return Safe(button(address, "Complete", succeed="yes") + " " + button(address, "Fail", quiet=True, succeed="no"))
