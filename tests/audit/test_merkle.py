"""The tree against RFC 9162's own definitions, which are recursive, and the known roots of certificate transparency."""

import hashlib

import pytest

from billing.audit.merkle import Levels, Tiles, Tree, leaf_hash, node_hash

# https://github.com/google/certificate-transparency (merkletree tests)
KNOWN = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
KNOWN_ROOT = "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"


def split(leaves):
    half = 1
    while half * 2 < len(leaves):
        half *= 2
    return leaves[:half], leaves[half:]


def root(leaves):
    """Section 2.1.1."""
    if len(leaves) < 2:
        return leaves[0] if leaves else hashlib.sha256(b"").digest()
    left, right = split(leaves)
    return node_hash(root(left), root(right))


def inclusion(position, leaves):
    """Section 2.1.3.1."""
    if len(leaves) == 1:
        return []
    left, right = split(leaves)
    if position < len(left):
        return [*inclusion(position, left), root(right)]
    return [*inclusion(position - len(left), right), root(left)]


def consistency(earlier, leaves, *, known=True):
    """Section 2.1.4.1."""
    if earlier == len(leaves):
        return [] if known else [root(leaves)]
    left, right = split(leaves)
    if earlier <= len(left):
        return [*consistency(earlier, left, known=known), root(right)]
    return [*consistency(earlier - len(left), right, known=False), root(left)]


LEAVES = [leaf_hash(str(number).encode()) for number in range(70)]


def test_the_known_root():
    tree = Tree()
    for leaf in KNOWN:
        tree.add(leaf_hash(bytes.fromhex(leaf)))

    assert tree.root().hex() == KNOWN_ROOT


def test_a_tree_without_leaves_has_the_root_of_nothing():
    # "The hash of an empty list is the hash of an empty string": https://www.rfc-editor.org/rfc/rfc9162#section-2.1.1
    nothing = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    for tree in (Tree(), Levels([]), Tiles(0, lambda height, begin, most: [])):
        assert tree.root().hex() == nothing


@pytest.mark.parametrize("size", range(len(LEAVES) + 1))
def test_a_tree_that_grew_has_the_root_of_the_definition(size):
    tree = Tree()
    for leaf in LEAVES[:size]:
        tree = Tree(tree.size, tree.peaks)  # as it is kept between two batches
        tree.add(leaf)

    assert tree.root() == root(LEAVES[:size])


@pytest.mark.parametrize("size", range(1, len(LEAVES) + 1))
def test_its_proofs_are_those_of_the_definition(size):
    leaves = LEAVES[:size]
    tree = Levels(leaves)

    for position in range(size):
        assert tree.inclusion(position) == inclusion(position, leaves)
    for earlier in range(1, size + 1):
        assert tree.consistency(earlier) == consistency(earlier, leaves)


def nodes_of(leaves):
    """Return how the complete nodes of these leaves are read, and the list that notes each reading."""
    seen = []

    def read(height, begin, most):
        seen.append((height, begin, most))
        width = 1 << height
        return [root(leaves[at * width : (at + 1) * width]) for at in range(begin, begin + most)]

    return read, seen


@pytest.mark.parametrize("size", [1, 2, 255, 256, 257, 300, 511, 512, 513, 770, 1_025])
def test_a_tree_that_is_read_by_tiles_proves_the_same(size):
    leaves = [leaf_hash(str(number).encode()) for number in range(size)]
    whole, tiles = Levels(leaves), Tiles(size, nodes_of(leaves)[0])

    assert tiles.root() == whole.levels[-1][0]
    for position in {0, size // 3, size // 2, size - 2, size - 1} - {-1}:
        assert tiles.inclusion(position) == whole.inclusion(position) == inclusion(position, leaves)
    for earlier in {1, 2, 255, 256, 257, 511, 512, size - 1, size} & set(range(1, size + 1)):
        assert tiles.consistency(earlier) == whole.consistency(earlier)


@pytest.mark.parametrize("size", [65_535, 65_536, 65_537, 66_050, 131_333])
def test_of_a_large_tree_a_proof_reads_a_few_tiles(size):
    leaves = [number.to_bytes(32, "big") for number in range(size)]
    whole = Levels(leaves)
    seen = []

    def read(height, begin, most):
        seen.append(most)
        return [whole.node(height, at) for at in range(begin, begin + most)]

    for position in (0, 255, 256, size // 2, 65_534, size - 1):
        tiles = Tiles(size, read)
        seen.clear()
        assert tiles.inclusion(position) == whole.inclusion(position)
        assert tiles.root() == whole.root()
        assert sum(seen) <= 5 * 256
    for earlier in (1, 255, 256, 257, 32_768, 65_535, size - 1):
        assert Tiles(size, read).consistency(earlier) == whole.consistency(earlier)


def test_a_tree_that_grew_names_the_tiles_that_became_full():
    leaves = [number.to_bytes(32, "big") for number in range(66_000)]
    whole, tree = Levels(leaves), Tree()
    for leaf in leaves:
        tree.add(leaf)

    assert [(height, place) for height, place, _ in tree.filled if height > 8] == [(16, 0)]
    assert [place for height, place, _ in tree.filled if height == 8] == list(range(66_000 // 256))
    assert all(node == whole.node(height, place) for height, place, node in tree.filled)
