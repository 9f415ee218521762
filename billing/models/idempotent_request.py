"""Requests to the API that came with an Idempotency-Key: what they asked for, and how they were answered."""

from django.db import models

from billing import clock


class IdempotentRequest(models.Model):
    """One such request. The process that carries it out holds a claim. With ``http_status`` set it never changes."""

    actor = models.ForeignKey("billing.User", on_delete=models.PROTECT, related_name="idempotent_requests")
    key = models.CharField(max_length=255)  # billing.operations.engine.idempotency.digest of it
    body_hash = models.CharField(max_length=64, help_text="Of method, path and body")
    operation = models.OneToOneField(
        "billing.Operation", null=True, on_delete=models.PROTECT, related_name="idempotent_request"
    )
    approval_request = models.OneToOneField(
        "billing.ApprovalRequest", null=True, on_delete=models.PROTECT, related_name="idempotent_request"
    )
    claim_id = models.UUIDField()
    lease_until = models.DateTimeField()
    http_status = models.PositiveSmallIntegerField(null=True)
    answer = models.TextField(blank=True, help_text="The body as JSON")
    created_at = models.DateTimeField(default=clock.wall, db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["actor", "key"], name="one_request_per_actor_and_key")]

    def __str__(self) -> str:
        return f"{self.key} ({self.http_status or 'not answered'})"

    @property
    def is_answered(self) -> bool:
        return self.http_status is not None
