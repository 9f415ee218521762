"""The body of a POST, made from the fields of the declared operation."""

import dataclasses
import types
import uuid
from collections.abc import Collection
from datetime import datetime
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from django.core.validators import slug_re
from rest_framework import serializers as fields

from billing.api.schema import Named
from billing.api.strict import Strict
from billing.models import PlanPrice
from billing.models.office import LOCALE
from billing.operations.engine import reasons
from billing.operations.engine.declaration import Declaration, Terms

Field = fields.Field[Any, Any, Any, Any]
CARD = r"^pm_[A-Za-z0-9_]+$"


class Body(Strict, Named):
    # no docstring, because the OpenAPI document would show it with each body

    def __init__(
        self,
        declared: type[Declaration[Any, Any]],
        *,
        called: str,
        without: Collection[str] = (),
        reason: Field | None = None,
        **of_the_framework: Any,
    ) -> None:
        super().__init__(called=called, **of_the_framework)
        self.declared, self.without, self.reason = declared, without, reason

    def get_fields(self) -> dict[str, Field]:
        hints = get_type_hints(self.declared)
        asked = [one for one in dataclasses.fields(self.declared) if not one.metadata.get("filled_in")]
        found = {one.name: field_of(one, hints[one.name]) for one in asked if one.name not in self.without}
        return found | ({"reason": self.reason} if self.reason else {})

    @property
    def given(self) -> dict[str, Any]:
        """Return the given fields of the declaration, and the reason."""
        return {name: str(one) if isinstance(one, uuid.UUID) else one for name, one in self.validated_data.items()}


class PriceField(fields.CharField):
    """A plan price by its id or its code, which becomes the id. The operation refuses what is neither."""

    def to_internal_value(self, data: Any) -> str:
        given = super().to_internal_value(data)
        if not slug_re.match(given):  # such as with a NUL, which PostgreSQL does not compare
            return given
        found = PlanPrice.objects.filter(code=given).values_list("public_id", flat=True).first()
        return given if found is None else str(found)


def any_reason() -> Field:
    return fields.CharField(
        required=False,
        default="",
        allow_blank=True,
        max_length=200,
        help_text="The reason, in words without any patient data, or one of these codes: "
        f"{', '.join(reasons.CATALOGUE)}. The vendor's staff must give a reason.",
    )


def field_of(one: dataclasses.Field[Any], hint: Any) -> Field:
    """Return the API's field for a field of a declaration.

    A field that is not required has the default of the declaration. The document shows it, unless it is None.
    Raises: TypeError: the declaration does not say who gives the field, or the API has no field for its type.
    """
    terms = one.metadata.get("terms")
    if not isinstance(terms, Terms):
        raise TypeError(f"{one.name}: say by asked_for(...) that a caller may give it, or by FILLED_IN that none may")
    given: dict[str, Any] = {"help_text": terms.help, "allow_null": terms.nullable}
    if one.default is None:
        given["required"] = False
    elif one.default is not dataclasses.MISSING:
        given["default"] = one.default
    kind = _without_none(hint)
    choices = terms.choices or (get_args(kind) if get_origin(kind) is Literal else ())
    if choices:
        return fields.ChoiceField(choices=list(choices), **given)
    if kind is bool:
        return fields.BooleanField(**given)
    if kind is int:
        return fields.IntegerField(**given if terms.least is None else given | {"min_value": terms.least})
    if kind is datetime:
        return fields.DateTimeField(**given)
    if kind is str:
        return _text(terms, given)
    raise TypeError(f"{one.name}: the API has no field for {hint}")


def _text(terms: Terms, given: dict[str, Any]) -> Field:
    if terms.form == "uuid":
        return fields.UUIDField(**given)
    given |= {"allow_blank": terms.blank, "max_length": terms.longest}
    if terms.form == "price":
        return PriceField(**given)
    if terms.form == "card":
        return fields.RegexField(CARD, **given)
    if terms.form == "email":
        return fields.EmailField(**given)
    if terms.form == "language":
        return fields.CharField(validators=[LOCALE], **given)
    return fields.CharField(**given)


def _without_none(hint: Any) -> Any:
    """Return ``str`` for ``str | None``."""
    if get_origin(hint) not in (Union, types.UnionType):
        return hint
    kind, *others = [one for one in get_args(hint) if one is not types.NoneType]
    return hint if others else kind
