"""Credit notes: less to pay on an open invoice; a refund, a credit or money outside Stripe for a paid one.

Source: https://docs.stripe.com/api/credit_notes
"""

from typing import Any

from stripe_sandbox import addresses, balances, refunds
from stripe_sandbox.currencies import money
from stripe_sandbox.errors import invalid, unsupported
from stripe_sandbox.handlers import Ids, Params, Routes, lists, merged, page, reads
from stripe_sandbox.invoicing import credit_lines, invoices
from stripe_sandbox.store import Row, Store
from stripe_sandbox.views import shown

CREDITABLE = ("open", "paid", "uncollectible")


def create(store: Store, params: Params, ids: Ids) -> Row:
    """Issue the note, and move its money as the parameters say."""
    invoice = store.need("invoice", params["invoice"], "invoice")
    made = _issue(store, invoice, params)
    later = _pay_back(store, invoice, made, params)
    store.emit("credit_note.created", made)
    _count(store, invoice, before=made["pre_payment_amount"], after=later)
    return made


def preview(store: Store, params: Params, ids: Ids) -> Row:
    """Return what ``create`` would return. Nothing is issued."""
    with store.rehearsal():
        return shown(store, create(store, params, ids))


def preview_lines(store: Store, params: Params, ids: Ids) -> Row:
    """List a page of the lines that the note would have."""
    with store.rehearsal():
        made = create(store, params, ids)
        return page(store, _lines(store, made), params, "/v1/credit_notes/preview/lines", newest_first=False)


def lines(store: Store, params: Params, ids: Ids) -> Row:
    """List a page of the note's lines."""
    made = store.need("credit_note", ids["credit_note"])
    return page(store, _lines(store, made), params, f"/v1/credit_notes/{made['id']}/lines", newest_first=False)


def update(store: Store, params: Params, ids: Ids) -> Row:
    """Change the note's memo and metadata. Its money never changes."""
    made = store.need("credit_note", ids["id"])
    values: dict[str, Any] = {}
    if "memo" in params:
        values["memo"] = params["memo"] or None
    if "metadata" in params:
        values["metadata"] = merged(made["metadata"], params["metadata"])
    store.change(made, "credit_note.updated", **values)
    return made


def void(store: Store, params: Params, ids: Ids) -> Row:
    """Void the note, so that its invoice is owed as before. This is possible only while the invoice is open."""
    made = store.need("credit_note", ids["id"])
    invoice = store.objects["invoice"][made["invoice"]]
    if made["status"] == "void":
        raise invalid("This credit note has already been voided.")
    if invoice["status"] != "open" or made["post_payment_amount"]:
        raise invalid("You can only void a credit note of an open invoice, and only before it is paid.")
    store.change(made, status="void", voided_at=store.now(made["customer"]))
    store.emit("credit_note.voided", made)
    _count(store, invoice, before=-made["pre_payment_amount"], after=0)
    return made


def _issue(store: Store, invoice: Row, params: Params) -> Row:
    """Make the note and its lines, before any money moves."""
    if invoice["status"] not in CREDITABLE:
        raise invalid(
            f"Credit notes can only be created for open, paid or uncollectible invoices; this one is "
            f"{invoice['status']}.",
            param="invoice",
        )
    if "shipping_cost" in params:
        raise unsupported("credit notes of shipping")
    if ("amount" in params) == bool(params.get("lines")):
        raise invalid("You must pass exactly one of: amount, lines.", param="amount")
    earlier = store.all("credit_note", invoice=invoice["id"])
    counted = [one for one in earlier if one["status"] == "issued"]
    before = sum(one["total"] for one in counted)
    parts = credit_lines.parts(store, invoice, counted, params)
    sums = credit_lines.sums(parts)
    total, left = sums["total"], invoice["total"] - before
    if total <= 0:
        raise invalid("The total of a credit note must be greater than 0.", param="amount")
    if total > left:
        raise invalid(
            f"The credit note's total ({money(total, invoice['currency'])}) is greater than what is left to credit "
            f"of the invoice ({money(left, invoice['currency'])}).",
            param="amount",
        )
    pre_payment = 0 if invoice["status"] == "paid" else min(total, invoice["amount_remaining"])
    kind = "pre_payment" if pre_payment == total else "mixed" if pre_payment else "post_payment"
    key, now = store.new_id("credit_note"), store.now(invoice["customer"])
    made = store.add(
        "credit_note",
        id=key,
        currency=invoice["currency"],
        customer=invoice["customer"],
        effective_at=params.get("effective_at", now),
        invoice=invoice["id"],
        memo=params.get("memo"),
        metadata=merged(None, params.get("metadata")),
        number=f"{invoice['number']}-CN-{len(earlier) + 1:02}",
        pdf=addresses.credit_note_pdf(store.base_url, key),
        pre_payment_amount=pre_payment,
        post_payment_amount=total - pre_payment,
        reason=params.get("reason"),
        status="issued",
        type=kind,
        amount=total,
        **sums,
    )
    for part in parts:
        store.add("credit_note_line_item", _credit_note=made["id"], **part)
    return made


