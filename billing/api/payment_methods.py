"""What the API can do with the cards that an Office has on file."""

from typing import Any

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers as fields
from rest_framework.request import Request
from rest_framework.response import Response

from billing import operations
from billing.api.operations import Given, operation, telling
from billing.api.serializers import PaymentMethodsSerializer, ReasonSerializer
from billing.api.views import PROBLEM, OfficeView
from billing.audit.actor import Actor
from billing.models import Office, PaymentMethod


class CardFormSerializer(ReasonSerializer):
    make_default = fields.BooleanField(default=True, help_text="Charge this card from now on, once it is there")


class PaymentMethods(OfficeView):
    @extend_schema(responses={200: PaymentMethodsSerializer, 404: PROBLEM})
    def get(self, request: Request, public_id: Any) -> Response:
        """The cards on file, the default one first, as we last saw them."""
        return Response(PaymentMethodsSerializer(self.office(request, public_id)).data)


@telling(given=CardFormSerializer, name="client_secret", base=PaymentMethods)
def prepare_payment_method(office: Office, by: Actor, given: Given) -> str:
    """Begin to add a card: confirm the client secret with Stripe.js (`confirmSetup`), and the card is there soon after.

    The secret is told once. Money does not move. Asking again makes another, which does no harm.
    """
    return operations.prepare_payment_method(office, by=by, **given)


@telling(given=CardFormSerializer, name="url")
def make_card_link(office: Office, by: Actor, given: Given) -> str:
    """The address of a page of Stripe's on which a card is added, good for a day. It is told once."""
    return operations.make_card_link(office, by=by, **given)


class CardView(OfficeView):
    """A card of the Office that the address names, also one that is on file no more."""

    def subject(self, request: Request, public_id: Any, card_id: Any = None, **named: Any) -> PaymentMethod:
        return get_object_or_404(self.office(request, public_id).payment_methods, public_id=card_id)


@operation(given=ReasonSerializer, shown=PaymentMethodsSerializer, base=CardView)
def set_default_payment_method(card: PaymentMethod, by: Actor, given: Given) -> Office:
    """Charge this card from now on. Money does not move."""
    return operations.set_default_payment_method(card.office, card, by=by, **given)


@operation(given=ReasonSerializer, shown=PaymentMethodsSerializer, base=CardView)
def remove_payment_method(card: PaymentMethod, by: Actor, given: Given) -> Office:
    """Take the card off, for good. Refused for the card that a live subscription is charged to."""
    return operations.remove_payment_method(card.office, card, by=by, **given)
