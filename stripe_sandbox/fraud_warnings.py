"""Early fraud warnings: the card's bank says that a payment may be fraud. A dispute may follow.

Source: https://docs.stripe.com/disputes/measuring#early-fraud-warnings and
https://docs.stripe.com/api/radar/early_fraud_warnings
"""

from stripe_sandbox.cards import Card
from stripe_sandbox.errors import invalid
from stripe_sandbox.handlers import Routes, lists, reads
from stripe_sandbox.store import Row, Store

KIND = "radar.early_fraud_warning"
TYPES = (
    "card_never_received fraudulent_card_application made_with_counterfeit_card made_with_lost_card "
    "made_with_stolen_card misc unauthorized_use_of_card"
).split()


def after_charge(store: Store, charge: Row, card: Card) -> None:
    """Warn of the charge at once if its card is the test card for that."""
    if card.fraud_warning:
        warn(store, charge)


def warn(store: Store, charge: Row, *, fraud_type: str = "misc") -> Row:
    """Let the bank warn of the charge. Raises: StripeError if nothing was paid."""
    if charge["status"] != "succeeded":
        raise invalid(f"Charge {charge['id']} did not succeed.", param="charge")
    made = store.add(
        KIND,
        actionable=_is_actionable(charge),
        charge=charge["id"],
        fraud_type=fraud_type,
        payment_intent=charge["payment_intent"],
        _customer=charge["customer"],
    )
    store.emit(f"{KIND}.created", made)
    return made


def follow(store: Store, charge: Row) -> None:
    """Say of the charge's warnings whether anything can still be done, after the charge has changed."""
    for one in store.all(KIND, charge=charge["id"]):
        store.change(one, f"{KIND}.updated", actionable=_is_actionable(charge))


def _is_actionable(charge: Row) -> bool:
    return not charge["refunded"] and not charge["disputed"]


_URL = "/v1/radar/early_fraud_warnings"
ROUTES: Routes = {
    ("get", _URL): lists(KIND, _URL, "charge", "payment_intent"),
    ("get", f"{_URL}/{{early_fraud_warning}}"): reads(KIND, "early_fraud_warning"),
}
