"""The keys of the seals. The private one is in the environment; the public ones are no secret."""

import functools
import hashlib

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from django.conf import settings


def sign(message: bytes) -> tuple[str, str]:
    """Return the name of the key, and the Ed25519 signature in hexadecimal."""
    private = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(settings.AUDIT_SEAL_KEY))
    return name_of(private.public_key().public_bytes_raw()), private.sign(message).hex()


def is_signed(message: bytes, *, key: str, signature: str) -> bool:
    """Return whether the key of this name is one of ours and signed the message."""
    public = public_keys().get(key)
    if public is None:
        return False
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(bytes.fromhex(signature), message)
    except (InvalidSignature, ValueError):
        return False
    return True


def public_keys() -> dict[str, bytes]:
    """Return all public keys by name: that of the private key, and the earlier ones."""
    return _public_keys(settings.AUDIT_SEAL_KEY, tuple(settings.AUDIT_SEAL_PUBLIC_KEYS))


@functools.cache
def _public_keys(private: str, earlier: tuple[str, ...]) -> dict[str, bytes]:
    return {name_of(key): key for key in (public_of(private), *map(bytes.fromhex, earlier))}


def public_of(private: str) -> bytes:
    return Ed25519PrivateKey.from_private_bytes(bytes.fromhex(private)).public_key().public_bytes_raw()


def name_of(public: bytes) -> str:
    return hashlib.sha256(public).hexdigest()[:16]
