"""An invoice's page and PDF, and a credit note's PDF."""

from html import escape

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from stripe_sandbox import payment_methods
from stripe_sandbox.addresses import authenticate_url
from stripe_sandbox.currencies import money
from stripe_sandbox.invoicing import collection
from stripe_sandbox.pages.forms import acted, card_field, error_box, form_of
from stripe_sandbox.pages.html import document, pairs, time_shown
from stripe_sandbox.pages.pdf import pdf
from stripe_sandbox.store import Row, Store

Pair = tuple[str, str]


def routes(store: Store) -> list[Route]:
    async def paper(request: Request) -> Response:
        invoice = store.get("invoice", request.path_params["id"])
        if invoice is None or not invoice["number"]:
            return _unknown()
        return _pdf(
            invoice["number"],
            pdf(f"Invoice {invoice['number']}", [*_head(invoice), ("", ""), *_amounts(store, invoice)]),
        )

    async def note_paper(request: Request) -> Response:
        note = store.get("credit_note", request.path_params["id"])
        if note is None:
            return _unknown()
        return _pdf(note["number"], pdf(f"Credit note {note['number']}", _note_facts(store, note)))

    async def show(request: Request) -> Response:
        invoice = store.get("invoice", request.path_params["id"])
        if invoice is None or not invoice["number"]:
            return _unknown()
        problem = ""
        if request.method == "POST":
            card = (await form_of(request)).get("card", "")
            problem = acted(store, lambda: _pay(store, invoice, card))
            intent = store.get("payment_intent", invoice["_intent"])
            if intent and intent["status"] == "requires_action":
                url = authenticate_url(store.base_url, intent["id"])
                return RedirectResponse(f"{url}?back=/invoices/{invoice['id']}", 303)
            if not problem:
                return RedirectResponse(f"/invoices/{invoice['id']}", 303)
        return HTMLResponse(_page(store, invoice, problem), 400 if problem else 200)

    return [
        Route("/invoices/{id}.pdf", paper),
        Route("/credit_notes/{id}.pdf", note_paper),
        Route("/invoices/{id}", show, methods=["GET", "POST"]),
    ]


def _pay(store: Store, invoice: Row, card: str) -> None:
    """Pay the invoice with this test card, and attach the card to the customer."""
    customer = store.objects["customer"][invoice["customer"]]
    method = payment_methods.of_id(store, card, "card", customer)
    payment_methods.attach(store, method, customer)
    collection.pay(store, invoice, method_id=method["id"])


def _page(store: Store, invoice: Row, problem: str) -> str:
    currency = invoice["currency"]
    parts = [
        '<p><span class="test">TEST</span></p>',
        f"<h1>Invoice {escape(invoice['number'])}</h1>",
        error_box(problem),
        f'<p class="total">{money(_owed(invoice), currency)} {"due" if invoice["status"] == "open" else "in all"}</p>',
        pairs(_head(invoice)),
        "<h2>Lines</h2>",
        pairs(_amounts(store, invoice)),
    ]
    if invoice["status"] == "open" and invoice["amount_remaining"]:
        parts.append(
            f'<form method="post" action="/invoices/{escape(invoice["id"])}" class="box">{card_field()}'
            f'<button class="wide">Pay {money(invoice["amount_remaining"], currency)}</button></form>'
        )
    parts.append(f'<p><a href="/invoices/{escape(invoice["id"])}.pdf">Download as PDF</a></p>')
    return document(f"Invoice {invoice['number']}", "".join(parts), narrow=True)


def _owed(invoice: Row) -> int:
    return invoice["amount_remaining"] if invoice["status"] == "open" else invoice["total"]


def _amounts(store: Store, invoice: Row) -> list[Pair]:
    """List the invoice's amounts, from its lines to what is left to pay."""
    currency = invoice["currency"]
    rows = [(line["description"] or "–", line["amount"]) for line in store.all("line_item", invoice=invoice["id"])]
    rows.append(("Subtotal", invoice["subtotal"]))
    rows += [("Discount", -one["amount"]) for one in invoice["total_discount_amounts"] or ()]
    rows += [(_tax_name(store, one), one["amount"]) for one in invoice["total_taxes"] or ()]
    rows.append(("Total", invoice["total"]))
    if applied := (invoice["ending_balance"] or 0) - invoice["starting_balance"]:
        rows.append(("From or to the credit balance", -applied))
    for name, label in (("pre_payment_credit_notes_amount", "Credited"), ("amount_paid", "Paid")):
        if invoice[name]:
            rows.append((label, -invoice[name]))
    if invoice["post_payment_credit_notes_amount"]:
        rows.append(("Credited after payment", -invoice["post_payment_credit_notes_amount"]))
    rows.append(("Left to pay", invoice["amount_remaining"]))
    return [(label, money(amount, currency)) for label, amount in rows]


def _tax_name(store: Store, tax: Row) -> str:
    rate = store.get("tax_rate", (tax["tax_rate_details"] or {}).get("tax_rate"))
    name = f"{rate['display_name']} {rate['percentage']:g}%" if rate else "Tax"
    return f"{name} (included)" if tax["tax_behavior"] == "inclusive" else name


def _head(invoice: Row) -> list[Pair]:
    facts = [
        ("For", invoice["customer_name"] or invoice["customer_email"] or invoice["customer"]),
        ("Status", invoice["status"]),
        ("Date", time_shown(invoice["status_transitions"]["finalized_at"])),
    ]
    return [*facts, ("Due", time_shown(invoice["due_date"]))] if invoice["due_date"] else facts


def _note_facts(store: Store, note: Row) -> list[Pair]:
    currency = note["currency"]
    lines = store.all("credit_note_line_item", _credit_note=note["id"])
    rows = [(one["description"] or "–", one["amount"]) for one in lines]
    rows += [("Discount", -one["amount"]) for one in note["discount_amounts"]]
    rows += [(_tax_name(store, one), one["amount"]) for one in note["total_taxes"]]
    rows.append(("Total", note["total"]))
    invoice = store.objects["invoice"][note["invoice"]]
    head = [("Invoice", invoice["number"]), ("Status", note["status"]), ("Date", time_shown(note["created"])), ("", "")]
    return head + [(label, money(amount, currency)) for label, amount in rows]


def _pdf(number: str, content: bytes) -> Response:
    headers = {"Content-Disposition": f'inline; filename="{number}.pdf"'}
    return Response(content, media_type="application/pdf", headers=headers)


def _unknown() -> Response:
    return HTMLResponse(document("Unknown", "<h1>There is no such invoice</h1>", narrow=True), 404)
