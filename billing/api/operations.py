"""A POST that begins an operation, and one that previews it: each is a serializer and a function."""

from collections.abc import Callable
from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework import serializers as fields
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from billing.api import serializers
from billing.api.views import PROBLEM, OfficeView
from billing.audit import actor
from billing.audit.actor import Actor
from billing.models import Office, Operation
from billing.operations import reasons
from billing.operations.previews import Preview

Given = dict[str, Any]
REFUSALS = dict.fromkeys((402, 403, 404, 409, 422, 502, 503), PROBLEM)


def operation(
    *,
    given: type[fields.Serializer[Any]],
    shown: type[fields.BaseSerializer[Any]] = serializers.SubscriptionSerializer,
    answers: int = status.HTTP_200_OK,
    base: type[OfficeView] = OfficeView,
) -> Callable[[Callable[[Office, Actor, Given], Office]], type[OfficeView]]:
    """The view whose POST carries out the function with what ``given`` accepts; the Office is shown as ``shown``.

    ``base`` brings what the same address answers to a GET.

    The function's name and docstring are the address's in the OpenAPI document. ``reason`` is made of what the
    caller said (``operations.reasons``); an Office's own people need not say any.
    """

    def build(function: Callable[[Office, Actor, Given], Office]) -> type[OfficeView]:
        class View(base):  # type: ignore[valid-type, misc]  # a class that is given
            @extend_schema(
                operation_id=function.__name__,
                description=function.__doc__,
                request=given,
                responses={answers: shown, **REFUSALS},
            )
            def post(self, request: Request, public_id: Any) -> Response:
                office, by = self.office(request, public_id), actor.person(request.user)
                asked = given(data=request.data)
                asked.is_valid(raise_exception=True)
                values = dict(asked.validated_data)
                values["reason"] = reasons.given(values.get("reason", ""), by=by)
                return self.answered(function(office, by, values))

            def answered(self, office: Office) -> Response:
                return Response(shown(office).data, status=answers)

            def settled(self, operation: Operation) -> Response:
                return self.answered(operation.office)

        View.__name__ = View.__qualname__ = "".join(part.title() for part in function.__name__.split("_"))
        View.__doc__ = function.__doc__
        return View

    return build


def preview(
    *, given: type[fields.Serializer[Any]]
) -> Callable[[Callable[[Office, Actor, Given], Preview]], type[OfficeView]]:
    """The view whose POST shows what the operation would cost. Nothing changes, so it needs no Idempotency-Key."""

    def build(function: Callable[[Office, Actor, Given], Preview]) -> type[OfficeView]:
        class View(OfficeView):
            not_idempotent_because: ClassVar[str] = "it changes nothing"

            @extend_schema(
                operation_id=function.__name__,
                description=function.__doc__,
                request=given,
                responses={200: serializers.PreviewSerializer, **REFUSALS},
            )
            def post(self, request: Request, public_id: Any) -> Response:
                office, by = self.office(request, public_id), actor.person(request.user)
                asked = given(data=request.data)
                asked.is_valid(raise_exception=True)
                return Response(serializers.PreviewSerializer(function(office, by, dict(asked.validated_data))).data)

        View.__name__ = View.__qualname__ = "".join(part.title() for part in function.__name__.split("_"))
        View.__doc__ = function.__doc__
        return View

    return build
