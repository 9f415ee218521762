"""The views for signing in and out, one's own password, and the second factor that an Office requires."""

from datetime import timedelta
from typing import Any, cast

from allauth.mfa.base.forms import AuthenticateForm
from django.contrib.auth import authenticate
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction
from drf_spectacular.utils import extend_schema
from rest_framework import permissions, serializers, status
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request
from rest_framework.response import Response

from billing import errors
from billing.access import members, second_factor, tokens
from billing.api.strict import Strict
from billing.api.views import PROBLEM, ApiView, OfficeView
from billing.audit import actor, trail
from billing.limits import lockout
from billing.models import User


class SignInSerializer(Strict):
    email = serializers.EmailField()
    password = serializers.CharField(style={"input_type": "password"}, trim_whitespace=False)
    code = serializers.CharField(
        required=False, help_text="Of your authenticator app, or a recovery code. Needed once you have a second factor"
    )
    scope = serializers.ChoiceField(
        choices=tokens.Scope.choices,
        default=tokens.Scope.OPERATE,
        help_text="`read`: the token can only read. `operate`: it can do whatever you may do",
    )
    hours = serializers.IntegerField(
        required=False, min_value=1, help_text="For how long the token holds, if not for as long as possible"
    )

    def validate_hours(self, hours: int) -> int:
        most = int(tokens.longest().total_seconds() // 3600)
        if hours > most:
            raise serializers.ValidationError(f"At most {most}.")
        return hours


class TokenSerializer(serializers.Serializer[Any]):
    token = serializers.CharField()
    expires = serializers.DateTimeField()
    scope = serializers.ChoiceField(choices=tokens.Scope.choices)


class ChangePasswordSerializer(Strict):
    current = serializers.CharField(style={"input_type": "password"}, trim_whitespace=False)
    new = serializers.CharField(style={"input_type": "password"}, trim_whitespace=False)


class RequiredOfMembersSerializer(Strict):
    required_of_members = serializers.BooleanField()


class SignIn(ApiView):
    """A view that takes no Idempotency-Key: its answer has a token, and no token is ever stored in clear."""

    authentication_classes = ()
    permission_classes = (permissions.AllowAny,)

    def get_authenticate_header(self, request: Request) -> str:
        """Make a wrong password a 401. This view has no authenticator that would do it."""
        return "Token"

    @extend_schema(request=SignInSerializer, responses={200: TokenSerializer, 401: PROBLEM, 403: PROBLEM, 429: PROBLEM})
    def post(self, request: Request) -> Response:
        """Get a token for the header ``Authorization: Bearer …``, with e-mail address and password.

        Once you have a second factor, a `code` of it is needed too. The vendor's staff must have one. After too many
        wrong tries nothing is tried any more for some time: the answer is 429, and `Retry-After` says for how long.
        """
        given = SignInSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        data = given.validated_data
        user = authenticate(request._request, username=data["email"], password=data["password"])
        if not isinstance(user, User):
            lockout.refuse_if_locked(request._request)
            raise AuthenticationFailed("The address or the password is wrong.")
        lasts = timedelta(hours=data["hours"]) if "hours" in data else None
        with trail.acting(actor.person(user)):
            _require_second_factor(user, data.get("code", ""))
            row, token = tokens.make(user, scope=data["scope"], lasts=lasts)
            trail.record_act(user, f"signed in for an API token: {row.get_scope_display()}")
        return Response({"token": token, "expires": row.expiry, "scope": row.scope})


class SignOut(ApiView):
    """A view that takes no Idempotency-Key: afterwards its token is void, so it cannot be repeated."""

    @extend_schema(request=None, responses={204: None})
    def post(self, request: Request) -> Response:
        """Make the token of this request void."""
        request.auth.delete()
        trail.record_act(request.user, "signed out of an API token")
        return Response(status=status.HTTP_204_NO_CONTENT)


class OwnPassword(ApiView):
    """A view that takes no Idempotency-Key: afterwards its token is void, so it cannot be repeated."""

    @extend_schema(request=ChangePasswordSerializer, responses={204: None, 403: PROBLEM, 422: PROBLEM})
    def post(self, request: Request) -> Response:
        """Change your own password. All your API tokens and sessions end, also the token of this request."""
        given = ChangePasswordSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        user = cast(User, request.user)
        current, new = given.validated_data["current"], given.validated_data["new"]
        if authenticate(request._request, username=user.email, password=current) != user:
            lockout.refuse_if_locked(request._request)
            raise errors.WrongPassword
        try:
            validate_password(new, user)
        except ValidationError as weak:
            raise errors.PasswordTooWeak(" ".join(weak.messages)) from None
        user.set_password(new)
        with transaction.atomic():
            trail.record_act(user, "changed the password")
            user.save(update_fields=["password"])  # which ends all access
        return Response(status=status.HTTP_204_NO_CONTENT)


class SecondFactorOfMembers(OfficeView):
    @extend_schema(responses={200: RequiredOfMembersSerializer, 404: PROBLEM})
    def get(self, request: Request, public_id: Any) -> Response:
        """Must this Office's members have a second factor?"""
        return Response({"required_of_members": self.office(request, public_id).requires_second_factor})

    @extend_schema(
        request=RequiredOfMembersSerializer, responses={200: RequiredOfMembersSerializer, 403: PROBLEM, 404: PROBLEM}
    )
    def put(self, request: Request, public_id: Any) -> Response:
        """Decide whether this Office's members must have a second factor. An owner who has none cannot require it.

        Members without one then see nothing of the Office until they set one up on the page of their account.
        """
        office, by = self.office(request, public_id), actor.person(request.user)
        members.check_permitted(office, by=by, what="require a second factor")
        given = RequiredOfMembersSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        members.require_second_factor(office, required=given.validated_data["required_of_members"], by=by)
        return Response({"required_of_members": office.requires_second_factor})


def _require_second_factor(user: User, code: str) -> None:
    """Check the code, which is used up by this. The trail has each refusal.

    Raises:
        SecondFactorToEnrol, SecondFactorMissing, SecondFactorWrong.
    """
    try:
        if not second_factor.is_enrolled(user):
            if second_factor.is_required_of(user):
                raise errors.SecondFactorToEnrol(second_factor.page())
            return
        if not code:
            raise errors.SecondFactorMissing
        form = AuthenticateForm(user=user, data={"code": code})
        with second_factor.one_at_a_time(user):
            is_right = form.is_valid()
        if not is_right:
            raise errors.SecondFactorWrong
    except errors.BillingError as refused:
        trail.record_refusal(user, f"API token: {refused.code}", code=refused.code)
        raise
    form.authenticator.record_usage()
