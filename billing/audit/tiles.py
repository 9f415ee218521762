"""The roots of full tiles: 256 leaves, or 256 such tiles, and so on. With them a proof reads little of the tree.

They are stored when a seal fills a tile. They follow from the leaves: one that is not stored is calculated, and the job
that seals stores it.
"""

from billing.audit.merkle import TILE, Levels
from billing.models import AuditSeal, SealedEntry, SealedTile

MOST_TOGETHER = 200
WIDTH = 1 << TILE


def read(height: int, begin: int, most: int) -> list[bytes]:
    """Return so many complete nodes of this height, from a place on. The height is a multiple of ``TILE``."""
    if not height:
        places = SealedEntry.objects.filter(position__gte=begin, position__lt=begin + most).order_by("position")
        return [bytes.fromhex(leaf) for leaf in places.values_list("leaf", flat=True)]
    tiles = SealedTile.objects.filter(height=height, place__gte=begin, place__lt=begin + most)
    stored = dict(tiles.values_list("place", "root"))
    places_asked = range(begin, begin + most)
    return [bytes.fromhex(stored[at]) if at in stored else _calculated(height, at) for at in places_asked]


def store(made: list[tuple[int, int, bytes]]) -> None:
    """Store these full tiles: the height, the place, and the root of each. What is stored already stays."""
    rows = [SealedTile(height=height, place=place, root=root.hex()) for height, place, root in made]
    SealedTile.objects.bulk_create(rows, ignore_conflicts=True)


def fill() -> bool:
    """Store some of those that are missing, the lowest first. Return True if there may be more."""
    last = AuditSeal.objects.first()
    size = last.size if last else 0
    for height in range(TILE, size.bit_length(), TILE):
        rows, full = SealedTile.objects.filter(height=height, place__lt=size >> height), size >> height
        if rows.count() == full:
            continue
        stored = set(rows.values_list("place", flat=True))
        missing = [place for place in range(full) if place not in stored][:MOST_TOGETHER]
        store([(height, place, _calculated(height, place)) for place in missing])
        return True
    return False


def _calculated(height: int, place: int) -> bytes:
    return Levels(read(height - TILE, place << TILE, WIDTH)).root()
