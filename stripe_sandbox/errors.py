"""Stripe's error bodies. Source: https://docs.stripe.com/api/errors"""

from typing import Any


class StripeError(Exception):
    """An answer that is not a success."""

    def __init__(self, status: int, kind: str, message: str, **fields: Any) -> None:
        super().__init__(message)
        self.status = status
        self.body = {"error": {"type": kind, "message": message, **{k: v for k, v in fields.items() if v}}}


def invalid(message: str, *, status: int = 400, **fields: Any) -> StripeError:
    return StripeError(status, "invalid_request_error", message, **fields)


def missing(kind: str, key: str, param: str = "id") -> StripeError:
    label = (
        kind.replace("_", " ").replace("payment method", "PaymentMethod").replace("payment intent", "payment_intent")
    )
    return invalid(f"No such {label}: '{key}'", status=404, code="resource_missing", param=param)
