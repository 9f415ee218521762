"""Backups that were made, and the hold on a database that was restored from one."""

from django.db import models

from billing import clock


class Backup(models.Model):
    """A backup that was read again after it was written. Its file may be gone by now: only the newest ones are kept."""

    name = models.CharField(max_length=100, unique=True, help_text="Of the file, without its folder")
    made_at = models.DateTimeField(default=clock.wall)
    size = models.BigIntegerField(help_text="In bytes")
    digest = models.CharField(max_length=64, help_text="SHA-256 of the file")
    verified_at = models.DateTimeField()

    class Meta:
        ordering = ["-made_at", "-pk"]
        default_permissions = ()

    def __str__(self) -> str:
        return self.name


class Hold(models.Model):
    """This database was restored from a backup. It is held until ``released_at``: see ``billing.held``.

    ``manage.py restore`` writes the row before anything can use the database. Its first two times are of the billing
    clock, to compare them with the times of Stripe's events.
    """

    backup = models.CharField(max_length=100, help_text="The name of its file")
    made_at = models.DateTimeField(help_text="When the backup was made")
    restored_at = models.DateTimeField()
    entry = models.BigIntegerField(help_text="The last entry of the audit trail in the backup; 0: none")
    seal = models.BigIntegerField(help_text="Its last seal; 0: none")
    report = models.JSONField(null=True, help_text="What after_restore found, once it came to its end")
    compared_at = models.DateTimeField(null=True)
    released_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-pk"]
        default_permissions = ()

    def __str__(self) -> str:
        return f"restored from {self.backup}"
