"""The only module that sends requests to Stripe. No request is sent inside a transaction.

The API version is pinned, and a request lasts at most 8 seconds. TLS 1.2 or newer is Python's default. Requests leave
through STRIPE_PROXY, if it is set.
Every request goes through ``get``, ``preview``, ``post`` or ``delete``. A request that changes something takes a step.
The step of an operation (``billing.operations.engine.steps.Step``) commits the intent before the request and the
outcome after it.

Nothing leaves that is not on the list in ``outbound``: FieldNotAllowed, ValueNotAllowed, FieldNotReviewed. Every
request may also raise CardDeclined, StripeRejected (with StripeObjectMissing and StripeKeyRefused), StripeUnavailable
or CallInsideTransaction. A change may raise DatabaseHeld.
"""

import functools
from typing import Any, Protocol, cast

import requests
import requests.adapters
import stripe
from django.conf import settings
from django.db import connections

from billing import errors, held, measures
from billing.stripe_api import charging, known_account, outbound, outbound_list, pace, reviewed, sightings

API_VERSION = outbound_list.API_VERSION
TIMEOUT_SECONDS = 8
MOST_CONNECTIONS = 64
"""So many threads each keep a connection. What is opened above that is closed after its request."""

Answer = dict[str, Any]
"""An object of Stripe as it came. The SDK's own objects cost more processor time than the request itself."""


class Step(Protocol):
    """Where the intent and the outcome of a request are recorded."""

    key: str

    def asking(
        self, method: str, path: str, params: dict[str, Any], api_version: str
    ) -> tuple[str, dict[str, Any]]: ...

    def answered(self, *, http_status: int, request_id: str, object_id: str, error_code: str) -> None: ...


class Transport(stripe.RequestsClient):
    """Our own connections. The SDK's global ones are never used."""


class Connections(requests.Session):
    """Nothing of the environment changes these, such as HTTPS_PROXY. ``ca_bundle`` is trusted instead of the SDK's."""

    def __init__(self, ca_bundle: str) -> None:
        super().__init__()
        self.trust_env, self.ca_bundle = False, ca_bundle
        for beginning in ("https://", "http://"):
            self.mount(beginning, requests.adapters.HTTPAdapter(pool_maxsize=MOST_CONNECTIONS))

    def send(self, request: requests.PreparedRequest, **options: Any) -> requests.Response:
        if self.ca_bundle:
            options["verify"] = self.ca_bundle
        return super().send(request, **options)


@functools.lru_cache(maxsize=4)
def _client(key: str, api_base: str, proxy: str, ca_bundle: str) -> stripe.StripeClient:
    return stripe.StripeClient(
        key,
        stripe_version=API_VERSION,
        base_addresses={"api": api_base} if api_base else {},
        max_network_retries=0,
        http_client=Transport(timeout=TIMEOUT_SECONDS, session=Connections(ca_bundle), proxy=proxy or None),
    )


def get(path: str, params: dict[str, Any] | None = None) -> Answer:
    """Return the object at ``path``. Repeating is safe.

    Raises: StripeObjectMissing: there is none.
    """
    return _object(_ask("get", path, params or {}, {}))


def preview(path: str, params: dict[str, Any]) -> Answer:
    """Return a preview. This POST changes nothing, so it needs no step. Repeating is safe."""
    if not path.endswith("/create_preview") and not path.endswith("/preview"):
        raise ValueError(f"{path} is no preview")
    return _object(_ask("post", path, charging.checked(path, params), {}))


def post(path: str, params: dict[str, Any], *, step: Step) -> Answer:
    """Make a change at Stripe. With the same step it is made at most once, however often it is asked for.

    Raises: NotSent: a rule of ours holds it back.
    """
    return _change("post", path, charging.checked(path, params), step)


def delete(path: str, *, step: Step) -> Answer:
    """Delete the object at ``path``. A DELETE has no parameters here, and without parameters none can charge.

    Raises: StripeObjectMissing: it was gone already.
    """
    return _change("delete", path, {}, step)


