"""How often a refusal is in the trail: once for each actor, Office and kind in 15 minutes, and then its number.

The first one writes its entry at once. Those after it are counted in a table of their own. When the window is over, a
job (``billing.counted_refusals``) writes one entry with the number. Whoever is not signed in is known by their network.

Nobody can fill the trail: each actor has at most ``MOST`` different refusals in a window, and all who are not signed in
have ``MOST_OF_VISITORS`` together. What comes then is one entry “more”, and is counted there.
"""

from dataclasses import dataclass

from django.db.models import F

from billing import clock
from billing.audit import windows
from billing.audit.actor import Actor
from billing.models import RefusalCount

MOST = 100
MOST_OF_VISITORS = 500
MORE = "refused: more, of other kinds or from other networks, which are counted together"
VISITORS = "visitors"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a refusal goes: the key of the entry that is to be written now, and whether it is the one “more”."""

    key: str
    is_more: bool = False


def counted(by: Actor | None, network: str, *about: object) -> Place | None:
    """Count a refusal. Return where its entry goes, if it is the first in this window. None: it was counted.

    To be called in the transaction that writes the entry.
    """
    group = _group_of(by)
    who = network if group == VISITORS else ""
    began = windows.began()
    place = Place(windows.key(began, "refusal", group, who, *about))
    if _came_again(place.key):
        return None
    most = MOST_OF_VISITORS if group == VISITORS else MOST
    if RefusalCount.objects.filter(group=group, began=began).count() >= most:
        place = Place(windows.key(began, "more refusals", group), is_more=True)
        if _came_again(place.key):
            return None
    _, is_first = RefusalCount.objects.get_or_create(pk=place.key, defaults={"group": group, "began": began})
    if not is_first:
        _came_again(place.key)
    return place if is_first else None


def over() -> list[RefusalCount]:
    """Return the counts of windows that are over, some at a time."""
    return list(RefusalCount.objects.filter(began__lte=clock.wall() - windows.LASTS).order_by("began")[:500])


def taken(row: RefusalCount) -> bool:
    """Delete the row as it was read. Return whether it still was so: nobody else takes it, or counts in it."""
    return bool(RefusalCount.objects.filter(pk=row.pk, times=row.times).delete()[0])


def _came_again(key: str) -> bool:
    return bool(RefusalCount.objects.filter(pk=key).update(times=F("times") + 1))


def _group_of(by: Actor | None) -> str:
    if by is None:
        return "unattended"
    if by.user:
        return f"person {by.user.pk}"
    if by.identity:
        return f"service {by.identity.pk}"
    return VISITORS if by.kind == "service" else f"{by.kind} {by.label}"[:80]
