"""Encrypting all secrets in the database again, with the newest of SECRETS_KEYS."""

from allauth.mfa.models import Authenticator
from django.db import transaction

from billing import errors
from billing.access import encrypted

ENCRYPTED = ("secret", "seed")
"""Of an authenticator app, and of recovery codes. A passkey has none: its public key is no secret."""


def rotate_all() -> tuple[int, int]:
    """Return how many rows were encrypted again, and how many no key can read. Repeating is safe.

    Each row is a short transaction of its own, so people can sign in meanwhile.
    """
    changed = unreadable = 0
    for pk in Authenticator.objects.order_by("pk").values_list("pk", flat=True):
        try:
            changed += _rotate(pk)
        except errors.SecretUnreadable:
            unreadable += 1
    return changed, unreadable


@transaction.atomic(durable=True)
def _rotate(pk: int) -> bool:
    row = Authenticator.objects.select_for_update().filter(pk=pk).first()
    if row is None:
        return False
    data = row.data | {name: encrypted.encrypted_again(row.data[name]) for name in ENCRYPTED if name in row.data}
    if data == row.data:
        return False
    row.data = data
    row.save(update_fields=["data"])
    return True
