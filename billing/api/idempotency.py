"""``Idempotency-Key``: a repeated POST has one effect and one answer. The answer only changes from unknown to settled.

A view that supports it says in ``carry_out`` what its POST does, and in ``settled`` how a success is shown. So the
answer can be given even if the first one was never sent. What is stored:

- A success, and a refusal of an operation (402, 403, 409, 422, 502), with status and body.
- A 202 is not stored: a repeated request gets what has become of the request for approval.
- An unknown outcome is not stored. It is read from the operation each time, until it is settled.

Some answers are not stored, because nothing was begun and the same key may be used again: input that a serializer
refuses (400), no valid token (401), an Office that is not visible (404), another unsettled operation of the Office
(409), a database that is held (503), and defects (500) before an operation began. A person who lost the grant on an
Office gets 404 for a repeated request too.
"""

import hashlib
import json
import re
from typing import Any, ClassVar, cast

from rest_framework import status
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from billing import errors, problem_details
from billing.api import sent
from billing.api.errors import problem
from billing.models import IdempotentRequest, Operation, User
from billing.operations.engine import idempotency

HEADER = "Idempotency-Key"
REPLAYED = "Idempotent-Replayed"
KEY = re.compile(r"[\x21-\x7e]{1,255}")
MAY_BE_TRIED_AGAIN = (
    errors.DatabaseHeld,
    errors.OperationInProgress,
    errors.RequestInProgress,
    errors.StripeUnavailable,
)


class IdempotentPosts(APIView):
    answers_are_kept: ClassVar[bool] = True
    """False if a success has something that is never stored. Then ``settled`` makes the answer again each time."""

    def carry_out(self, request: Request, **address: Any) -> Response:
        """Carry out the request. It is called once for each key."""
        raise NotImplementedError

    def settled(self, operation: Operation) -> Response:
        """Return the answer to a request whose operation succeeded, from our rows as they are now."""
        raise NotImplementedError(f"{type(self).__name__} begins operations: it must say how a success is shown.")

    def check_may_see(self, request: Request, **address: Any) -> None:
        """Raise what ``carry_out`` would raise if the user may no longer see what the answer is about."""

    def post(self, request: Request, **address: Any) -> Response:
        if HEADER not in request.headers:
            return self.carry_out(request, **address)
        key = request.headers[HEADER]
        if not KEY.fullmatch(key):
            raise errors.IdempotencyKeyInvalid
        row, ours = idempotency.claim(cast(User, request.user), key, body_hash(request))
        if ours:
            return self._carried_out(row, request, **address)
        self.check_may_see(request, **address)
        response = self._answer(row)
        response[REPLAYED] = "true"
        return response

    def _carried_out(self, row: IdempotentRequest, request: Request, **address: Any) -> Response:
        refusal: errors.BillingError | None = None
        try:
            with idempotency.carrying_out(row):
                response = self.carry_out(request, **address)
        except errors.BillingError as error:
            refusal, response = error, self.handle_exception(error)
        except Exception:
            idempotency.give_up(row)
            raise
        idempotency.refresh(row)
        if row.operation is not None:
            return self._answer(row, success=None if refusal else response)
        if row.approval_request is not None:
            return response
        if isinstance(refusal, MAY_BE_TRIED_AGAIN) or not (refusal or self.answers_are_kept):
            idempotency.give_up(row)
            return response
        return _kept(row, response)

    def _answer(self, row: IdempotentRequest, *, success: Response | None = None) -> Response:
        """Return the answer by what is known now. Raises: RequestInProgress."""
        if row.is_answered:
            return _remembered(row)
        if row.approval_request is not None:
            return sent.accepted(row.approval_request)
        operation = row.operation
        if operation is None or operation.status == Operation.Status.OPEN:
            raise errors.RequestInProgress
        if operation.status == Operation.Status.UNKNOWN:
            unknown = errors.StripeUnavailable()
            return problem(unknown.code, str(unknown))
        if operation.status == Operation.Status.SUCCEEDED:
            shown = success or self.settled(operation)
            return _kept(row, shown) if self.answers_are_kept else shown
        return _kept(row, problem(operation.error_code, operation.error_message, operation.decline_code))


def body_hash(request: Request) -> str:
    """Return the hash of method, path and body. Two bodies that parse to the same value have the same hash."""
    asked = [request.method, request.get_full_path(), request.data]
    return hashlib.sha256(json.dumps(asked, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def _kept(row: IdempotentRequest, response: Response) -> Response:
    """Store the response for this key, and return it. If another one was stored first, return that."""
    row = idempotency.keep(row, response.status_code, JSONRenderer().render(response.data).decode())
    return _remembered(row)


def _remembered(row: IdempotentRequest) -> Response:
    is_refusal = row.http_status is not None and row.http_status >= status.HTTP_400_BAD_REQUEST
    media_type = problem_details.MEDIA_TYPE if is_refusal else None
    return Response(json.loads(row.answer) if row.answer else None, status=row.http_status, content_type=media_type)
