"""The tokens of monitors: whoever has one sees more."""

import secrets

from django.http import HttpRequest


def has_token(request: HttpRequest, wanted: str) -> bool:
    """Return whether the request has this token as ``Authorization: Bearer …``. Nobody has an empty one."""
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    return bool(wanted) and scheme.lower() == "bearer" and secrets.compare_digest(given.encode(), wanted.encode())
