"""Requests for approval: what was sent to a second person, and what this person decides."""

from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import generics
from rest_framework import serializers as fields
from rest_framework.request import Request
from rest_framework.response import Response

from billing.access import roles
from billing.access.roles import Power
from billing.api import request_bodies, sent
from billing.api.amounts import MoneyField
from billing.api.idempotency import IdempotentPosts
from billing.api.operations import REFUSALS
from billing.api.paging import NewestAskedFirst
from billing.api.sent import ApprovalRequestSerializer, OneApprovalRequestSerializer
from billing.api.strict import Strict
from billing.api.views import PROBLEM, OfficeView
from billing.audit import actor
from billing.models import ApprovalRequest, Office, Operation
from billing.operations.engine import approvals
from billing.operations.money.credit import CreditPreview

READ = {403: PROBLEM, 404: PROBLEM}


class ApprovalPreviewSerializer(fields.Serializer[Any]):
    """What the Office would get back now."""

    amount = MoneyField()
    says = fields.ListField(child=fields.CharField(), help_text="Where it goes, and what is left")
    warnings = fields.ListField(child=fields.CharField())
    as_of = fields.DateTimeField(help_text="Approve with this value")


class ApproveSerializer(Strict):
    as_of = fields.DateTimeField(help_text="The `as_of` of a preview that is at most one hour old")


class DecisionSerializer(Strict):
    reason = request_bodies.any_reason()


class ApprovalView(OfficeView):
    def found(self, request: Request, public_id: Any, approval_id: Any) -> ApprovalRequest:
        """Return the request for approval. One of another Office gets 404."""
        rows = ApprovalRequest.objects.select_related("office", "requested_by", "decided_by", "operation")
        return get_object_or_404(rows, office=self.office(request, public_id), public_id=approval_id)

    def to_decide(self, request: Request, public_id: Any, approval_id: Any) -> ApprovalRequest:
        """Return it, if the person may decide about it. No word of the body is read before that."""
        approvals.check_may_decide(self.office(request, public_id), by=actor.person(request.user))
        return self.found(request, public_id, approval_id)


class Approvals(OfficeView, generics.ListAPIView[ApprovalRequest]):
    """List what was sent for approval, newest first."""

    serializer_class = ApprovalRequestSerializer
    pagination_class = NewestAskedFirst

    def get_queryset(self) -> QuerySet[ApprovalRequest]:
        if getattr(self, "swagger_fake_view", False):
            return ApprovalRequest.objects.none()
        office: Office = self.office(self.request, self.kwargs["public_id"])
        approvals.check_may_see(office, by=actor.person(self.request.user))
        return office.approval_requests.select_related("office", "requested_by", "decided_by", "operation")


class OneApproval(ApprovalView):
    @extend_schema(responses={200: OneApprovalRequestSerializer, **READ})
    def get(self, request: Request, public_id: Any, approval_id: Any) -> Response:
        """Show one request for approval, and who can approve it."""
        approvals.check_may_see(self.office(request, public_id), by=actor.person(request.user))
        return sent.shown(self.found(request, public_id, approval_id))


class PreviewApproval(ApprovalView):
    @extend_schema(request=None, responses={200: ApprovalPreviewSerializer, **REFUSALS})
    def post(self, request: Request, public_id: Any, approval_id: Any) -> Response:
        """Show what the Office would get back now. For a second person. Nothing changes."""
        row = self.to_decide(request, public_id, approval_id)
        seen = approvals.preview(row, by=actor.person(request.user))
        is_credit = isinstance(seen, CreditPreview)
        shown = {
            "amount": row.money,
            "says": [f"{label}: {words}" for label, words in seen.rows] if is_credit else seen.goes_to,
            "warnings": () if is_credit else seen.warnings,
            "as_of": seen.as_of,
        }
        return Response(ApprovalPreviewSerializer(shown).data)


class Approve(ApprovalView, IdempotentPosts):
    @extend_schema(
        request=ApproveSerializer,
        responses={200: OneApprovalRequestSerializer, **REFUSALS},
        description="Approve a request of another person and carry it out, as a preview showed it. "
        + roles.in_words(Power.APPROVE),
    )
    def post(self, request: Request, **address: Any) -> Response:
        return super().post(request, **address)

    def carry_out(self, request: Request, **address: Any) -> Response:
        row = self.to_decide(request, **address)
        given = ApproveSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        approvals.approve(row, by=actor.person(request.user), as_of=given.validated_data["as_of"])
        return sent.shown(self.found(request, **address))

    def settled(self, operation: Operation) -> Response:
        return sent.shown(operation.approval_request)

    def check_may_see(self, request: Request, **address: Any) -> None:
        self.to_decide(request, **address)


class TurnDown(ApprovalView):
    @extend_schema(request=DecisionSerializer, responses={200: OneApprovalRequestSerializer, **REFUSALS})
    def post(self, request: Request, public_id: Any, approval_id: Any) -> Response:
        """Turn a request for approval down, as a second person. Nothing is carried out."""
        row = self.to_decide(request, public_id, approval_id)
        return sent.shown(approvals.turn_down(row, by=actor.person(request.user), reason=_reason(request)))


class Withdraw(ApprovalView):
    @extend_schema(request=DecisionSerializer, responses={200: OneApprovalRequestSerializer, **REFUSALS})
    def post(self, request: Request, public_id: Any, approval_id: Any) -> Response:
        """Withdraw your own request for approval. Nothing is carried out."""
        by = actor.person(request.user)
        approvals.check_may_see(self.office(request, public_id), by=by)
        row = self.found(request, public_id, approval_id)
        return sent.shown(approvals.withdraw(row, by=by, reason=_reason(request)))


def _reason(request: Request) -> str:
    given = DecisionSerializer(data=request.data)
    given.is_valid(raise_exception=True)
    return str(given.validated_data["reason"])
