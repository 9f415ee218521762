"""What an Office has on file to pay with."""

from typing import Any

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from billing.api.operations import OperationView, TellingView
from billing.api.serializers import PaymentMethodsSerializer
from billing.api.views import PROBLEM
from billing.models import Office


class PaymentMethods(TellingView):
    key = "client_secret"
    paragraphs = 2

    @extend_schema(responses={200: PaymentMethodsSerializer, 404: PROBLEM})
    def get(self, request: Request, public_id: Any) -> Response:
        """List what is on file to pay with as we last saw it, the default first."""
        return Response(PaymentMethodsSerializer(self.office(request, public_id)).data)


class CardOperation(OperationView):
    """An operation on the card that the address names. The card may no longer be on file."""

    shown = PaymentMethodsSerializer
    from_address = {"card": "card_id"}

    def subject(self, request: Request, public_id: Any, card_id: Any = None, **named: Any) -> Office:
        office = self.office(request, public_id)
        get_object_or_404(office.payment_methods, public_id=card_id)
        return office
