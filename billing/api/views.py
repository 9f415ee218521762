"""The views for signing in, plans, Offices and entitlement, and the base class of all views of an Office."""

import hashlib
from typing import Any, cast

from django.conf import settings
from django.contrib.auth import authenticate
from django.db.models import QuerySet
from django.http import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.utils.cache import get_conditional_response, patch_cache_control
from django.utils.http import quote_etag
from drf_spectacular.utils import OpenApiParameter, extend_schema
from knox.models import get_token_model
from rest_framework import generics, permissions, status
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import ScopedRateThrottle
from rest_framework.views import APIView

from billing import clock
from billing.access import grants
from billing.api import serializers
from billing.audit import actor, trail
from billing.entitlement import Policy, entitlement, look_is_due
from billing.look import queue_look_if_possible
from billing.models import Office, PlanPrice, User

PROBLEM = serializers.ProblemSerializer


class ApiView(APIView):
    """A view that makes the token's user the actor of what the request writes."""

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        if request.user.is_authenticated:
            trail.act_as(actor.person(request.user))


class OfficeView(ApiView):
    def office(self, request: Request, public_id: Any) -> Office:
        """Return the Office if the user may see its billing. Otherwise answer 404."""
        seen = grants.offices_where(cast(User, request.user), "view_billing")
        return get_object_or_404(seen.select_related("current_plan"), public_id=public_id)

    def subject(self, request: Request, public_id: Any, **named: Any) -> Any:
        """Return the subject of the operation at this address."""
        return self.office(request, public_id)


class SignIn(APIView):
    """A view that takes no Idempotency-Key: its answer has a token, and no token is ever stored in clear."""

    authentication_classes = ()
    permission_classes = (permissions.AllowAny,)
    throttle_classes = (ScopedRateThrottle,)
    throttle_scope = "sign-in"

    def get_authenticate_header(self, request: Request) -> str:
        """Make a wrong password a 401. This view has no authenticator that would do it."""
        return "Token"

    @extend_schema(request=serializers.SignInSerializer, responses={200: serializers.TokenSerializer, 401: PROBLEM})
    def post(self, request: Request) -> Response:
        """Get a token for the header ``Authorization: Token …``, with e-mail address and password."""
        given = serializers.SignInSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        user = authenticate(
            request._request,
            username=given.validated_data["email"],
            password=given.validated_data["password"],
        )
        if not isinstance(user, User):
            raise AuthenticationFailed("The address or the password is wrong.")
        with trail.acting(actor.person(user)):
            get_token_model().objects.filter(user=user, expiry__lt=clock.wall()).delete()
            instance, token = get_token_model().objects.create(user=user)
            trail.record_act(user, "signed in for an API token")
        return Response({"token": token, "expires": instance.expiry})


class SignOut(ApiView):
    """A view that takes no Idempotency-Key: afterwards its token is void, so it cannot be repeated."""

    @extend_schema(request=None, responses={204: None})
    def post(self, request: Request) -> Response:
        """Make the token of this request void."""
        request.auth.delete()
        trail.record_act(request.user, "signed out of an API token")
        return Response(status=status.HTTP_204_NO_CONTENT)


class Plans(ApiView, generics.ListAPIView[PlanPrice]):
    """List the plan prices that are for sale."""

    serializer_class = serializers.PlanPriceSerializer

    def get_queryset(self) -> QuerySet[PlanPrice]:
        return PlanPrice.objects.for_sale(clock.billing())


class Offices(ApiView, generics.ListAPIView[Office]):
    """List the Offices that you may see."""

    serializer_class = serializers.OfficeSerializer

    def get_queryset(self) -> QuerySet[Office]:
        if getattr(self, "swagger_fake_view", False):
            return Office.objects.none()
        return grants.visible_offices(cast(User, self.request.user)).order_by("name", "pk")


class OneOffice(OfficeView):
    @extend_schema(responses={200: serializers.OfficeSerializer, 404: PROBLEM})
    def get(self, request: Request, public_id: Any) -> Response:
        """Show one Office."""
        return Response(serializers.OfficeSerializer(self.office(request, public_id)).data)


class OfficeEntitlement(OfficeView):
    @extend_schema(
        parameters=[OpenApiParameter("If-None-Match", str, OpenApiParameter.HEADER, description="An earlier ETag")],
        responses={200: serializers.EntitlementSerializer, 304: None, 404: PROBLEM},
    )
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
        shown = {"access": found.access.value, "reason": found.reason, "until": found.until}
        response = Response(serializers.EntitlementSerializer(shown).data)
        patch_cache_control(response, private=True, no_cache=True)
        response["ETag"] = quote_etag(hashlib.sha256(repr(shown).encode()).hexdigest())
        return cast(HttpResponseBase, get_conditional_response(request._request, response["ETag"], response=response))
