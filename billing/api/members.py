"""Who belongs to an Office: its owners see, add, change and remove members, and see and withdraw invitations.

Repeating each of these is harmless.
"""

from typing import Any, cast

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import generics, status
from rest_framework import serializers as fields
from rest_framework.request import Request
from rest_framework.response import Response

from billing.access import invitations, members
from billing.api.paging import NewestMadeFirst
from billing.api.strict import Strict
from billing.api.views import PROBLEM, OfficeView
from billing.audit import actor
from billing.models import Invitation, Membership, Office, User

REFUSALS = dict.fromkeys((403, 404, 409, 422), PROBLEM)
UNTIL = "The moment from which the membership gives nothing any more. Null: it has no end"


class MemberSerializer(fields.ModelSerializer[Membership]):
    """A member. ``until`` is null if the membership has no end."""

    id = fields.UUIDField(source="user.public_id", read_only=True)
    email = fields.CharField(source="user.email", read_only=True)
    name = fields.CharField(source="user.name", read_only=True)
    since = fields.DateTimeField(source="created_at", read_only=True)
    until = fields.DateTimeField(source="ended_at", read_only=True, allow_null=True)

    class Meta:
        model = Membership
        fields = ["id", "email", "name", "role", "since", "until"]
        read_only_fields = fields


class InvitationSerializer(fields.ModelSerializer[Invitation]):
    """An open invitation to the Office. ``until`` is the end that the membership gets, or null."""

    id = fields.UUIDField(source="public_id", read_only=True)
    invited_at = fields.DateTimeField(source="made_at", read_only=True)

    class Meta:
        model = Invitation
        fields = ["id", "email", "role", "until", "invited_at"]
        read_only_fields = fields


class NewMemberSerializer(Strict):
    email = fields.EmailField()
    role = fields.ChoiceField(choices=Membership.Role.choices)
    until = fields.DateTimeField(required=False, allow_null=True, default=None, help_text=UNTIL)


class ChangedMemberSerializer(Strict):
    role = fields.ChoiceField(choices=Membership.Role.choices)
    until = fields.DateTimeField(required=False, allow_null=True, default=None, help_text=UNTIL)


class MembersView(OfficeView):
    def permitted(self, request: Request, public_id: Any, what: str) -> Office:
        """Return the Office, if the person may do this. No word of the body is read before that."""
        office = self.office(request, public_id)
        members.check_permitted(office, by=actor.person(request.user), what=what)
        return office

    def person(self, office: Office, person_id: Any) -> User:
        """Return who is or was a member of this Office. Anybody else gets 404."""
        return get_object_or_404(User.objects.filter(memberships__office=office), public_id=person_id)


class Members(MembersView, generics.ListAPIView[Membership]):
    serializer_class = MemberSerializer

    def get_queryset(self) -> QuerySet[Membership]:
        if getattr(self, "swagger_fake_view", False):
            return Membership.objects.none()
        office = self.permitted(self.request, self.kwargs["public_id"], "list the members")
        return office.memberships.in_force().select_related("user")

    @extend_schema(responses={200: MemberSerializer(many=True), 403: PROBLEM, 404: PROBLEM})
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """List the members whose membership is in force, newest first. For owners."""
        return super().get(request, *args, **kwargs)

    @extend_schema(
        request=NewMemberSerializer,
        responses={
            202: OpenApiResponse(
                InvitationSerializer, "The address gets an e-mail with a link to accept the invitation."
            ),
            **REFUSALS,
        },
    )
    def post(self, request: Request, public_id: Any) -> Response:
        """Invite a person to the Office by e-mail. For owners. Repeating it sends no second e-mail.

        The answer is the invitation. The person is a member once they accepted it: with their account, or with a new
        one if they have none. The answer is the same in both cases. A member is not invited again: 409.
        """
        office = self.permitted(request, public_id, "add a member")
        given = _checked(NewMemberSerializer, request)
        invitation = members.add(office, by=actor.person(request.user), **given)
        return Response(InvitationSerializer(invitation).data, status=status.HTTP_202_ACCEPTED)


class ChangeMember(MembersView):
    @extend_schema(request=ChangedMemberSerializer, responses={200: MemberSerializer, **REFUSALS})
    def post(self, request: Request, public_id: Any, person_id: Any) -> Response:
        """Give a member another role, or an end. For owners. Repeating is a no-op. The last owner stays an owner."""
        office = self.permitted(request, public_id, "change a member")
        given = _checked(ChangedMemberSerializer, request)
        member = members.change(office, self.person(office, person_id), by=actor.person(request.user), **given)
        return Response(MemberSerializer(member).data)


class RemoveMember(MembersView):
    @extend_schema(request=None, responses={200: MemberSerializer, **REFUSALS})
    def post(self, request: Request, public_id: Any, person_id: Any) -> Response:
        """End a membership now. For owners. It stays on record. The last owner cannot be removed."""
        office = self.permitted(request, public_id, "remove a member")
        member = members.remove(office, self.person(office, person_id), by=actor.person(request.user))
        return Response(MemberSerializer(member).data)


class Invitations(MembersView, generics.ListAPIView[Invitation]):
    serializer_class = InvitationSerializer
    pagination_class = NewestMadeFirst

    def get_queryset(self) -> QuerySet[Invitation]:
        if getattr(self, "swagger_fake_view", False):
            return Invitation.objects.none()
        return invitations.open_of(self.permitted(self.request, self.kwargs["public_id"], "list the invitations"))

    @extend_schema(responses={200: InvitationSerializer(many=True), 403: PROBLEM, 404: PROBLEM})
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """List the open invitations to this Office, newest first. For owners."""
        return super().get(request, *args, **kwargs)


class WithdrawInvitation(MembersView):
    @extend_schema(request=None, responses={204: None, **REFUSALS})
    def post(self, request: Request, public_id: Any, invitation_id: Any) -> Response:
        """Withdraw an invitation. For owners. Its link stops working. Repeating is a no-op."""
        office = self.permitted(request, public_id, "withdraw an invitation")
        invitation = get_object_or_404(office.invitations, public_id=invitation_id)
        if invitation.withdrawn_at is None:
            invitations.withdraw(invitation, by=actor.person(request.user))
        return Response(status=status.HTTP_204_NO_CONTENT)


def _checked(kind: type[fields.Serializer[Any]], request: Request) -> dict[str, Any]:
    given = kind(data=request.data)
    given.is_valid(raise_exception=True)
    return cast(dict[str, Any], given.validated_data)