def _pay_back(store: Store, invoice: Row, made: Row, params: Params) -> int:
    """Refund or credit what was paid already, or record that it was settled outside. Returns how much."""
    linked = [_linked(store, invoice, one, f"refunds[{n}]") for n, one in enumerate(params.get("refunds", ()))]
    wanted, credit = params.get("refund_amount", 0), params.get("credit_amount", 0)
    outside, due = params.get("out_of_band_amount", 0), made["post_payment_amount"]
    for name in ("refund_amount", "credit_amount", "out_of_band_amount"):
        if params.get(name, 0) < 0:
            raise invalid("This value must be greater than or equal to 0.", param=name)
    given = wanted + credit + outside + sum(one["amount_refunded"] for one in linked)
    if given != due:
        raise invalid(
            f"The sum of refunds, credit amount and out of band amount ({money(given, made['currency'])}) must equal "
            f"the post-payment amount of the credit note ({money(due, made['currency'])}).",
        )
    if wanted:
        charge = _charge(store, invoice, wanted)
        refund = refunds.refund(store, charge, wanted, metadata={}, _credit_note=made["id"])
        linked.append(_link(refund, wanted))
    values: dict[str, Any] = {"refunds": linked, "out_of_band_amount": outside or None}
    if credit:
        customer = store.objects["customer"][invoice["customer"]]
        links = {"credit_note": made["id"], "invoice": invoice["id"], "currency": made["currency"]}
        moved = balances.adjust(store, customer, -credit, "credit_note", **links)
        values["customer_balance_transaction"] = moved["id"]
    store.change(made, **values)
    return due


def _linked(store: Store, invoice: Row, given: Params, name: str) -> Row:
    """Link a refund that was made before as a part of this note."""
    if given.get("type", "refund") != "refund" or "payment_record_refund" in given:
        raise unsupported("refunds of payment records")
    refund = store.need("refund", given.get("refund"), f"{name}[refund]")
    if refund["charge"] not in {one["id"] for one in _charges(store, invoice)}:
        raise invalid(f"The refund {refund['id']} is not of a payment of this invoice.", param=f"{name}[refund]")
    notes = store.all("credit_note", invoice=invoice["id"], status="issued")
    used = sum(one["amount_refunded"] for note in notes for one in note["refunds"] if one["refund"] == refund["id"])
    amount = given.get("amount_refunded", refund["amount"] - used)
    if not 0 < amount <= refund["amount"] - used or refund["status"] in ("failed", "canceled"):
        raise invalid(f"The refund {refund['id']} has not that much left.", param=f"{name}[amount_refunded]")
    return _link(refund, amount)


def _link(refund: Row, amount: int) -> Row:
    return {"amount_refunded": amount, "payment_record_refund": None, "refund": refund["id"], "type": "refund"}


def _charge(store: Store, invoice: Row, amount: int) -> Row:
    """Find the charge of the invoice of which ``amount`` can be refunded."""
    for charge in _charges(store, invoice):
        if charge["amount_captured"] - charge["amount_refunded"] >= amount:
            return charge
    raise invalid("No payment of this invoice has that much left to refund.", param="refund_amount")


def _charges(store: Store, invoice: Row) -> list[Row]:
    payments = store.all("invoice_payment", invoice=invoice["id"], status="paid")
    intents = [store.objects["payment_intent"][one["_intent"]] for one in payments if one["_intent"]]
    return [store.objects["charge"][one["latest_charge"]] for one in intents if one["latest_charge"]]


def _count(store: Store, invoice: Row, *, before: int, after: int) -> None:
    """Count on the invoice what was credited before its payment, which lowers what is due, and after it."""
    if after:
        total = invoice["post_payment_credit_notes_amount"] + after
        store.change(invoice, "invoice.updated", post_payment_credit_notes_amount=total)
    if before:
        store.change(
            invoice,
            "invoice.updated",
            pre_payment_credit_notes_amount=invoice["pre_payment_credit_notes_amount"] + before,
            amount_due=invoice["amount_due"] - before,
            amount_remaining=invoice["amount_remaining"] - before,
        )
        invoices.settle_from_credit(store, invoice)


def _lines(store: Store, made: Row) -> list[Row]:
    return store.all("credit_note_line_item", _credit_note=made["id"])


ROUTES: Routes = {
    ("get", "/v1/credit_notes/preview"): preview,
    ("get", "/v1/credit_notes/preview/lines"): preview_lines,
    ("post", "/v1/credit_notes"): create,
    ("get", "/v1/credit_notes"): lists("credit_note", "/v1/credit_notes", "invoice", "customer"),
    ("get", "/v1/credit_notes/{id}"): reads("credit_note", "id"),
    ("post", "/v1/credit_notes/{id}"): update,
    ("post", "/v1/credit_notes/{id}/void"): void,
    ("get", "/v1/credit_notes/{credit_note}/lines"): lines,
}
