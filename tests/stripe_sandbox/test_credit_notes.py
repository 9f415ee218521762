"""Credit notes: what they do to the invoice, to the money, and to each cent of tax."""

from typing import Any

import pytest

from tests.stripe_sandbox.conftest import Sandbox


def tax_rate(sandbox: Sandbox, percentage: str = "19", inclusive: str = "false") -> str:
    given = {"display_name": "VAT", "percentage": percentage, "inclusive": inclusive}
    return sandbox.post("tax_rates", given)["id"]


def invoiced(sandbox: Sandbox, *, amount: int = 1000, quantity: int = 1, pay: bool = True, **more: Any) -> Any:
    """The first invoice of a subscription, paid or open."""
    customer = sandbox.customer()["id"]
    given = {"items[0][price]": sandbox.price(amount)["id"], "items[0][quantity]": quantity, **more}
    if not pay:
        given["payment_behavior"] = "default_incomplete"
    made = sandbox.post("subscriptions", {"customer": customer, **given})
    return sandbox.get(f"invoices/{made['latest_invoice']}")


def refused(sandbox: Sandbox, **given: Any) -> dict[str, Any]:
    answer = sandbox.ask("POST", "credit_notes", given)
    assert answer.status_code == 400, answer.text
    return answer.json()["error"]


def test_a_note_on_an_open_invoice_lowers_what_is_due(sandbox: Sandbox) -> None:
    invoice = invoiced(sandbox, pay=False)
    note = sandbox.post(
        "credit_notes", {"invoice": invoice["id"], "amount": 300, "reason": "order_change", "memo": "Sorry"}
    )
    assert (note["type"], note["pre_payment_amount"], note["post_payment_amount"]) == ("pre_payment", 300, 0)
    assert (note["number"], note["status"], note["memo"]) == (f"{invoice['number']}-CN-01", "issued", "Sorry")
    after = sandbox.get(f"invoices/{invoice['id']}", **{"expand[]": "payments"})
    assert (after["total"], after["amount_due"], after["amount_remaining"]) == (1000, 700, 700)
    assert (after["pre_payment_credit_notes_amount"], after["status"]) == (300, "open")
    intent = sandbox.get(f"payment_intents/{after['payments']['data'][0]['payment']['payment_intent']}")
    assert intent["amount"] == 700
    assert "credit_note.created" in sandbox.event_types()
    assert sandbox.listed("events", type="invoice.updated")[0]["data"]["previous_attributes"]["amount_due"] == 1000
    sandbox.post(f"invoices/{invoice['id']}/pay")
    paid = sandbox.get(f"invoices/{invoice['id']}")
    assert (paid["status"], paid["amount_paid"]) == ("paid", 700)


def test_a_note_over_all_that_is_open_settles_the_invoice(sandbox: Sandbox) -> None:
    invoice = invoiced(sandbox, pay=False)
    sandbox.post("credit_notes", {"invoice": invoice["id"], "amount": 1000})
    after = sandbox.get(f"invoices/{invoice['id']}")
    assert (after["status"], after["amount_paid"], after["amount_remaining"]) == ("paid", 0, 0)
    assert sandbox.listed("charges", customer=invoice["customer"]) == []
    assert "invoice.paid" in sandbox.event_types()


def test_a_note_on_a_paid_invoice_refunds_its_charge(sandbox: Sandbox) -> None:
    invoice = invoiced(sandbox)
    note = sandbox.post("credit_notes", {"invoice": invoice["id"], "amount": 400, "refund_amount": 400})
    refund = sandbox.listed("refunds")[0]
    assert note["refunds"] == [
        {"amount_refunded": 400, "payment_record_refund": None, "refund": refund["id"], "type": "refund"}
    ]
    assert (refund["amount"], note["type"], note["post_payment_amount"]) == (400, "post_payment", 400)
    after = sandbox.get(f"invoices/{invoice['id']}")
    assert (after["post_payment_credit_notes_amount"], after["status"]) == (400, "paid")
    assert (after["amount_paid"], after["amount_due"]) == (1000, 1000)
    types = sandbox.event_types()
    assert types.index("refund.created") < types.index("credit_note.created")


def test_a_note_may_credit_the_customer_and_leave_a_part_outside(sandbox: Sandbox) -> None:
    invoice = invoiced(sandbox)
    given = {"invoice": invoice["id"], "amount": 500, "credit_amount": 300, "out_of_band_amount": 200}
    note = sandbox.post("credit_notes", given)
    customer = sandbox.get(f"customers/{invoice['customer']}")
    assert (customer["balance"], note["out_of_band_amount"], note["refunds"]) == (-300, 200, [])
    moved = sandbox.get(f"customers/{customer['id']}/balance_transactions/{note['customer_balance_transaction']}")
    assert (moved["amount"], moved["type"], moved["credit_note"]) == (-300, "credit_note", note["id"])
    assert "customer.updated" in sandbox.event_types()


