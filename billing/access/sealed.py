"""Encryption of secrets that the database holds, such as those of authenticator apps.

The keys are SECRETS_KEYS, the newest first. The first one encrypts, all of them decrypt.
Source: https://cryptography.io/en/latest/fernet/#cryptography.fernet.MultiFernet
"""

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings

from billing import errors


def seal(text: str) -> str:
    """Return the text encrypted with the newest key."""
    return _keys().encrypt(text.encode()).decode()


def unseal(sealed: str) -> str:
    """Return the text. Raises: SecretUnreadable."""
    try:
        return _keys().decrypt(sealed.encode()).decode()
    except InvalidToken:
        raise errors.SecretUnreadable from None


def sealed_again(sealed: str) -> str:
    """Return it encrypted with the newest key, and unchanged if it already was. Raises: SecretUnreadable."""
    try:
        Fernet(settings.SECRETS_KEYS[0]).decrypt(sealed.encode())
    except InvalidToken:
        return seal(unseal(sealed))
    return sealed


def _keys() -> MultiFernet:
    return MultiFernet([Fernet(key) for key in settings.SECRETS_KEYS])
