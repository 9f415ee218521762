"""Closing the findings whose matter is over, by the rules of ``billing.findings`` about our own rows."""

from datetime import timedelta

from django.db.models import Q

from billing import findings
from billing.jobs import job
from billing.models import Finding


@job("close-findings", every=timedelta(minutes=10))
def close_what_is_over() -> None:
    """Resolve each open finding whose rule says that its matter is over. Repeating is safe.

    A decision about it ends too: if the matter begins again, it is told again.
    """
    with_rule = [name for name, kind in findings.KINDS.items() if kind.is_over]
    standing = Finding.objects.filter(Q(resolved_at=None) | Q(decision_holds=True), kind__in=with_rule)
    for found in standing.select_related("office"):
        kind = findings.KINDS[found.kind]
        if kind.is_over and kind.is_over(found):
            findings.end(Finding.objects.filter(pk=found.pk), resolution=kind.over[:200])
