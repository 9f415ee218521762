"""The views for plans, Offices and entitlement, and the base class of all views of an Office."""

from collections.abc import Callable
from functools import partial
from typing import Any, ClassVar, cast

from django.conf import settings
from django.db.models import F, QuerySet
from django.http import Http404, HttpResponseBase
from drf_spectacular.utils import extend_schema
from rest_framework import generics
from rest_framework import serializers as fields
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from billing import clock, measures
from billing.access import grants, seen, services
from billing.access.roles import Power
from billing.api import caching, serializers
from billing.api.paging import ByName, ByPlan, Pages, refuse_unknown
from billing.audit import actor, reads, trail
from billing.entitlement import Policy, entitlement, look_is_due
from billing.look import queue_look_if_possible
from billing.models import Office, PlanPrice, ServiceIdentity, User

PROBLEM = serializers.ProblemSerializer
Caller = User | ServiceIdentity


class ApiView(APIView):
    """A view that makes whoever has the token the actor of what the request writes. It refuses unknown parameters."""

    asked_with: ClassVar[type[fields.Serializer[Any]] | None] = None
    """What a GET may be asked with, besides its pages."""

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        if request.user.is_authenticated:
            trail.act_as(actor.of(request.user))
        if request.method != "OPTIONS" and request.method in self.allowed_methods:  # 405 for another, whatever it asks
            refuse_unknown(request.query_params, known=self.parameters())

    def parameters(self) -> tuple[str, ...]:
        """Return what the address may be asked with."""
        if self.request.method not in ("GET", "HEAD"):
            return ()
        own = tuple(self.asked_with().get_fields()) if self.asked_with else ()
        pages = getattr(self, "paginator", None)
        return (*own, *pages.parameters) if isinstance(pages, Pages) else own

    def asked_for(self) -> dict[str, Any]:
        """Return what a GET is asked with. Raises: ValidationError, also for a parameter that is empty."""
        assert self.asked_with
        given = self.asked_with(data=self.request.query_params.dict())  # a form loses empty ones
        given.is_valid(raise_exception=True)
        return cast(dict[str, Any], given.validated_data)

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        """Say what may be kept of the answer, and let a service's last use be written when it is sent."""
        response = caching.limited(super().finalize_response(request, response, *args, **kwargs), request)
        if isinstance(caller := getattr(request, "_user", None), ServiceIdentity):
            _when_sent(response, partial(services.note_use, caller))
        return response


def _when_sent(response: Any, do: Callable[[], None]) -> None:
    """Do something when the answer is with whoever asked: the server closes the response then.

    Django has a list of what it calls at that moment, but it hides each error.
    """
    close = response.close

    def closing() -> None:
        close()
        do()

    response.close = closing


class OfficeView(ApiView):
    def office(self, request: Request, public_id: Any) -> Office:
        """Return the Office if the caller may see its billing. Otherwise answer 404.

        Raises: SecondFactorToEnrol: a member without a second factor, and the Office requires one.
        """
        try:
            office = seen.office(cast(Caller, request.user), public_id)
        except Office.DoesNotExist:
            raise Http404("There is no such Office, or you may not see it.") from None
        reads.look_at(request._request, office)
        return office

    def subject(self, request: Request, public_id: Any, **named: Any) -> Any:
        """Return the subject of the operation at this address."""
        return self.office(request, public_id)


class Plans(ApiView, generics.ListAPIView[PlanPrice]):
    """List the plan prices that are for sale."""

    serializer_class = serializers.PlanPriceSerializer
    pagination_class = ByPlan

    def get_queryset(self) -> QuerySet[PlanPrice]:
        return PlanPrice.objects.for_sale(clock.billing()).annotate(plan_code=F("plan__code"))


class Offices(ApiView, generics.ListAPIView[Office]):
    """List the Offices that you may see."""

    serializer_class = serializers.OfficeSerializer
    pagination_class = ByName

    def get_queryset(self) -> QuerySet[Office]:
        if getattr(self, "swagger_fake_view", False):
            return Office.objects.none()
        return grants.list_of_offices(cast(Caller, self.request.user), Power.LOOK)

    def get_paginated_response(self, data: Any) -> Response:
        reads.look_at_list(self.request._request, rows=len(data))
        return super().get_paginated_response(data)


class OneOffice(OfficeView):
    @extend_schema(responses={200: serializers.OfficeSerializer, 404: PROBLEM})
    def get(self, request: Request, public_id: Any) -> Response:
        """Show one Office."""
        return Response(serializers.OfficeSerializer(self.office(request, public_id)).data)


class OfficeEntitlement(OfficeView):
    @extend_schema(responses={200: serializers.EntitlementSerializer, 404: PROBLEM})
    def get(self, request: Request, public_id: Any) -> HttpResponseBase:
        """May this Office use the product? Ask at every login.

        `until` is the next moment when the answer can change only because time passes. What Stripe reports can change
        it earlier. With `If-None-Match` and the last answer's `ETag`, an unchanged answer is 304 without a body.
        """
        office = self.office(request, public_id)
        policy, at = Policy.of(settings), clock.billing()
        found = entitlement(office, policy, at=at)
        if look_is_due(office, policy, at=at):
            queue_look_if_possible(office)
        measures.count(measures.ENTITLEMENT, found.access.value, found.reason)
        shown = {"access": found.access.value, "reason": found.reason, "until": found.until}
        response = Response(serializers.EntitlementSerializer(shown).data)
        return caching.tagged(response, request, of=repr(shown).encode())