def _change(method: str, path: str, params: dict[str, Any], step: Step) -> Answer:
    _refuse_off_the_list(method, path, params)
    _refuse_inside_transaction(path)
    held.require_released()
    path, params = step.asking(method, path, params, API_VERSION)  # those that were recorded the first time
    options = {"idempotency_key": step.key} if method == "post" else {}
    try:
        response = _ask(method, path, params, options)
    except (errors.CardDeclined, errors.StripeRejected) as error:
        status = error.status if isinstance(error, errors.StripeRejected) else 402
        step.answered(http_status=status, request_id="", object_id="", error_code=error.code)
        raise
    answer = _object(response)
    step.answered(
        http_status=response.code,
        request_id=response.request_id or "",
        object_id=answer.get("id") or "",
        error_code="",
    )
    return answer


def _object(response: stripe.StripeResponse) -> Answer:
    return cast(Answer, response.data)


def _ask(method: str, path: str, params: dict[str, Any], options: dict[str, Any]) -> stripe.StripeResponse:
    _refuse_off_the_list(method, path, params)  # whoever asks, and also what an earlier version wrote down
    _refuse_inside_transaction(path)
    known_account.require(path)
    pace.wait_for_turn(outbound.endpoint_of(method, path))
    with measures.asking_stripe(method, path):
        return _sent(method, path, params, options)


def _sent(method: str, path: str, params: dict[str, Any], options: dict[str, Any]) -> stripe.StripeResponse:
    try:
        return _answer(method, path, params | options)
    except stripe.CardError as error:
        raise _declined(error) from None
    except stripe.AuthenticationError:
        raise errors.StripeKeyRefused(
            "Stripe does not accept STRIPE_SECRET_KEY. Put a current key of the right account in .env.",
            status=401,
        ) from None
    except stripe.PermissionError:
        raise errors.StripeKeyRefused(
            "STRIPE_SECRET_KEY may not do this. Give the restricted key the permission at Stripe.", status=403
        ) from None
    except (stripe.InvalidRequestError, stripe.IdempotencyError) as error:
        raise _rejected(error) from None
    except stripe.StripeError as error:  # connection, time-out, 429, 5xx: nobody knows the outcome
        headers = error.headers or {}
        if error.http_status == 429:
            rest = pace.refused(outbound.endpoint_of(method, path), headers)
            raise errors.StripeUnavailable(retry_after=rest) from None
        replayed = str(headers.get("idempotent-replayed", "")).lower() == "true"
        raise errors.StripeUnavailable(replayed=replayed) from None


def _answer(method: str, path: str, given: dict[str, Any]) -> stripe.StripeResponse:
    client = _client(
        settings.STRIPE_API_KEY, settings.STRIPE_API_BASE, settings.STRIPE_PROXY, settings.STRIPE_CA_BUNDLE
    )
    try:
        response: stripe.StripeResponse = client.raw_request(method, path, **given)
    except stripe.StripeError as error:
        sightings.note_answer(path, error.http_status, error.headers or {})
        raise
    sightings.note_answer(path, response.code, response.headers)
    return response


def _declined(error: stripe.CardError) -> errors.CardDeclined:
    body = getattr(error, "error", None)
    code = (getattr(body, "decline_code", None) or error.code or "") if body else (error.code or "")
    if error.code in ("authentication_required", "invoice_payment_intent_requires_action"):
        return errors.AuthenticationRequired(code)
    return errors.CardDeclined(code)


def _rejected(error: stripe.StripeError) -> errors.StripeRejected:
    code, status = error.code or "", error.http_status or 400
    param = getattr(error, "param", None) or ""
    if code == "invoice_payment_intent_requires_action":
        raise errors.AuthenticationRequired(code)
    kind = errors.StripeObjectMissing if code == "resource_missing" or status == 404 else errors.StripeRejected
    words = errors.without_addresses(errors.without_stripe_ids(error.user_message or "no reason given"))
    return kind(f"Stripe refused the request: {words}", code, param, status)


def _refuse_off_the_list(method: str, path: str, params: dict[str, Any]) -> None:
    reviewed.require(outbound.checked(method, path, params))


def _refuse_inside_transaction(path: str) -> None:
    """Look at this thread's connections. So whatever a thread asks for, it must ask by itself."""
    for connection in connections.all(initialized_only=True):
        if any(not getattr(block, "_from_testcase", False) for block in connection.atomic_blocks):
            raise errors.CallInsideTransaction(path)
