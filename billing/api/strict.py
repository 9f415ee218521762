"""Bodies whose values have the types that the document says. The framework accepts 0 as a text, and "1" as a number."""

from collections.abc import Mapping
from typing import Any

from rest_framework import serializers as fields


class Strict(fields.Serializer[Any]):
    # no docstring, because the OpenAPI document would show it with each body

    def to_internal_value(self, data: Any) -> Any:
        """Raises: ValidationError."""
        given = data if isinstance(data, Mapping) else {}
        wrong = {
            name: [says] for name, field in self.fields.items() if (says := _what_is_wrong(field, given.get(name)))
        }
        if wrong:
            raise fields.ValidationError(wrong)
        return super().to_internal_value(data)


def _what_is_wrong(field: Any, value: Any) -> str:
    """Return "" if the value has the field's type. Null is judged by the field itself."""
    if value is None:
        return ""
    if isinstance(field, fields.BooleanField):
        return "" if isinstance(value, bool) else "This must be true or false."
    if isinstance(field, fields.IntegerField):
        is_whole = isinstance(value, int | float) and not isinstance(value, bool)
        return "" if is_whole else "This must be a whole number."
    if isinstance(field, fields.CharField | fields.UUIDField | fields.DateTimeField | fields.ChoiceField):
        return "" if isinstance(value, str) else "This must be a text."
    return ""
