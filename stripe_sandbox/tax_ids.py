"""Tax ids of customers, and of the account itself. Source: https://docs.stripe.com/billing/customer/tax-ids"""

import re

from stripe_sandbox.errors import invalid, missing, required, unsupported
from stripe_sandbox.handlers import Ids, Params, Routes, alive, gone, page
from stripe_sandbox.store import Row, Store

MOST = 5
VERIFIED = ("au_abn", "eu_vat", "gb_vat")
"""Stripe asks an authority about these types. The numbers below are its test values."""
OUTCOMES = {"000000000": ("verified", "Test Account"), "111111111": ("unverified", None)}
FORMS = {"eu_vat": "[A-Z]{2}[0-9A-Z+*]{2,12}", "gb_vat": r"GB\d{9}(\d{3})?", "us_ein": r"\d{2}-?\d{7}"}


def add(store: Store, given: Params, customer: Row | None) -> Row:
    """Add this tax id to the customer, or to the account if ``customer`` is None."""
    kind, value = given["type"], re.sub(r"\s", "", given["value"])
    if not re.fullmatch(FORMS.get(kind, ".+"), value):
        raise invalid(f"Invalid value for {kind}.", param="value", code="tax_id_invalid")
    owner = customer and customer["id"]
    if len(store.all("tax_id", customer=owner)) >= MOST:
        raise invalid(f"At most {MOST} tax ids.", param="type")
    made = store.add(
        "tax_id",
        country=value[:2] if kind == "eu_vat" else kind[:2].upper(),
        customer=owner,
        owner={"type": "customer", "customer": owner} if customer else {"type": "self"},
        type=kind,
        value=value,
        verification=_verification(kind, value),
    )
    store.emit("customer.tax_id.created", made)
    return made


def _verification(kind: str, value: str) -> Row:
    status, name = ("pending", None) if kind in VERIFIED else ("unavailable", None)
    for ending, outcome in OUTCOMES.items():
        if kind in VERIFIED and value.endswith(ending):
            status, name = outcome
    return {"status": status, "verified_address": None, "verified_name": name}


def _owner(store: Store, given: Params | None) -> Row | None:
    """Find the customer that ``owner`` names. Returns None for the account itself, which is also the default."""
    if given is None or given["type"] == "self":
        return None
    if given["type"] != "customer":
        raise unsupported(f"tax ids of an owner of the type {given['type']}")
    if "customer" not in given:
        raise required("owner[customer]")
    return store.need("customer", given["customer"], "owner[customer]")


def _create(store: Store, params: Params, ids: Ids) -> Row:
    return add(
        store,
        params,
        alive(store, "customer", ids["customer"]) if "customer" in ids else _owner(store, params.get("owner")),
    )


def _read(store: Store, params: Params, ids: Ids) -> Row:
    tax_id = store.need("tax_id", ids["id"])
    if "customer" in ids and tax_id["customer"] != alive(store, "customer", ids["customer"])["id"]:
        raise missing("tax_id", tax_id["id"])
    return tax_id


def _delete(store: Store, params: Params, ids: Ids) -> Row:
    tax_id = _read(store, params, ids)
    store.emit("customer.tax_id.deleted", tax_id)
    store.remove(tax_id)
    return gone("tax_id", tax_id["id"])


def _list(store: Store, params: Params, ids: Ids) -> Row:
    if "customer" in ids:
        customer = alive(store, "customer", ids["customer"])
        url = f"/v1/customers/{customer['id']}/tax_ids"
        return page(store, store.all("tax_id", customer=customer["id"]), params, url)
    owner = _owner(store, params.get("owner"))
    return page(store, store.all("tax_id", customer=owner and owner["id"]), params, "/v1/tax_ids")


ROUTES: Routes = {
    ("get", "/v1/customers/{customer}/tax_ids"): _list,
    ("post", "/v1/customers/{customer}/tax_ids"): _create,
    ("get", "/v1/customers/{customer}/tax_ids/{id}"): _read,
    ("delete", "/v1/customers/{customer}/tax_ids/{id}"): _delete,
    ("get", "/v1/tax_ids"): _list,
    ("post", "/v1/tax_ids"): _create,
    ("get", "/v1/tax_ids/{id}"): _read,
    ("delete", "/v1/tax_ids/{id}"): _delete,
}
