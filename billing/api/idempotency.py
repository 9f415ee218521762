"""``Idempotency-Key``: a repeated POST has one effect, and one answer that only changes from unknown to settled.

A view that has it says in ``carry_out`` what its POST does, and in ``settled`` how a success is shown, so that the
answer can be given also where the first one never left. What is remembered:

- a success, and what an operation refused (402, 403, 409, 422, 502), with status and body;
- an outcome that is not yet known is not remembered but read from the operation each time, until it settles.

Not remembered, because nothing was begun and the same key may be tried again: input that a serializer refuses
(400), no valid token (401), an Office that is not visible (404), another unsettled operation of the Office
(409), and defects (500) before an operation began. Whoever lost the grant on an Office gets 404 for a repeat too.
"""

import hashlib
import json
import re
from typing import Any, ClassVar, cast

from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from billing import errors
from billing.api.errors import problem
from billing.models import IdempotentRequest, Operation, User
from billing.operations.engine import idempotency

HEADER = "Idempotency-Key"
REPLAYED = "Idempotent-Replayed"
KEY = re.compile(r"[\x21-\x7e]{1,255}")
MAY_BE_TRIED_AGAIN = (errors.OperationInProgress, errors.RequestInProgress, errors.StripeUnavailable)


class IdempotentPosts(APIView):
    answers_are_kept: ClassVar[bool] = True
    """Where a success holds what is stored nowhere, it is made anew for each repetition, by ``settled``."""

    def carry_out(self, request: Request, **address: Any) -> Response:
        """What is done once for each key."""
        raise NotImplementedError

    def settled(self, operation: Operation) -> Response:
        """The answer to a request whose operation succeeded, from our rows as they are now."""
        raise NotImplementedError(f"{type(self).__name__} begins operations: it must say how a success is shown.")

    def check_may_see(self, request: Request, **address: Any) -> None:
        """Raises what ``carry_out`` would, where the user may no longer see what the answer is about."""

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
        if isinstance(refusal, MAY_BE_TRIED_AGAIN) or not (refusal or self.answers_are_kept):
            idempotency.give_up(row)
            return response
        return _kept(row, response)

    def _answer(self, row: IdempotentRequest, *, success: Response | None = None) -> Response:
        """What is known by now. Raises: RequestInProgress."""
        if row.is_answered:
            return _remembered(row)
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
    """One value for each request: two bodies that parse to the same are the same."""
    asked = [request.method, request.get_full_path(), request.data]
    return hashlib.sha256(json.dumps(asked, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def _kept(row: IdempotentRequest, response: Response) -> Response:
    """The response is what the key answers from now on; or the one that was there first."""
    row = idempotency.keep(row, response.status_code, JSONRenderer().render(response.data).decode())
    return _remembered(row)


def _remembered(row: IdempotentRequest) -> Response:
    return Response(json.loads(row.answer) if row.answer else None, status=row.http_status)
