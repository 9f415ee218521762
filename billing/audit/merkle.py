"""The tree over the audit trail: leaves are only added, and one hash stands for all of them.

Source: https://www.rfc-editor.org/rfc/rfc9162#section-2.1
"""

import hashlib
from collections.abc import Callable, Iterable, Sequence


def leaf_hash(leaf: bytes) -> bytes:
    return hashlib.sha256(b"\0" + leaf).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\1" + left + right).digest()


TILE = 8
"""A full tile is a complete subtree of so many levels, so of 256 leaves, or of 256 full tiles."""


EMPTY = hashlib.sha256(b"").digest()
"""The root of a tree without leaves."""


class Tree:
    """A tree that leaves are added to. It remembers the roots of its complete subtrees only, the largest first.

    ``filled`` has the tiles that became full: the height, the place among those of that height, and the root of each.
    """

    def __init__(self, size: int = 0, peaks: Iterable[bytes] = ()) -> None:
        self.size, self.peaks = size, list(peaks)
        self.filled: list[tuple[int, int, bytes]] = []

    def add(self, leaf: bytes) -> None:
        """Add the hash of a leaf."""
        for height in range(1, self.size.bit_length() + 1):
            if not self.size >> (height - 1) & 1:
                break
            leaf = node_hash(self.peaks.pop(), leaf)
            if height % TILE == 0:
                self.filled.append((height, self.size >> height, leaf))
        self.peaks.append(leaf)
        self.size += 1

    def root(self) -> bytes:
        if not self.peaks:
            return EMPTY
        right = self.peaks[-1]
        for left in reversed(self.peaks[:-1]):
            right = node_hash(left, right)
        return right


class Levels:
    """A complete tree in memory, which proves that a leaf is in it."""

    def __init__(self, leaves: Sequence[bytes]) -> None:
        self.size = len(leaves)
        self.levels = [list(leaves)]
        while len(self.levels[-1]) > 1:
            below = self.levels[-1]
            pairs = [node_hash(below[at], below[at + 1]) for at in range(0, len(below) - 1, 2)]
            self.levels.append(pairs + below[len(pairs) * 2 :])

    def node(self, height: int, place: int) -> bytes:
        """Return the node at this place of a level, or b"" if the level ends before it. Level 0 has the leaves."""
        level = self.levels[height]
        return level[place] if place < len(level) else b""

    def root(self) -> bytes:
        return self.levels[-1][0] if self.size else EMPTY

    def inclusion(self, position: int) -> list[bytes]:
        """Return the proof that the leaf at this position is in the tree: the hashes beside its way to the root."""
        return self._way(0, position)

    def consistency(self, earlier: int) -> list[bytes]:
        """Return the proof that the first ``earlier`` leaves were a tree of their own before. Needs 0 < earlier."""
        if earlier == self.size:
            return []
        proof, height, position = [], 0, earlier
        while not position & 1:  # the largest complete subtree at the end of the earlier tree
            position >>= 1
            height += 1
        if position > 1 or earlier != 1 << height:
            proof.append(self.node(height, position - 1))
        return proof + self._way(height, position - 1)

    def _way(self, height: int, position: int) -> list[bytes]:
        """Return the hashes beside the way from this node to the root."""
        beside = []
        for level in range(height, (self.size - 1).bit_length()):
            beside.append(self.node(level, position ^ 1))
            position >>= 1
        return [one for one in beside if one]


class Tiles(Levels):
    """The same tree of many leaves in little memory: it reads 256 nodes at a time, and only where a proof needs them.

    ``read`` takes a height (0 for the leaves, or a multiple of ``TILE``), a place and a number. It returns so many
    complete nodes of that height, from that place on.
    """

    def __init__(self, size: int, read: Callable[[int, int, int], list[bytes]]) -> None:
        self.size, self.read = size, read
        self.kept: dict[tuple[int, bool], tuple[int, Levels]] = {}

    def node(self, height: int, place: int) -> bytes:
        within = height % TILE
        at = place >> (TILE - within)
        tile = self._tile(height - within, at)
        place -= at << (TILE - within)
        if within >= len(tile.levels):  # of a tile that is not full, there is one node up to the top
            return b"" if place else tile.root()
        return tile.node(within, place)

    def root(self) -> bytes:
        return self.node((self.size - 1).bit_length(), 0) if self.size else EMPTY

    def _tile(self, height: int, at: int) -> Levels:
        """Return a tile of nodes of this height. Of each height it keeps two: the last one, and another."""
        complete = self.size >> height
        is_last = at == complete >> TILE
        if (height, is_last) not in self.kept or self.kept[height, is_last][0] != at:
            begin = at << TILE
            nodes = self.read(height, begin, min(1 << TILE, complete - begin)) if begin < complete else []
            if is_last and self.size != complete << height:  # what is left over below makes one more node
                nodes.append(self._tile(height - TILE, complete).root())
            self.kept[height, is_last] = at, Levels(nodes)
        return self.kept[height, is_last][1]
