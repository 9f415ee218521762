"""Checking the signature of a webhook. Source: https://docs.stripe.com/webhooks#verify-manually"""

import re
from collections.abc import Sequence
from datetime import datetime

from stripe import SignatureVerificationError, WebhookSignature

TOLERANCE_SECONDS = 300
STAMP = re.compile(r"[0-9]{1,12}")
FORM = re.compile(r"t=[0-9]{1,12}(,v[0-9]=[0-9a-f]{64})+")


def is_valid(body: bytes, header: str, *, secrets: Sequence[str], now: datetime) -> bool:
    """Return whether the body was signed with one of the secrets, at most five minutes before or after ``now``.

    The header must have exactly one time stamp, and only digits in it. With two, the one that is compared with the
    clock could be another than the signed one, and an old delivery could be sent again.
    """
    stamps = [value for name, _, value in (item.partition("=") for item in header.split(",")) if name.strip() == "t"]
    if not header.isascii() or len(stamps) != 1 or not STAMP.fullmatch(stamps[0]):
        return False
    if abs(int(stamps[0]) - now.timestamp()) > TOLERANCE_SECONDS:
        return False
    return any(_signed(body, header, secret) for secret in secrets)


def has_its_form(header: str) -> bool:
    """Return whether this looks like a signature. What has none of its form says nothing about our secrets."""
    return FORM.fullmatch(header) is not None


def _signed(body: bytes, header: str, secret: str) -> bool:
    try:
        return WebhookSignature.verify_header(body, header, secret, tolerance=None)
    except (SignatureVerificationError, UnicodeDecodeError):
        return False
