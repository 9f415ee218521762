"""A row with a name that people search for: beside the name, the same name folded."""

from collections.abc import Iterable
from typing import Any

from django.db import models
from django.db.models.lookups import Contains

from billing.folding import fold


class Finds(Contains):
    """``name_folded__finds=typed``: what was typed is folded by the same rule, and is a part of the name."""

    def get_prep_lookup(self) -> str:
        return fold(self.rhs)


models.TextField.register_lookup(Finds, "finds")


class Named(models.Model):
    """The folded name is written wherever the name is saved; ``billing.folded_names`` mends what was written past that.

    It has no index: what is searched is a part of a name, and for that no index of every database is of use.
    """

    name: "models.CharField[str, str]"
    name_folded = models.TextField(db_default="", editable=False)

    class Meta:
        abstract = True

    def save(self, *args: Any, update_fields: Iterable[str] | None = None, **kwargs: Any) -> None:
        """Fold the name too, where the name is among what is saved."""
        if update_fields is not None:
            update_fields = set(update_fields)
        if update_fields is None or "name" in update_fields:
            self.name_folded = fold(self.name)
        if update_fields and "name" in update_fields:
            update_fields |= {"name_folded"}
        super().save(*args, update_fields=update_fields, **kwargs)
