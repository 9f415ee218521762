"""An Office's current subscription: reading it, and starting it here or on a page at Stripe."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from billing.api.operations import OperationView
from billing.api.serializers import PaymentLinkSerializer, SubscriptionSerializer
from billing.api.views import PROBLEM


class CurrentSubscription(OperationView):
    answers = status.HTTP_201_CREATED

    @extend_schema(responses={200: SubscriptionSerializer, 404: PROBLEM})
    def get(self, request: Request, public_id: Any) -> Response:
        """Show the Office's current subscription."""
        return Response(SubscriptionSerializer(self.office(request, public_id)).data)


class PaymentLinkOperation(OperationView):
    """Makes a payment link. Its address is in the answer and is never stored."""

    shown = PaymentLinkSerializer
    answers = status.HTTP_201_CREATED
    answers_are_kept = False
    paragraphs = 2