def test_a_note_may_take_in_a_refund_that_was_made_before_but_once(sandbox: Sandbox) -> None:
    invoice = invoiced(sandbox)
    charge = sandbox.listed("charges", customer=invoice["customer"])[0]
    refund = sandbox.post("refunds", {"charge": charge["id"], "amount": 250})
    linked = {"invoice": invoice["id"], "amount": 250, "refunds[0][refund]": refund["id"]}
    assert sandbox.post("credit_notes", linked)["refunds"][0]["refund"] == refund["id"]
    assert len(sandbox.listed("refunds")) == 1
    assert "not that much left" in refused(sandbox, **linked)["message"]
    assert "not that much left" in refused(sandbox, **linked, **{"refunds[0][amount_refunded]": 250})["message"]
    other = invoiced(sandbox)
    assert "not of a payment" in refused(sandbox, **{**linked, "invoice": other["id"]})["message"]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"amount": 400}, "must equal"),
        ({"amount": 400, "refund_amount": 300}, "must equal"),
        ({"amount": 400, "credit_amount": 500, "refund_amount": -100}, "greater than or equal to 0"),
        ({"amount": 1001, "refund_amount": 1001}, "greater than what is left to credit"),
        ({"amount": 0}, "greater than or equal to 1"),
        ({}, "exactly one of"),
    ],
)
def test_a_note_whose_sums_are_wrong_is_refused_and_moves_nothing(
    sandbox: Sandbox, given: dict[str, Any], words: str
) -> None:
    invoice = invoiced(sandbox)
    assert words in refused(sandbox, invoice=invoice["id"], **given)["message"]
    assert sandbox.listed("refunds") == sandbox.listed("credit_notes") == []
    assert sandbox.get(f"customers/{invoice['customer']}")["balance"] == 0


def test_all_notes_together_credit_no_more_than_the_invoice(sandbox: Sandbox) -> None:
    invoice = invoiced(sandbox)
    sandbox.post("credit_notes", {"invoice": invoice["id"], "amount": 700, "refund_amount": 700})
    second = {"invoice": invoice["id"], "amount": 301, "refund_amount": 301}
    assert "(3.00 USD)" in refused(sandbox, **second)["message"]
    note = sandbox.post("credit_notes", {"invoice": invoice["id"], "amount": 300, "refund_amount": 300})
    assert note["number"].endswith("-CN-02")


def test_a_draft_has_no_credit_notes(sandbox: Sandbox) -> None:
    customer = sandbox.customer()["id"]
    sandbox.post("invoiceitems", {"customer": customer, "amount": 100, "currency": "usd"})
    draft = sandbox.post("invoices", {"customer": customer})
    assert "draft" in refused(sandbox, invoice=draft["id"], amount=10)["message"]


def test_the_tax_of_an_amount_is_shared_out_to_the_cent(sandbox: Sandbox) -> None:
    invoice = invoiced(sandbox, amount=1000, **{"default_tax_rates[0]": tax_rate(sandbox)})
    assert invoice["total"] == 1190
    notes = [
        sandbox.post("credit_notes", {"invoice": invoice["id"], "amount": part, "credit_amount": part})
        for part in (397, 397, 396)
    ]
    assert [one["total"] for one in notes] == [397, 397, 396]
    taxes = [one["total_taxes"][0]["amount"] for one in notes]
    assert sum(taxes) == 190
    assert sum(one["subtotal"] for one in notes) == 1000
    assert [one["subtotal"] + tax for one, tax in zip(notes, taxes, strict=True)] == [397, 397, 396]
    assert sum(one["total_taxes"][0]["taxable_amount"] for one in notes) == 1000


def test_lines_are_credited_by_quantity_with_their_discount_and_tax(sandbox: Sandbox) -> None:
    coupon = sandbox.post("coupons", {"percent_off": 10, "duration": "forever"})
    more = {"default_tax_rates[0]": tax_rate(sandbox), "discounts[0][coupon]": coupon["id"]}
    invoice = invoiced(sandbox, amount=333, quantity=3, **more)
    line = invoice["lines"]["data"][0]
    totals = []
    for _ in range(3):
        given = {
            "invoice": invoice["id"],
            "lines[0][type]": "invoice_line_item",
            "lines[0][invoice_line_item]": line["id"],
            "lines[0][quantity]": 1,
        }
        preview = sandbox.get("credit_notes/preview", **given, out_of_band_amount=_total(sandbox, given))
        note = sandbox.post("credit_notes", {**given, "out_of_band_amount": preview["total"]})
        part = note["lines"]["data"][0]
        assert (part["invoice_line_item"], part["quantity"], part["amount"]) == (line["id"], 1, 333)
        assert note["discount_amounts"][0]["discount"] == invoice["total_discount_amounts"][0]["discount"]
        totals.append((note["total"], note["discount_amount"], note["total_taxes"][0]["amount"]))
    assert [sum(column) for column in zip(*totals, strict=True)] == [
        invoice["total"],
        invoice["total_discount_amounts"][0]["amount"],
        invoice["total_taxes"][0]["amount"],
    ]
    assert "quantity must be" in refused(sandbox, **given, out_of_band_amount=1)["message"]


