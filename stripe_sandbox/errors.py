"""Stripe's error bodies. Source: https://docs.stripe.com/api/errors"""

from typing import Any

LABELS = {"payment_method": "PaymentMethod", "setup_intent": "setupintent", "payment_intent": "payment_intent"}
"""Kinds whose name in an error is not simply their name in words."""


class StripeError(Exception):
    """An answer that is not a success."""

    def __init__(self, status: int, kind: str, message: str, **fields: Any) -> None:
        super().__init__(message)
        self.status = status
        self.body = {"error": {"type": kind, "message": message, **{k: v for k, v in fields.items() if v}}}


def invalid(message: str, *, status: int = 400, **fields: Any) -> StripeError:
    """The request is at fault: 400, or another status."""
    return StripeError(status, "invalid_request_error", message, **fields)


def required(name: str) -> StripeError:
    """A parameter is missing: 400."""
    return invalid(f"Missing required param: {name}.", param=name, code="parameter_missing")


def missing(kind: str, key: str, param: str = "id") -> StripeError:
    """There is no such object: 404 where the address names it, 400 where a parameter does."""
    label = LABELS.get(kind, kind.rpartition(".")[2].replace("_", " "))
    return invalid(
        f"No such {label}: '{key}'", status=404 if param == "id" else 400, code="resource_missing", param=param
    )


def unsupported(what: str) -> StripeError:
    """Stripe has this and the sandbox does not: a 501 that says so, never a silent difference."""
    return StripeError(501, "api_error", f"The local Stripe cannot do this: {what}.")
