"""Offices that may be the same practice as one that somebody adds: the same name or the same billing e-mail address.

Both are looked for by their parts, which have an index: neither column has one.
"""

from django.db.models import Q, QuerySet

from billing import search
from billing.folding import fold
from billing.models import Office, OfficePart
from billing.models.searched import parts_of

MOST = 5


def of(name: str, billing_email: str) -> list[Office]:
    """Return at most five Offices with this name or address, in upper or lower case, sorted by name."""
    keys = {*_keys(_named(name)), *_keys(_at(billing_email))}
    return list(Office.objects.filter(pk__in=keys)[:MOST])


def _keys(found: QuerySet[Office]) -> list[int]:
    return list(found.values_list("pk", flat=True)[:MOST])


def _named(name: str) -> QuerySet[Office]:
    return Office.objects.filter(search.named(Office, name), name_folded=fold(name))


def _at(billing_email: str) -> QuerySet[Office]:
    """Return the Offices with this address. The first of its parts is nearly all of it."""
    first = next(iter(parts_of("", billing_email)), None)
    if first is None:
        return Office.objects.none()
    having_it = OfficePart.objects.filter(part=first).values("subject")
    return Office.objects.filter(Q(pk__in=having_it), billing_email__iexact=billing_email)


def key(like: list[Office]) -> str:
    """Return what tells these Offices apart from others, for the form that is sent again."""
    return " ".join(str(one.pk) for one in like)
