"""Stripe's error bodies. Source: https://docs.stripe.com/api/errors"""

from typing import Any

LABELS = {"payment_method": "PaymentMethod", "setup_intent": "setupintent", "payment_intent": "payment_intent"}
"""The kinds that have a special name in an error message."""


class StripeError(Exception):
    """An answer that is not a success.

    ``keeps_changes`` is whether what the request changed stays, as with a declined card (402).
    """

    def __init__(self, status: int, kind: str, message: str, **fields: Any) -> None:
        super().__init__(message)
        self.status = status
        self.keeps_changes = status == 402
        self.headers: dict[str, str] = {}
        self.body = {"error": {"type": kind, "message": message, **{k: v for k, v in fields.items() if v}}}


def invalid(message: str, *, status: int = 400, **fields: Any) -> StripeError:
    """Make an error for a wrong request: 400, or another status."""
    return StripeError(status, "invalid_request_error", message, **fields)


def required(name: str) -> StripeError:
    """Make a 400 for a missing parameter."""
    return invalid(f"Missing required param: {name}.", param=name, code="parameter_missing")


def missing(kind: str, key: str, param: str = "id") -> StripeError:
    """Make an error for an object that does not exist: 404 if the address names it, 400 if a parameter names it."""
    label = LABELS.get(kind, kind.rpartition(".")[2].replace("_", " "))
    return invalid(
        f"No such {label}: '{key}'", status=404 if param == "id" else 400, code="resource_missing", param=param
    )


def unsupported(what: str) -> StripeError:
    """Make a 501 for something that Stripe has and the sandbox does not have. So no difference is silent."""
    return StripeError(501, "api_error", f"The local Stripe cannot do this: {what}.")
