"""Rows that people search for by a part of a name or of an e-mail address, and the parts by which they are found.

A database finds what begins with something at once. So each place where a word of a name can begin to match is stored
as a row of its own: “maple” as ``maple``, ``aple``, ``ple``, ``le`` and ``e``. Of an address these are its words:
``billing@oak.example`` as ``billing@oak.example``, ``oak.example`` and ``example``. What was typed is found where a
part begins with it. This is the same on each database, and needs no function, extension or setting of any.
"""

import hashlib
import re
from collections.abc import Iterable
from typing import Any, ClassVar

from django.db import models, router, transaction
from django.db.models.lookups import Lookup

from billing.folding import fold
from billing.models.named import Named

LONGEST = 64
"""So many letters of a part are kept, and compared."""
LAST = "\U0010ffff"
"""It comes after every letter."""
WORDS_OF_ADDRESS = re.compile(r"[^@.\-_+]+")
RULE = 1
"""The number of the rule below. Raise it when the rule changes: then each row is written anew."""


class Begins(Lookup):
    """``part__begins=typed``: as a range of an index, by the bytes of the letters, whatever language a database has."""

    lookup_name = "begins"

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, list[Any]]:
        column, params = self.process_lhs(compiler, connection)
        sql = f"({column} >= %s AND {column} < %s)"
        return sql, [*params, self.rhs, *params, f"{self.rhs}{LAST}"]

    def as_postgresql(self, compiler: Any, connection: Any) -> tuple[str, list[Any]]:
        """Compare as the index of ``varchar_pattern_ops`` does.

        Source: https://www.postgresql.org/docs/15/indexes-opclass.html
        """
        column, params = self.process_lhs(compiler, connection)
        sql = f"({column} ~>=~ %s AND {column} ~<~ %s)"
        return sql, [*params, self.rhs, *params, f"{self.rhs}{LAST}"]


models.CharField.register_lookup(Begins)


def parts_of(name: str, address: str) -> dict[str, bool]:
    """Return each part, and whether the name has it. Other parts are of the address."""
    found = {}
    folded = fold(address)
    for word in WORDS_OF_ADDRESS.finditer(folded):
        found[folded[word.start() :][:LONGEST]] = False
    for one in fold(name).split():
        for start in range(len(one)):
            found[one[start:][:LONGEST]] = True
    return found


def made_of(name: str, address: str) -> str:
    """Return a digest of what the parts are made of, by which rows with other parts are known."""
    return hashlib.sha256(f"{RULE}\n{fold(name)}\n{fold(address)}".encode()).hexdigest()


class Part(models.Model):
    """One part. ``of_name`` is False where only the address has it: not everybody may find a row by that."""

    part = models.CharField(max_length=LONGEST)
    of_name = models.BooleanField()
    subject: Any

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.part


class Searched(Named):
    """Its parts are written wherever its name or address is saved; ``billing.search_parts`` mends what was not."""

    ADDRESS: ClassVar[str]
    """The column with the e-mail address."""
    search_parts: Any
    searched_as = models.CharField(max_length=64, db_default="", editable=False)

    class Meta:
        abstract = True

    def save(self, *args: Any, update_fields: Iterable[str] | None = None, **kwargs: Any) -> None:
        """Write the parts too, where the name or the address is among what is saved and is another one."""
        saved = None if update_fields is None else set(update_fields)
        if saved is not None and not saved & {"name", self.ADDRESS}:
            super().save(*args, update_fields=saved, **kwargs)
            return
        before = "" if self._state.adding else self.searched_as
        self.searched_as = made_of(self.name, getattr(self, self.ADDRESS) or "")
        if self.searched_as == before:
            super().save(*args, update_fields=saved, **kwargs)
            return
        using = kwargs.get("using") or router.db_for_write(type(self), instance=self)
        with transaction.atomic(using=using):
            super().save(*args, update_fields=saved and saved | {"searched_as"}, **kwargs)
            write_parts([self], using=using)


def write_parts(rows: Iterable[Searched], *, using: str = "default") -> None:
    """Write the parts of these rows, which are all of one model, in the place of those that they had."""
    rows = list(rows)
    if not rows:
        return
    model: Any = type(rows[0]).search_parts.field.model
    there = model.objects.using(using)
    wanted = {
        (row.pk, part): of_name
        for row in rows
        for part, of_name in parts_of(row.name, getattr(row, row.ADDRESS) or "").items()
    }
    kept, over = set(), []
    for one in there.filter(subject__in=[row.pk for row in rows]):
        if wanted.get((one.subject_id, one.part)) == one.of_name:
            kept.add((one.subject_id, one.part))
        else:
            over.append(one.pk)
    for start in range(0, len(over), 500):
        there.filter(pk__in=over[start : start + 500]).delete()
    there.bulk_create(
        (
            model(subject_id=pk, part=part, of_name=of_name)
            for (pk, part), of_name in wanted.items()
            if (pk, part) not in kept
        ),
        batch_size=5_000,
    )
