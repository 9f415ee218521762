"""The page of Stripe's on which an Office starts its subscription. Its address is answered and kept nowhere."""

from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework import serializers as fields
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from billing import operations
from billing.api.operations import REFUSALS, Given, operation
from billing.api.serializers import ReasonSerializer
from billing.api.subscriptions import StartSerializer
from billing.api.views import OfficeView
from billing.audit import actor
from billing.audit.actor import Actor
from billing.models import Office, Operation
from billing.operations import reasons
from billing.stripe_api.gateway import PaymentLink


class CreatePaymentLinkSerializer(StartSerializer, ReasonSerializer):
    pass


class PaymentLinkSerializer(fields.Serializer[Any]):
    address = fields.URLField(help_text="Whoever has it can pay. It is not kept here: ask again for it")
    expires_at = fields.DateTimeField()


class CreatePaymentLink(OfficeView):
    answers_are_kept: ClassVar[bool] = False

    @extend_schema(
        operation_id="create_payment_link",
        request=CreatePaymentLinkSerializer,
        responses={status.HTTP_201_CREATED: PaymentLinkSerializer, **REFUSALS},
    )
    def post(self, request: Request, public_id: Any) -> Response:
        """A page of Stripe's, open for 24 hours, on which a card is put in and the subscription starts.

        **Money moves** when somebody pays there. Asked again with the same terms, the same page while it is open.
        """
        office, by = self.office(request, public_id), actor.person(request.user)
        asked = CreatePaymentLinkSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        given = dict(asked.validated_data)
        given["reason"] = reasons.given(given["reason"], by=by)
        return self.shown(operations.create_payment_link(office, by=by, **given))

    def shown(self, link: PaymentLink) -> Response:
        response = Response(PaymentLinkSerializer(link).data, status=status.HTTP_201_CREATED)
        response["Cache-Control"] = "no-store"
        return response

    def settled(self, operation: Operation) -> Response:
        by = actor.person(self.request.user)
        return self.shown(operations.shown_payment_link(operation.office, by=by))


@operation(given=ReasonSerializer)
def withdraw_payment_link(office: Office, by: Actor, given: Given) -> Office:
    """Nobody can start the subscription by a payment link any more. Money does not move."""
    return operations.withdraw_payment_link(office, by=by, **given)
