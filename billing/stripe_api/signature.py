"""Is this body from Stripe, and of now? Source: https://docs.stripe.com/webhooks#verify-manually"""

import re
from datetime import datetime

from stripe import SignatureVerificationError, WebhookSignature

TOLERANCE_SECONDS = 300
STAMP = re.compile(r"[0-9]{1,12}")


def is_valid(body: bytes, header: str, *, secrets: list[str], now: datetime) -> bool:
    """Signed with one of the secrets, at most five minutes ago or ahead.

    Exactly one stamp, of digits alone: with two, the one that is compared with the clock need not be the
    one that was signed, and an old delivery could be sent again.
    """
    stamps = [value for name, _, value in (item.partition("=") for item in header.split(",")) if name.strip() == "t"]
    if not header.isascii() or len(stamps) != 1 or not STAMP.fullmatch(stamps[0]):
        return False
    if abs(int(stamps[0]) - now.timestamp()) > TOLERANCE_SECONDS:
        return False
    return any(_signed(body, header, secret) for secret in secrets)


def _signed(body: bytes, header: str, secret: str) -> bool:
    try:
        return WebhookSignature.verify_header(body, header, secret, tolerance=None)
    except (SignatureVerificationError, UnicodeDecodeError):
        return False
