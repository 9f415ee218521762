"""Digests that only this software can make, and that still hold while SECRET_KEY is replaced."""

from django.conf import settings
from django.utils.crypto import constant_time_compare, salted_hmac


def of(text: str, *, salt: str) -> str:
    """Return the digest of the text with the present SECRET_KEY, in hexadecimal. ``salt`` says what it is for."""
    return _with(settings.SECRET_KEY, text, salt)


def is_of(text: str, given: str, *, salt: str) -> bool:
    """Return whether this is the digest of the text, with the present SECRET_KEY or one of SECRET_KEY_FALLBACKS."""
    keys = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    return any(constant_time_compare(_with(key, text, salt), given) for key in keys)


def _with(key: str, text: str, salt: str) -> str:
    return salted_hmac(salt, text, secret=key, algorithm="sha256").hexdigest()
