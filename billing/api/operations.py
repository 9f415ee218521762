"""The views of a POST that carries out an operation or previews it. The table of addresses says which operation."""

import inspect
import re
from collections.abc import Collection, Mapping
from typing import Any, ClassVar

from rest_framework import serializers as fields
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from billing.access import roles
from billing.access.roles import Power
from billing.api import request_bodies, serializers
from billing.api.caching import NO_STORE
from billing.api.idempotency import IdempotentPosts
from billing.api.request_bodies import Body
from billing.api.schema import Described, Named
from billing.api.sent import OneApprovalRequestSerializer
from billing.api.views import PROBLEM, OfficeView
from billing.audit import actor
from billing.audit.actor import Actor
from billing.models import Office, Operation
from billing.operations.engine import begin
from billing.operations.engine.begin import perform
from billing.operations.engine.declaration import Declaration
from billing.operations.engine.previews import check_may_preview, preview, to_preview
from billing.operations.engine.steps import Run

REFUSALS = dict.fromkeys((402, 403, 404, 409, 422, 502, 503), PROBLEM)


class DeclaredView(OfficeView, Described):
    """A view for a declared operation. The declaration gives the body and the text in the OpenAPI document."""

    declared: type[Declaration[Any, Any]] = Declaration
    body: str = "Reason"
    """The name of the body in the document. The default is for a body that has only the reason."""
    shown: type[fields.BaseSerializer[Any]] = serializers.SubscriptionSerializer
    answers: int = status.HTTP_200_OK
    called: str = ""
    """The name of the address."""
    paragraphs: int = 1
    """How many paragraphs of the declaration's text the document shows."""
    not_in_body: Collection[str] = ()
    from_address: ClassVar[Mapping[str, str]] = {}
    """Fields of the declaration that come from the address, and their names there."""

    def reason(self) -> fields.Field[Any, Any, Any, Any] | None:
        return request_bodies.any_reason()

    def check_permitted(self, office: Office, by: Actor) -> None:
        """Raises: NotPermitted, StaffOnly."""
        begin.check_permitted(self.declared, office, by=by)

    def asked(self, request: Request, **address: Any) -> tuple[Any, Declaration[Any, Any], str]:
        """Return the subject, the request as its declaration, and the reason as it was given.

        Whether the person may ask for it is known before the body is read: of who may not, no word is judged or kept.
        """
        subject = self.subject(request, **address)
        self.check_permitted(self.declared.office_of(subject), actor.person(request.user))
        body = self.takes(data=request.data)
        body.is_valid(raise_exception=True)
        given = body.given
        reason = given.pop("reason", "")
        given |= {name: str(address[there]) for name, there in self.from_address.items()}
        return subject, self.declared(**given), reason

    def takes(self, **data: Any) -> Body:
        without = {*self.not_in_body, *self.from_address}
        return Body(self.declared, called=self.body, without=without, reason=self.reason(), **data)

    def gives(self) -> dict[int, Any]:
        waits: dict[int, Any] = {status.HTTP_202_ACCEPTED: OneApprovalRequestSerializer} if self.may_wait else {}
        return {self.answers: self.shown, **waits, **REFUSALS}

    @property
    def may_wait(self) -> bool:
        """Return whether it can be sent to a second person for approval."""
        return self.declared.needs is Power.GIVE_BACK and isinstance(self, OperationView)

    def operation_id(self) -> str:
        return re.sub(r"(?<!^)([A-Z])", r"_\1", self.declared.__name__).lower()

    def text(self) -> str:
        why_not = self.declared.no_preview_because
        no_preview = f"There is no preview, and no `as_of`. {why_not}" if why_not else ""
        return "\n\n".join(
            filter(None, [self.first_of(self.declared), no_preview, roles.in_words(self.declared.needs)])
        )

    def first_of(self, documented: Any) -> str:
        return "\n\n".join((inspect.getdoc(documented) or "").split("\n\n")[: self.paragraphs])


class OperationView(DeclaredView, IdempotentPosts):
    """A view that carries out the operation and shows its result."""

    def carry_out(self, request: Request, **address: Any) -> Response:
        subject, wanted, reason = self.asked(request, **address)
        return self.answered(perform(wanted, subject, by=actor.of(request.user), reason=reason))

    def settled(self, operation: Operation) -> Response:
        run = Run(operation)
        return self.answered(run.request.result(run))

    def answered(self, result: Any) -> Response:
        headers = {} if self.answers_are_kept else NO_STORE
        return Response(self.shown(result).data, status=self.answers, headers=headers)

    def check_may_see(self, request: Request, **address: Any) -> None:
        self.subject(request, **address)


class Told(Named):
    # no docstring, as with ``Body``

    def __init__(self, key: str, *, called: str) -> None:
        super().__init__(called=called)
        self.key = key

    def get_fields(self) -> dict[str, fields.Field[Any, Any, Any, Any]]:
        return {self.key: fields.CharField()}


class TellingView(DeclaredView):
    """A view that carries out an operation whose result is shown once and never stored. ``key`` is its name.

    So it takes no Idempotency-Key. Repeating makes another one, which does no harm.
    """

    answers = status.HTTP_201_CREATED
    key: str = "url"

    def post(self, request: Request, **address: Any) -> Response:
        subject, wanted, reason = self.asked(request, **address)
        shown = perform(wanted, subject, by=actor.of(request.user), reason=reason)
        return Response({self.key: shown}, status=self.answers, headers=NO_STORE)

    def gives(self) -> dict[int, Any]:
        return {self.answers: Told(self.key, called=f"{self.declared.__name__}Told"), **REFUSALS}


class PreviewView(DeclaredView):
    """A view that shows a preview of the operation. Nothing changes, so it needs no Idempotency-Key."""

    shown: type[fields.BaseSerializer[Any]] = serializers.PreviewSerializer

    def reason(self) -> fields.Field[Any, Any, Any, Any] | None:
        return None

    def check_permitted(self, office: Office, by: Actor) -> None:
        check_may_preview(self.declared, office, by=by)

    def post(self, request: Request, **address: Any) -> Response:
        subject, wanted, reason = self.asked(request, **address)
        seen = preview(wanted, subject, by=actor.of(request.user), reason=reason)
        return Response(self.shown(seen).data)

    def takes(self, **data: Any) -> Body:
        without = {"as_of", *self.not_in_body, *self.from_address}
        return Body(self.declared, called=self.body, without=without, reason=self.reason(), **data)

    def operation_id(self) -> str:
        return self.called

    def text(self) -> str:
        shown = self.first_of(getattr(self.declared, "preview", None))
        return f"{shown}\n\n{roles.in_words(to_preview(self.declared))}"
