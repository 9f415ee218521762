"""The tree over the audit trail: leaves are only added, and one hash stands for all of them.

Source: https://www.rfc-editor.org/rfc/rfc9162#section-2.1
"""

import hashlib
from collections.abc import Iterable, Sequence


def leaf_hash(leaf: bytes) -> bytes:
    return hashlib.sha256(b"\0" + leaf).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\1" + left + right).digest()


class Tree:
    """A tree that leaves are added to. It remembers the roots of its complete subtrees only, the largest first."""

    def __init__(self, size: int = 0, peaks: Iterable[bytes] = ()) -> None:
        self.size, self.peaks = size, list(peaks)

    def add(self, leaf: bytes) -> None:
        """Add the hash of a leaf."""
        for bit in range(self.size.bit_length()):
            if not self.size >> bit & 1:
                break
            leaf = node_hash(self.peaks.pop(), leaf)
        self.peaks.append(leaf)
        self.size += 1

    def root(self) -> bytes:
        if not self.peaks:
            return hashlib.sha256(b"").digest()
        right = self.peaks[-1]
        for left in reversed(self.peaks[:-1]):
            right = node_hash(left, right)
        return right


class Levels:
    """A complete tree in memory, which proves that a leaf is in it. It takes 64 bytes for each leaf."""

    def __init__(self, leaves: Sequence[bytes]) -> None:
        self.levels = [list(leaves)]
        while len(self.levels[-1]) > 1:
            below = self.levels[-1]
            pairs = [node_hash(below[at], below[at + 1]) for at in range(0, len(below) - 1, 2)]
            self.levels.append(pairs + below[len(pairs) * 2 :])

    def inclusion(self, position: int) -> list[bytes]:
        """Return the proof that the leaf at this position is in the tree: the hashes beside its way to the root."""
        proof = []
        for level in self.levels[:-1]:
            beside = position ^ 1
            if beside < len(level):
                proof.append(level[beside])
            position >>= 1
        return proof

    def consistency(self, earlier: int) -> list[bytes]:
        """Return the proof that the first ``earlier`` leaves were a tree of their own before. Needs 0 < earlier."""
        size = len(self.levels[0])
        if earlier == size:
            return []
        proof, height, position = [], 0, earlier
        while not position & 1:  # the largest complete subtree at the end of the earlier tree
            position >>= 1
            height += 1
        if position > 1 or earlier != 1 << height:
            proof.append(self.levels[height][position - 1])
        position -= 1
        for level in self.levels[height:-1]:
            beside = position ^ 1
            if beside < len(level):
                proof.append(level[beside])
            position >>= 1
        return proof
