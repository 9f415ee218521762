"""Is this body from Stripe, and of now? Source: https://docs.stripe.com/webhooks#verify-manually"""

import re
from datetime import datetime

from stripe import SignatureVerificationError, WebhookSignature

TOLERANCE_SECONDS = 300


def is_valid(body: bytes, header: str, *, secrets: list[str], now: datetime) -> bool:
    """Signed with one of the secrets, at most five minutes ago or ahead."""
    stamp = re.search(r"(?:^|,)t=(\d{1,12})(?:,|$)", header)
    if not stamp or abs(int(stamp[1]) - now.timestamp()) > TOLERANCE_SECONDS:
        return False
    return any(_signed(body, header, secret) for secret in secrets)


def _signed(body: bytes, header: str, secret: str) -> bool:
    try:
        return WebhookSignature.verify_header(body, header, secret, tolerance=None)
    except (SignatureVerificationError, UnicodeDecodeError):
        return False
