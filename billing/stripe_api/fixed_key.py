"""A step for requests that belong to no operation."""

from typing import Any


class FixedKey:
    """A step whose idempotency key is calculated from what the request makes. It records nothing.

    Within a day, repeating makes nothing twice. After that, the id on our row prevents a second request.
    """

    def __init__(self, key: str) -> None:
        self.key = key

    def asking(self, method: str, path: str, params: dict[str, Any], api_version: str) -> tuple[str, dict[str, Any]]:
        return path, params

    def answered(self, *, http_status: int, request_id: str, object_id: str, error_code: str) -> None:
        return None
