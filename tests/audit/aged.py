"""Making the trail of a test older than it is, as if it had been sealed then."""

from collections.abc import Iterable
from datetime import timedelta

from django.db import connection
from django.db.models import QuerySet

from billing.audit import append_only, keys
from billing.audit import seals as sealing
from billing.models import AuditSeal


def dated_back(age: timedelta, *, seals: Iterable[int]) -> None:
    """Let these seals be signed so long before."""
    for seal in AuditSeal.objects.filter(number__in=list(seals)):
        at = seal.sealed_at - age
        signed = sealing.message(number=seal.number, size=seal.size, root=seal.root, sealed_at=at)
        key, signature = keys.sign(signed)
        with append_only.lifted(connection):
            QuerySet(AuditSeal).filter(pk=seal.pk).update(sealed_at=at, key=key, signature=signature)
