"""A form's field for one row. What no row can have as its key is refused like a row that is not offered."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db import models


class ChosenRow(forms.ModelChoiceField):
    """Its refusal is always ``invalid_choice``. Django's may be what the column says, such as “is not a valid UUID”."""

    queryset: Any

    def to_python(self, value: Any) -> Any:
        meta = self.queryset.model._meta
        key = meta.get_field(self.to_field_name) if self.to_field_name else meta.pk
        if value in self.empty_values or isinstance(value, models.Model) or is_key(key, value):
            return super().to_python(value)
        raise ValidationError(self.error_messages["invalid_choice"], "invalid_choice", {"value": value})


def is_key(field: "models.Field[Any, Any]", value: Any) -> bool:
    """Return whether a row can have this value as its key."""
    try:
        field.clean(value, None)
    except ValidationError:
        return False
    return True
