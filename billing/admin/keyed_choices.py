"""Fields for other rows refuse what no row can have as its key. Django would ask the database for it and fail."""

from typing import Any

from django import forms
from django.contrib.admin.widgets import AutocompleteSelect, AutocompleteSelectMultiple
from django.core.exceptions import ValidationError
from django.db import DataError
from django.http import HttpRequest

from billing.admin.moments import DatedLists
from billing.chosen_rows import is_key

NO_SUCH = "No row can have this value."
NO_VALUE = (OverflowError, ValueError, DataError)
"""What Django raises if it asks the database or the calendar for a value that no row can have."""


class KeyedChoices(DatedLists):
    """An admin whose fields for other rows, also those that are searched, say what is wrong with a made-up key."""

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name in self.autocomplete_fields:
            kwargs["widget"] = OneFound(db_field, self.admin_site, using=kwargs.get("using"))
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name in self.autocomplete_fields:
            kwargs["widget"] = SomeFound(db_field, self.admin_site, using=kwargs.get("using"))
        return super().formfield_for_manytomany(db_field, request, **{"form_class": ManyRows} | kwargs)


class ManyRows(forms.ModelMultipleChoiceField):
    queryset: Any

    def clean(self, value: Any) -> Any:
        for one in value or ():
            if not is_key(self.queryset.model._meta.pk, one):
                raise ValidationError(self.error_messages["invalid_pk_value"], "invalid_pk_value", {"pk": one})
        return super().clean(value)


class OneFound(AutocompleteSelect):
    """A field for one row that is found by search."""

    def optgroups(self, name: str, value: Any, attr: Any = None) -> Any:
        key = self.field.target_field
        return super().optgroups(name, [one for one in value if is_key(key, one)], attr)


class SomeFound(OneFound, AutocompleteSelectMultiple):
    """A field for several rows that are found by search."""
