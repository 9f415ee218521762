"""The OpenAPI document. A POST for a declared operation is described by its declaration."""

from typing import Any

from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers as fields

from billing.api.idempotency import HEADER, KEY, REPLAYED, IdempotentPosts


class Named(fields.Serializer[Any]):
    # a serializer whose instances have their own names in the OpenAPI document

    def __init__(self, *, called: str, **of_the_framework: Any) -> None:
        super().__init__(**of_the_framework)
        self.called = called


class Described:
    """A view that describes its POST for the document itself."""

    def operation_id(self) -> str:
        raise NotImplementedError

    def text(self) -> str:
        raise NotImplementedError

    def takes(self, **data: Any) -> fields.Serializer[Any]:
        """Return the serializer of the body, with ``data=`` if it is given."""
        raise NotImplementedError

    def gives(self) -> dict[int, Any]:
        """Return the serializers of the answers, by HTTP status."""
        raise NotImplementedError


class Schema(AutoSchema):
    @property
    def described(self) -> Described | None:
        return self.view if self.method == "POST" and isinstance(self.view, Described) else None

    def get_operation_id(self) -> str:
        return self.described.operation_id() if self.described else super().get_operation_id()

    def get_description(self, *_: Any, **__: Any) -> str:
        return self.described.text() if self.described else super().get_description()

    def get_request_serializer(self) -> Any:
        return self.described.takes() if self.described else super().get_request_serializer()

    def get_response_serializers(self) -> Any:
        return self.described.gives() if self.described else super().get_response_serializers()

    def get_serializer_name(self, serializer: fields.Serializer[Any], direction: Any) -> str:
        if isinstance(serializer, Named):
            return serializer.called
        return super().get_serializer_name(serializer, direction)

    def get_override_parameters(self) -> list[Any]:
        """Add the header Idempotency-Key to each POST that supports it."""
        given = list(super().get_override_parameters())
        if self.method != "POST" or not isinstance(self.view, IdempotentPosts):
            return given
        header = OpenApiParameter(
            HEADER,
            {"type": "string", "pattern": f"^{KEY.pattern}$"},
            OpenApiParameter.HEADER,
            description=(
                "1 to 255 visible ASCII characters of your choice, such as a UUID. It is remembered for at least 24 "
                "hours. A repeated request has one effect. It gets the first answer again, with the header "
                f"`{REPLAYED}: true`. If the first answer was 503, it gets the outcome as soon as that is known. "
                "Another request with the same key, or a repeated one while the first is still being carried out, gets "
                "409. Optional. Send a key with everything that must not be done twice."
            ),
        )
        return [*given, header]