def _total(sandbox: Sandbox, given: dict[str, Any]) -> int:
    """What the note comes to, as the refusal of a wrong sum tells it."""
    answer = sandbox.ask("GET", "credit_notes/preview", given)
    assert answer.status_code == 400
    return round(float(answer.json()["error"]["message"].split("(")[-1].split(" ")[0]) * 100)


def test_a_custom_line_has_the_tax_that_it_is_given(sandbox: Sandbox) -> None:
    invoice = invoiced(sandbox)
    given = {
        "invoice": invoice["id"],
        "lines[0][type]": "custom_line_item",
        "lines[0][description]": "Kindness",
        "lines[0][quantity]": 2,
        "lines[0][unit_amount]": 105,
        "lines[0][tax_rates][0]": tax_rate(sandbox, "7"),
        "credit_amount": 225,
    }
    note = sandbox.post("credit_notes", given)
    assert (note["subtotal"], note["total"]) == (210, 225)
    line = sandbox.get(f"credit_notes/{note['id']}/lines")["data"][0]
    assert (line["description"], line["unit_amount"], line["tax_rates"][0]["percentage"]) == ("Kindness", 105, 7)


def test_a_preview_tells_the_same_and_leaves_nothing(sandbox: Sandbox) -> None:
    invoice = invoiced(sandbox)
    given = {"invoice": invoice["id"], "amount": 400, "refund_amount": 400}
    before = len(sandbox.listed("events"))
    preview = sandbox.get("credit_notes/preview", **given)
    lines = sandbox.get("credit_notes/preview/lines", **given)
    assert sandbox.listed("credit_notes") == sandbox.listed("refunds") == []
    assert len(sandbox.listed("events")) == before
    assert sandbox.get(f"invoices/{invoice['id']}") == invoice
    note = sandbox.post("credit_notes", given)
    same = ("total", "subtotal", "number", "type", "post_payment_amount")
    assert {name: preview[name] for name in same} == {name: note[name] for name in same}
    assert [one["amount"] for one in lines["data"]] == [400]


def test_a_void_note_no_longer_counts(sandbox: Sandbox) -> None:
    invoice = invoiced(sandbox, pay=False)
    note = sandbox.post("credit_notes", {"invoice": invoice["id"], "amount": 300})
    voided = sandbox.post(f"credit_notes/{note['id']}/void")
    assert (voided["status"], voided["voided_at"] is not None) == ("void", True)
    after = sandbox.get(f"invoices/{invoice['id']}")
    assert (after["amount_due"], after["amount_remaining"], after["pre_payment_credit_notes_amount"]) == (1000, 1000, 0)
    assert "credit_note.voided" in sandbox.event_types()
    assert sandbox.ask("POST", f"credit_notes/{note['id']}/void").status_code == 400
    sandbox.post(f"invoices/{invoice['id']}/pay")
    assert sandbox.get(f"invoices/{invoice['id']}")["amount_paid"] == 1000


def test_the_note_of_a_paid_invoice_cannot_be_voided(sandbox: Sandbox) -> None:
    invoice = invoiced(sandbox)
    note = sandbox.post("credit_notes", {"invoice": invoice["id"], "amount": 300, "credit_amount": 300})
    assert sandbox.ask("POST", f"credit_notes/{note['id']}/void").status_code == 400
    assert sandbox.get(f"customers/{invoice['customer']}")["balance"] == -300


def test_memo_and_metadata_change_and_the_notes_are_listed(sandbox: Sandbox) -> None:
    invoice = invoiced(sandbox)
    note = sandbox.post("credit_notes", {"invoice": invoice["id"], "amount": 300, "out_of_band_amount": 300})
    changed = sandbox.post(f"credit_notes/{note['id']}", {"memo": "Paid by cheque", "metadata[a]": "b"})
    assert (changed["memo"], changed["metadata"]) == ("Paid by cheque", {"a": "b"})
    assert sandbox.event_types()[-1] == "credit_note.updated"
    assert sandbox.listed("credit_notes", invoice=invoice["id"]) == [changed]
    assert sandbox.listed("credit_notes", customer="cus_other") == []
    pdf = sandbox.http.get(note["pdf"])
    assert pdf.content.startswith(b"%PDF-")
    assert note["number"].encode() in pdf.content
