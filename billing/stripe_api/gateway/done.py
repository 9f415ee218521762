"""What Stripe has that operations of ours made: read where our own record of them may be lost."""

from billing import errors
from billing.models import Office
from billing.stripe_api.gateway import answers

LISTS: dict[str, dict[str, object]] = {
    "/v1/subscriptions": {"status": "all"},
    "/v1/invoices": {},
    "/v1/credit_notes": {},
    "/v1/charges": {"expand": ["data.refunds"]},
}


def operations_seen(customer: str) -> dict[str, str]:
    """Return the ids of the operations that made something for this customer, each with the object's id.

    The newest hundred objects of each kind are read, and the newest ten refunds of each charge: what a database lost
    at a power cut is of its last minutes. A deleted customer has none.
    Source: https://docs.stripe.com/api/metadata
    """
    seen: dict[str, str] = {}
    try:
        rows = [row for path, params in LISTS.items() for row in answers.page(path, {**params, "customer": customer})]
        rows += answers.page(f"/v1/customers/{customer}/balance_transactions", {})
    except errors.StripeObjectMissing:
        return {}
    rows += [refund for row in rows if row["object"] == "charge" for refund in row["refunds"]["data"]]
    for row in rows:
        if operation := (row.get("metadata") or {}).get("operation"):
            seen[operation] = row["id"]
    return seen


def customer_made_for(office: Office) -> dict[str, str]:
    """Return the operations that made a customer for this Office, which knows none, each with the customer's id.

    The customers with the Office's e-mail address are read, and the newest hundred of all, because the address may have
    been lost too.
    """
    found = {}
    for sought in ({"email": office.billing_email}, {}):
        for row in answers.page("/v1/customers", sought):
            metadata = row.get("metadata") or {}
            if metadata.get("office") == str(office.public_id) and metadata.get("operation"):
                found[metadata["operation"]] = row["id"]
    return found
