"""Which part of the outbound list counsel has reviewed. In live mode, what was added since is held back.

A determination carries the list as it was when it was prepared. An update that adds a line to the list does not stop
charging: what is on the reviewed list goes on, and only a request that needs an added line is refused, until another
determination is in force. A shorter list needs nothing. If no determination is in force, the last one still says what
was reviewed. Where there never was one, nothing is held back here: ``charging`` refuses what can charge.
"""

from collections.abc import Iterable
from datetime import datetime

from django.conf import settings

from billing import clock, errors
from billing.models import Agreement
from billing.models.agreement import payment_processor
from billing.stripe_api import outbound
from billing.stripe_api.outbound import Entry


def require(needed: Iterable[Entry]) -> None:
    """Refuse a request in live mode that needs a line of the list that nobody has reviewed.

    Raises:
        FieldNotReviewed: it says which fields, and never a value.
    """
    asked = {one for one in needed if one.needs_review}
    if not settings.STRIPE_LIVE_MODE or not asked:
        return
    held = asked & held_back(at=clock.wall())
    if held:
        raise errors.FieldNotReviewed(sorted({one.in_words for one in held}))


def held_back(*, at: datetime) -> set[Entry]:
    """Return the lines of today's list that the last determination does not cover. Empty if there was none."""
    row = _last_reviewed(at)
    if row is None or row.outbound_fingerprint in ("", outbound.fingerprint_of(outbound.text())):
        return set()
    is_whole = outbound.fingerprint_of(row.outbound_list) == row.outbound_fingerprint  # the trail has the fingerprint
    known = set(row.outbound_list.splitlines()) if is_whole else set()
    return {one for one in outbound.entries() if one.needs_review and one.line not in known}


def why_renew(supplier: str, row: Agreement | None, *, at: datetime) -> list[str]:
    """Return in sentences what was added or changed since this determination, which is in force at ``at``, if one is.

    What is held back is said also without one.
    """
    why = []
    if row and not row.counterparty:
        why.append("It does not name the supplier's legal entity and terms, because it is from before they were asked.")
    if row and row.terms_are_due_at and row.terms_are_due_at <= at:
        why.append(f"The supplier's terms were to be looked at again by {row.terms_review_by:%-d %B %Y}.")
    if supplier == Agreement.Subject.PAYMENT_PROCESSOR and (held := held_back(at=at)):
        fields = "; ".join(sorted({one.in_words for one in held}))
        why.append(f"An update added to what is sent, and this is held back: {fields}.")
    return why


def _last_reviewed(at: datetime) -> Agreement | None:
    found = payment_processor(at=at).row
    if found:
        return found
    approved = Agreement.objects.filter(subject=Agreement.Subject.PAYMENT_PROCESSOR, approved_at__lte=at)
    return approved.order_by("approved_at").last()
