"""What the API shows of a request for approval, and the 202 of an operation that waits for a second person."""

from typing import Any

from django.urls import reverse
from rest_framework import serializers as fields
from rest_framework import status
from rest_framework.response import Response

from billing.api.amounts import MoneyField
from billing.models import ApprovalRequest
from billing.operations.engine import approvals


class ApprovalRequestSerializer(fields.ModelSerializer[ApprovalRequest]):
    """What waits for a second person, or waited. ``operation`` is what it became."""

    id = fields.UUIDField(source="public_id", read_only=True)
    address = fields.SerializerMethodField(help_text="Where to see it, and to decide about it")
    status = fields.CharField(read_only=True)
    amount = MoneyField()
    requested_by = fields.CharField(source="requested_by.email", read_only=True)
    decided_by = fields.CharField(source="decided_by.email", read_only=True, default=None, allow_null=True)
    operation = fields.UUIDField(source="operation.public_id", read_only=True, default=None, allow_null=True)
    operation_status = fields.CharField(source="operation.status", read_only=True, default=None, allow_null=True)

    class Meta:
        model = ApprovalRequest
        fields = [
            "id",
            "address",
            "kind",
            "request",
            "status",
            "currency",
            "amount",
            "reason",
            "requested_by",
            "asked_at",
            "expires_at",
            "decided_by",
            "decided_at",
            "decision_reason",
            "operation",
            "operation_status",
        ]
        read_only_fields = fields

    def get_address(self, row: ApprovalRequest) -> str:
        return reverse("api:approval", args=[row.office.public_id, row.public_id])


class OneApprovalRequestSerializer(ApprovalRequestSerializer):
    """The same, and in words who can approve it, or how it ended."""

    says = fields.SerializerMethodField()

    class Meta(ApprovalRequestSerializer.Meta):
        fields = [*ApprovalRequestSerializer.Meta.fields, "says"]

    def get_says(self, row: ApprovalRequest) -> str:
        return approvals.in_words(row)


def shown(row: ApprovalRequest, *, status: int = status.HTTP_200_OK) -> Response:
    return Response(OneApprovalRequestSerializer(row).data, status=status)


def accepted(row: Any) -> Response:
    """Return the answer to whoever asked for it: not done yet. A repeated request gets what has become of it."""
    answer = shown(row, status=status.HTTP_202_ACCEPTED)
    answer["Location"] = answer.data["address"]
    return answer
