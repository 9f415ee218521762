"""How often a refusal is in the trail: once for each actor, Office and kind in 15 minutes, and then its number.

The first one writes its entry at once. Those after it are counted in a table of their own. When the window is over, a
job (``billing.counted_refusals``) writes one entry with the number. Whoever is not signed in is known by their network.

Nobody can fill the trail, and nobody hides the refusals of another one. In a window each actor has at most ``MOST``
different refusals, of which ``MOST_AT_ONE`` at one Office. Of those who are not signed in, each network has
``MOST_AT_ONE``, and all together have ``MOST_OF_VISITORS``. What comes then is one entry “more”, and is counted there.
"""

from dataclasses import dataclass

from django.db.models import F

from billing import clock
from billing.audit import windows
from billing.audit.actor import Actor
from billing.models import RefusalCount

MOST_AT_ONE = 50
MOST = 200
MOST_OF_VISITORS = 1_000
MORE_AT_ONE = "refused: more, of other kinds, which are counted together"
MORE = "refused: more, of other kinds or elsewhere, which are counted together"
CODE_OF_MORE = "more"
VISITORS = "visitors"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a refusal goes: the key of the entry that is to be written now.

    ``more`` is ``MORE`` or ``MORE_AT_ONE`` if the entry stands for several refusals.
    """

    key: str
    more: str = ""


def counted(by: Actor | None, network: str, office: int | None, *about: object, using: str) -> Place | None:
    """Count a refusal. Return where its entry goes, if it is the first in this window. None: it was counted.

    To be called in the transaction that writes the entry.
    """
    who, began = _who(by), windows.began()
    where = f"{who} at {network if who == VISITORS else office}"
    place = Place(windows.key(began, "refusal", where, *about))
    if _came_again(place.key, using):
        return None
    counts = RefusalCount.objects.using(using)
    of_all = counts.filter(group__startswith=f"{who} at ", began=began)
    if of_all.count() >= (MOST_OF_VISITORS if who == VISITORS else MOST):
        place = Place(windows.key(began, "more refusals", who), MORE)
    elif of_all.filter(group=where).count() >= MOST_AT_ONE:
        place = Place(windows.key(began, "more refusals", where), MORE_AT_ONE)
    if place.more and _came_again(place.key, using):
        return None
    _, is_first = counts.get_or_create(pk=place.key, defaults={"group": where, "began": began})
    if not is_first:
        _came_again(place.key, using)
    return place if is_first else None


def over() -> list[RefusalCount]:
    """Return the counts of windows that are over, some at a time."""
    return list(RefusalCount.objects.filter(began__lte=clock.wall() - windows.LASTS).order_by("began")[:500])


def taken(row: RefusalCount) -> bool:
    """Delete the row as it was read. Return whether it still was so: nobody else takes it, or counts in it."""
    return bool(RefusalCount.objects.filter(pk=row.pk, times=row.times).delete()[0])


def _came_again(key: str, using: str) -> bool:
    return bool(RefusalCount.objects.using(using).filter(pk=key).update(times=F("times") + 1))


def _who(by: Actor | None) -> str:
    if by is None:
        return "unattended"
    if by.user:
        return f"person {by.user.pk}"
    if by.identity:
        return f"service {by.identity.pk}"
    return VISITORS if by.kind == "service" else f"{by.kind} {by.label}"[:50]
