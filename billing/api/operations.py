"""A POST that begins an operation, and one that previews it: each is a serializer and a function."""

from collections.abc import Callable
from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema, inline_serializer
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

Given = dict[str, Any]
REFUSALS = dict.fromkeys((402, 403, 404, 409, 422, 502, 503), PROBLEM)


def operation(
    *,
    given: type[fields.Serializer[Any]],
    shown: type[fields.BaseSerializer[Any]] = serializers.SubscriptionSerializer,
    answers: int = status.HTTP_200_OK,
    base: type[OfficeView] = OfficeView,
) -> Callable[[Callable[[Any, Actor, Given], Any]], type[OfficeView]]:
    """The view whose POST carries out the function with what ``given`` accepts; what it returns is shown as ``shown``.

    ``base`` brings what the same address answers to a GET, and says what the function is given: the Office, or
    something of the Office's.

    The function's name and docstring are the address's in the OpenAPI document. ``reason`` is made of what the
    caller said (``operations.reasons``); an Office's own people need not say any.
    """

    def build(function: Callable[[Any, Actor, Given], Any]) -> type[OfficeView]:
        class View(base):  # type: ignore[valid-type, misc]  # a class that is given
            @extend_schema(
                operation_id=function.__name__,
                description=function.__doc__,
                request=given,
                responses={answers: shown, **REFUSALS},
            )
            def post(self, request: Request, **address: Any) -> Response:
                about, by = self.subject(request, **address), actor.person(request.user)
                return self.answered(function(about, by, _given(given, request, by)))

            def answered(self, done: Any) -> Response:
                return Response(shown(done).data, status=answers)

            def settled(self, operation: Operation) -> Response:
                return self.answered(self.subject_of(operation))

        return _named(View, function)

    return build


def telling(
    *, given: type[fields.Serializer[Any]], name: str, base: type[OfficeView] = OfficeView
) -> Callable[[Callable[[Office, Actor, Given], str]], type[OfficeView]]:
    """The view whose POST answers, as ``name``, what is told once and stored nowhere.

    Hence it takes no Idempotency-Key: repeating makes another one, which does no harm.
    """

    def build(function: Callable[[Office, Actor, Given], str]) -> type[OfficeView]:
        shown = inline_serializer(f"{_view_name(function)}Told", {name: fields.CharField()})

        class View(base):  # type: ignore[valid-type, misc]  # a class that is given
            not_idempotent_because: ClassVar[str] = "its answer is stored nowhere"

            @extend_schema(
                operation_id=function.__name__,
                description=function.__doc__,
                request=given,
                responses={201: shown, **REFUSALS},
            )
            def post(self, request: Request, public_id: Any) -> Response:
                office, by = self.office(request, public_id), actor.person(request.user)
                told = function(office, by, _given(given, request, by))
                return Response({name: told}, status=201, headers={"Cache-Control": "no-store"})

        return _named(View, function)

    return build


def _view_name(function: Callable[..., Any]) -> str:
    return "".join(part.title() for part in function.__name__.split("_"))


def _named(view: type[OfficeView], function: Callable[..., Any]) -> type[OfficeView]:
    """The view is called and described as the function is."""
    view.__name__ = view.__qualname__ = _view_name(function)
    view.__doc__ = function.__doc__
    return view


def _given(kind: type[fields.Serializer[Any]], request: Request, by: Actor) -> Given:
    """What the caller sent, with a reason."""
    asked = kind(data=request.data)
    asked.is_valid(raise_exception=True)
    values = dict(asked.validated_data)
    values["reason"] = reasons.given(values.get("reason", ""), by=by)
    return values


def preview(
    *,
    given: type[fields.Serializer[Any]],
    shown: type[fields.BaseSerializer[Any]] = serializers.PreviewSerializer,
    base: type[OfficeView] = OfficeView,
) -> Callable[[Callable[[Any, Actor, Given], Any]], type[OfficeView]]:
    """The view whose POST shows what the operation would come to. Nothing changes, so it needs no Idempotency-Key."""

    def build(function: Callable[[Any, Actor, Given], Any]) -> type[OfficeView]:
        class View(base):  # type: ignore[valid-type, misc]  # a class that is given
            not_idempotent_because: ClassVar[str] = "it changes nothing"

            @extend_schema(
                operation_id=function.__name__,
                description=function.__doc__,
                request=given,
                responses={200: shown, **REFUSALS},
            )
            def post(self, request: Request, **address: Any) -> Response:
                about, by = self.subject(request, **address), actor.person(request.user)
                asked = given(data=request.data)
                asked.is_valid(raise_exception=True)
                return Response(shown(function(about, by, dict(asked.validated_data))).data)

        return _named(View, function)

    return build
