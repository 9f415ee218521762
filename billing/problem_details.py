"""The body of each refusal of the API: problem details.

Source: https://www.rfc-editor.org/rfc/rfc9457
"""

from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import structlog
from django.conf import settings

from billing import database_trouble, errors
from billing.errors import Category

MEDIA_TYPE = "application/problem+json"
PAGE = "/api/v1/problems/"
"""It explains each code."""
STATUS: dict[Category, HTTPStatus] = {
    Category.MALFORMED: HTTPStatus.BAD_REQUEST,
    Category.PAYMENT: HTTPStatus.PAYMENT_REQUIRED,
    Category.FORBIDDEN: HTTPStatus.FORBIDDEN,
    Category.NOT_FOUND: HTTPStatus.NOT_FOUND,
    Category.CONFLICT: HTTPStatus.CONFLICT,
    Category.TOO_LARGE: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    Category.INVALID: HTTPStatus.UNPROCESSABLE_ENTITY,
    Category.STRIPE_REFUSED: HTTPStatus.BAD_GATEWAY,
    Category.WAITS: HTTPStatus.ACCEPTED,
    Category.UNKNOWN: HTTPStatus.SERVICE_UNAVAILABLE,
    Category.HELD: HTTPStatus.SERVICE_UNAVAILABLE,
    Category.TOO_MANY: HTTPStatus.TOO_MANY_REQUESTS,
}


def of(code: str, detail: str, *, status: int, **more: Any) -> dict[str, Any]:
    """Return the body of a refusal. ``detail`` says what is wrong and what to do, and may be shown to a person.

    ``request_id`` is that of the log's lines and of the audit trail. ``more`` is what this kind of refusal adds.
    """
    return {
        "type": f"{settings.SITE_URL}{PAGE}#{code}",
        "title": title(code, status),
        "status": int(status),
        "code": code,
        "detail": detail,
        "request_id": structlog.contextvars.get_contextvars().get("request_id", ""),
        **more,
    }


def title(code: str, status: int) -> str:
    """Return what all refusals with this code have in common, in a few words."""
    kind = kind_of(code)
    words = HTTPStatus(status).phrase if kind is errors.Defect else kind.category.value
    return words[0].upper() + words[1:]


def kind_of(code: str) -> type[errors.BillingError]:
    """Return the class of refusals with this code. What is not known is a defect."""
    found = (one for one in _with_subclasses(errors.BillingError) if one.code == code)
    return next((one for one in found if one is not errors.BillingError), errors.Defect)


def _with_subclasses(kind: type[errors.BillingError]) -> list[type[errors.BillingError]]:
    return [kind] + [one for child in kind.__subclasses__() for one in _with_subclasses(child)]


@dataclass(frozen=True, slots=True)
class Explained:
    """A code as the page explains it."""

    code: str
    status: int
    title: str
    says: str


OTHERS = {
    "authentication_failed": (401, "The token is wrong, has expired or was withdrawn. Sign in again."),
    "not_authenticated": (401, "The request has no token. Send `Authorization: Bearer …`."),
    "permission_denied": (403, "You are not allowed to do this."),
    "not_found": (404, "There is no such thing, or you may not see it. Each address ends with a slash."),
    "method_not_allowed": (405, "This address does not accept the method. OPTIONS lists those that it accepts."),
    "not_acceptable": (406, "The API answers JSON only."),
    "parse_error": (400, "The request cannot be read, such as JSON that ends too soon."),
    "invalid": (400, "Some fields are missing or wrong. `fields` says what is wrong with each."),
    "unsupported_media_type": (415, "Send the body as `Content-Type: application/json`."),
    database_trouble.CODE: (503, database_trouble.DETAIL),
    "failed": (500, "An error happened on our side. It is in our log."),
}
"""Codes that Django REST framework answers, or a defect: they have no class in ``errors``."""


def explained() -> list[Explained]:
    """Return each code that an answer can have, in the order of the alphabet."""
    found = {code: Explained(code, status, title(code, status), says) for code, (status, says) in OTHERS.items()}
    for kind in _with_subclasses(errors.BillingError):
        if hasattr(kind, "category"):
            status = STATUS[kind.category]
            found[kind.code] = Explained(kind.code, status, title(kind.code, status), _says(kind))
    return [found[code] for code in sorted(found)]


def _says(kind: type[errors.BillingError]) -> str:
    """Return the text of a refusal that is always the same, or else what its class says of it."""
    own = (kind.__doc__ or "").strip() if "__doc__" in vars(kind) else ""
    return f"{kind.message} {kind.remedy}".strip() or " ".join(own.split("\n\n")[0].split())
