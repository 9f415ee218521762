"""No field of a form is unexplained: it has a help text, or a label that says all."""

import pytest
from django.contrib import admin
from django.forms.utils import pretty_name

FORMS = {
    f"{model._meta.model_name} {getattr(act, 'name', '')}".strip(): form
    for model, page in admin.site._registry.items()
    for act in (page, *getattr(page, "acts", ()))
    if (form := getattr(act, "form", None))
}
SAY_ALL = {
    "Amount",
    "Charged every",
    "Coupon",
    "Currency",
    "E-mail address",
    "How long",
    "It may",
    "New price",
    "Payment method",
    "Plan",
    "Present price",
    "Price",
    "Reason",
    "Seats",
    "Trial days",
    "When",
    "What",
}
"""Labels of one or two words that need no more: what the page is about says the rest."""
ENOUGH_WORDS = 3


@pytest.mark.parametrize("name", FORMS)
def test_each_field_is_explained(name):
    bare = {
        str(field.label or pretty_name(key))
        for key, field in FORMS[name].base_fields.items()
        if not field.help_text and not field.widget.is_hidden
    }

    assert {label for label in bare if len(label.split()) < ENOUGH_WORDS} <= SAY_ALL
