"""Encryption of secrets that the database holds, such as those of authenticator apps.

The keys are SECRETS_KEYS, the newest first. The first one encrypts, all of them decrypt.
Source: https://cryptography.io/en/latest/fernet/#cryptography.fernet.MultiFernet
"""

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings

from billing import errors


def encrypt(text: str) -> str:
    """Return the text encrypted with the newest key."""
    return _keys().encrypt(text.encode()).decode()


def decrypt(encrypted: str) -> str:
    """Return the text. Raises: SecretUnreadable."""
    try:
        return _keys().decrypt(encrypted.encode()).decode()
    except InvalidToken:
        raise errors.SecretUnreadable from None


def encrypted_again(encrypted: str) -> str:
    """Return it encrypted with the newest key, and unchanged if it already was. Raises: SecretUnreadable."""
    try:
        Fernet(settings.SECRETS_KEYS[0]).decrypt(encrypted.encode())
    except InvalidToken:
        return encrypt(decrypt(encrypted))
    return encrypted


def _keys() -> MultiFernet:
    return MultiFernet([Fernet(key) for key in settings.SECRETS_KEYS])
