"""An Office's present subscription: reading it, and starting it here or on a page at Stripe."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from billing import errors
from billing.api.caching import NO_STORE
from billing.api.operations import DeclaredView, OperationView, PreviewView
from billing.api.serializers import PaymentLinkSerializer, SubscriptionSerializer
from billing.api.views import PROBLEM
from billing.audit import actor
from billing.operations.subscriptions.under_way import payment_page


class StartingView(DeclaredView):
    """A view that starts a subscription, or says what that would cost.

    While another subscription waits for its first payment, its refusal has the address of the page for that payment.
    The address is never stored, so it is added last, to the answer and not to what is kept for an Idempotency-Key.
    """

    def finalize_response(self, request: Request, response: Response, *args: Any, **address: Any) -> Response:
        refusal = response.data if isinstance(response.data, dict) else {}
        if refusal.get("code") == errors.SubscriptionWaiting.code:
            refusal["payment_page"] = self._payment_page(request, **address)
            response["Cache-Control"] = NO_STORE["Cache-Control"]
        return super().finalize_response(request, response, *args, **address)

    def _payment_page(self, request: Request, **address: Any) -> str | None:
        try:
            return payment_page(self.office(request, **address), by=actor.of(request.user))
        except errors.BillingError:  # the refusal stands, and the page can be asked for again
            return None


class CurrentSubscription(StartingView, OperationView):
    answers = status.HTTP_201_CREATED

    @extend_schema(responses={200: SubscriptionSerializer, 404: PROBLEM})
    def get(self, request: Request, public_id: Any) -> Response:
        """Show the Office's present subscription."""
        return Response(SubscriptionSerializer(self.office(request, public_id)).data)


class StartPreview(StartingView, PreviewView):
    pass


class PaymentLinkOperation(StartingView, OperationView):
    """Makes a payment link. Its address is in the answer and is never stored."""

    shown = PaymentLinkSerializer
    answers = status.HTTP_201_CREATED
    answers_are_kept = False
    paragraphs = 2
