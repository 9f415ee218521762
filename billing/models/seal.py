"""Seals of the audit trail: the signed heads of one tree, and which entry is at which place in it.

Both are only added. An entry that is committed late joins the next seal. The tiles follow from them. The last table
only says how far the daily job has verified them, so that it need not read everything each day.
"""

from django.db import models

from billing import clock


class AuditSeal(models.Model):
    """A signed head of the tree, after the entries of one batch were added to it."""

    number = models.BigIntegerField(primary_key=True, help_text="1, 2, 3, …")
    size = models.BigIntegerField(unique=True, help_text="How many entries are in the tree")
    root = models.CharField(max_length=64, help_text="In hexadecimal, as all hashes here")
    peaks = models.JSONField(help_text="The roots of the complete subtrees, from which the tree grows")
    highest_entry = models.BigIntegerField(help_text="The highest number of an entry in the tree")
    sealed_at = models.DateTimeField(default=clock.wall)
    key = models.CharField(max_length=16, help_text="The name of the public key")
    signature = models.CharField(max_length=128)

    class Meta:
        ordering = ["-number"]
        default_permissions = ("view",)

    def __str__(self) -> str:
        return f"seal {self.number}, {self.size} entries"


class SealedEntry(models.Model):
    """The place of an entry in the tree. The number of the entry is no foreign key: this row outlives the entry."""

    position = models.BigIntegerField(primary_key=True, help_text="0, 1, 2, …")
    entry = models.BigIntegerField(unique=True)
    seal = models.ForeignKey(AuditSeal, on_delete=models.PROTECT, related_name="entries")
    leaf = models.CharField(max_length=64)

    class Meta:
        ordering = ["position"]
        default_permissions = ()

    def __str__(self) -> str:
        return f"entry {self.entry} at {self.position}"


class SealedTile(models.Model):
    """The root of a full tile of the tree. It follows from the leaves, and saves reading them for a proof."""

    height = models.PositiveSmallIntegerField(help_text="8: a tile of 256 leaves; 16: of 256 such tiles; …")
    place = models.BigIntegerField(help_text="0, 1, 2, … among those of this height")
    root = models.CharField(max_length=64)

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["height", "place"], name="sealed_tile_once")]

    def __str__(self) -> str:
        return f"tile {self.height}/{self.place}"


class TrailProgress(models.Model):
    """The one row in which the daily job remembers what it verified. Who must be sure runs ``verify_audit``."""

    seal = models.BigIntegerField(default=0, help_text="The last seal that was verified; 0: begin with the first")
    began_at = models.DateTimeField(null=True, help_text="When it last began with the first seal")
    whole_at = models.DateTimeField(null=True, help_text="When it last came to the end and found nothing wrong")

    def __str__(self) -> str:
        return f"verified to seal {self.seal}"
