"""Each field for one row refuses a made-up key in its own words, and not in those of a column of the database."""

import importlib
import pkgutil
from collections.abc import Iterator
from typing import Any

import pytest
from django import forms
from django.core.exceptions import ValidationError

import billing

MADE_UP = ("no id", "0", "-1", "1e3", "9" * 40, "None", "00000000-0000-0000-0000-000000000000", "é", "x\0")


def fields() -> Iterator[tuple[str, forms.ModelChoiceField]]:
    """Yield the fields for one row of all our forms, each with its name."""
    for module in pkgutil.walk_packages(billing.__path__, "billing."):
        if ".migrations." not in module.name and ".management." not in module.name:
            importlib.import_module(module.name)
    waiting, seen = [forms.BaseForm], set()
    while waiting:
        kind: Any = waiting.pop()
        waiting += kind.__subclasses__()
        if kind in seen or not kind.__module__.startswith("billing."):
            continue
        seen.add(kind)
        for name, field in kind.base_fields.items():
            if isinstance(field, forms.ModelChoiceField) and not isinstance(field, forms.ModelMultipleChoiceField):
                yield f"{kind.__module__}.{kind.__qualname__}.{name}", field


FIELDS = dict(sorted(fields(), key=lambda one: one[0]))
"""In one order, whatever was imported before: each test process must find the same tests."""


def test_there_are_such_fields():
    assert "billing.office_pages.forms.ChangeForm.price" in FIELDS
    assert len(FIELDS) > 8


@pytest.mark.parametrize("name", FIELDS)
def test_a_made_up_key_is_refused_as_what_is_not_offered(name, db):
    field: Any = FIELDS[name]
    for value in MADE_UP:
        with pytest.raises(ValidationError) as refused:
            field.clean(value)
        assert refused.value.messages == [field.error_messages["invalid_choice"] % {"value": value}]
