"""What reports calculate: each movement of MRR, and figures that are rolled up. ``billing.reports`` writes them.

They follow from other rows and can be made again.
"""

from django.db import models

from billing import clock
from billing.money import Money


class Movement(models.Model):
    """By how much one change of a subscription moved the MRR of its Office. A change that moved nothing has none."""

    class Kind(models.TextChoices):
        ADOPTED = "adopted"
        NEW = "new"
        EXPANSION = "expansion"
        REACTIVATION = "reactivation"
        CONTRACTION = "contraction"
        CHURN = "churn"

    change = models.OneToOneField("billing.SubscriptionChange", on_delete=models.CASCADE, related_name="movement")
    office = models.ForeignKey("billing.Office", on_delete=models.PROTECT, related_name="movements")
    at = models.DateTimeField()
    kind = models.CharField(max_length=12, choices=Kind.choices)
    currency = models.CharField(max_length=3)
    amount = models.BigIntegerField(help_text="Minor units a month; below zero if MRR was lost")

    class Meta:
        verbose_name = "movement of MRR"
        verbose_name_plural = "movements of MRR"
        ordering = ["-at", "-pk"]
        default_permissions = ("view",)
        indexes = [
            models.Index(fields=["at", "id"], name="movement_by_time"),
            models.Index(fields=["kind", "at"], name="movement_by_kind"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.money}"

    @property
    def money(self) -> Money:
        return Money(self.amount, self.currency)


class RolledUp(models.Model):
    """One figure of a report: of a month or week that begins on ``since``, in one currency."""

    class Report(models.TextChoices):
        MRR = "mrr"
        COLLECTIONS = "collections"

    report = models.CharField(max_length=12, choices=Report.choices)
    since = models.DateField(help_text="The first day, in UTC")
    part = models.CharField(max_length=12)
    currency = models.CharField(max_length=3)
    n = models.PositiveIntegerField(default=0, help_text="How many rows it is the sum of")
    amount = models.BigIntegerField(help_text="Minor units")

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["report", "since", "part", "currency"], name="rolled_up_once"),
        ]

    def __str__(self) -> str:
        return f"{self.report} {self.since:%Y-%m-%d} {self.part}: {Money(self.amount, self.currency)}"


class RollUp(models.Model):
    """How far a report is rolled up: one row for each."""

    report = models.CharField(max_length=12, primary_key=True)
    through = models.DateTimeField(help_text="Up to which moment of the billing clock")
    made_at = models.DateTimeField(default=clock.wall)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.report} through {self.through:%Y-%m-%d %H:%M}"
