"""An e-mail address that is compared by one rule on every database: see ``billing.folding.fold_address``."""

from typing import Any

from django.db import models
from django.db.models.lookups import IExact

from billing.folding import fold_address


class AddressField(models.EmailField):
    """Stored and asked for in one form, so that LOWER of any database finds the same addresses to be equal.

    For migrations it is an EmailField: the column is the same.
    """

    def deconstruct(self) -> tuple[Any, ...]:
        name, _, args, kwargs = super().deconstruct()
        return name, "django.db.models.EmailField", args, kwargs

    def pre_save(self, model_instance: models.Model, add: bool) -> Any:
        value = fold_address(super().pre_save(model_instance, add))
        setattr(model_instance, self.attname, value)
        return value

    def get_prep_value(self, value: Any) -> Any:
        return fold_address(super().get_prep_value(value))


@AddressField.register_lookup
class SameAddress(IExact):
    """``email__iexact=typed``: what was typed has the form of what is stored."""

    def get_prep_lookup(self) -> Any:
        return fold_address(super().get_prep_lookup())
