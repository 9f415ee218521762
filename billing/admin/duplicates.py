"""Offices that may be the same practice as one that somebody adds: the same name or the same billing e-mail address."""

from django.db.models import Q

from billing.folding import fold
from billing.models import Office

MOST = 5


def of(name: str, billing_email: str) -> list[Office]:
    """Return at most five Offices with this name or address, in upper or lower case. One query."""
    same = Q(name_folded=fold(name)) | Q(billing_email__iexact=billing_email)
    return list(Office.objects.filter(same)[:MOST])


def key(like: list[Office]) -> str:
    """Return what tells these Offices apart from others, for the form that is sent again."""
    return " ".join(str(one.pk) for one in like)
