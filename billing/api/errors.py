"""Refusals as HTTP answers, in one shape: ``{"code", "detail"}``, and ``fields`` where input was wrong."""

from typing import Any

from rest_framework import exceptions, status
from rest_framework.response import Response
from rest_framework.views import exception_handler

from billing import errors

STATUS: dict[type[errors.BillingError], int] = {
    errors.NotPermitted: status.HTTP_403_FORBIDDEN,
    errors.PlanUnknown: status.HTTP_422_UNPROCESSABLE_ENTITY,
    errors.QuantityInvalid: status.HTTP_422_UNPROCESSABLE_ENTITY,
    errors.CurrencyMismatch: status.HTTP_422_UNPROCESSABLE_ENTITY,
    errors.ReasonRequired: status.HTTP_422_UNPROCESSABLE_ENTITY,
    errors.CardDeclined: status.HTTP_402_PAYMENT_REQUIRED,
    errors.PaymentMethodRequired: status.HTTP_402_PAYMENT_REQUIRED,
    errors.StripeRejected: status.HTTP_502_BAD_GATEWAY,
    errors.StripeUnavailable: status.HTTP_503_SERVICE_UNAVAILABLE,
    errors.BillingError: status.HTTP_409_CONFLICT,
}


def answer(error: Exception, context: dict[str, Any]) -> Response | None:
    """DRF's EXCEPTION_HANDLER."""
    if isinstance(error, errors.BillingError):
        number = next(STATUS[kind] for kind in type(error).__mro__ if kind in STATUS)
        return Response({"code": error.code, "detail": str(error)}, status=number)
    response = exception_handler(error, context)
    if response is None:
        return None
    if isinstance(error, exceptions.ValidationError):
        response.data = {
            "code": "invalid",
            "detail": "Some fields are missing or wrong.",
            "fields": response.data,
        }
    elif isinstance(response.data, dict):
        code = getattr(error, "default_code", "not_found")
        response.data = {"code": code, "detail": str(response.data.get("detail", ""))}
    return response
