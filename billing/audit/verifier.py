"""Verifies an export of the audit trail. It needs Python 3.9 or newer, this file and the export, and no secret.

    python verify.py EXPORT --key PUBLIC_KEY [--earlier-head HEAD.json]

EXPORT is a zip, or lines of JSON. PUBLIC_KEY is the public key of the seals in hexadecimal. Take it from the people who
run the software, by another way than the export. HEAD.json is a signed head that you kept from before: then it is shown
too that nothing of what you saw then was changed or removed. The rules: RFC 9162 (section 2.1) for the tree, RFC 8032
(section 5.1) for the signature.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import json
import sys
import zipfile
from pathlib import Path
from typing import Any

Point = Any  # four integers: a point of the curve in extended coordinates
P = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
ROOT_OF_MINUS_ONE = pow(2, (P - 1) // 4, P)


class Wrong(Exception):
    """The export does not show what it says."""


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Verify an export of the audit trail.")
    parser.add_argument("export")
    parser.add_argument("--key", required=True, help="the public key, 64 hexadecimal digits")
    parser.add_argument("--earlier-head", help="a file with a signed head that you kept")
    given = parser.parse_args(arguments)
    try:
        earlier = json.loads(Path(given.earlier_head).read_text()) if given.earlier_head else None
        told = verify(given.export, bytes.fromhex(given.key), earlier)
    except (Wrong, OSError, KeyError, TypeError, ValueError, zipfile.BadZipFile) as error:
        say(f"NOT VERIFIED: {error}")
        return 1
    say(told)
    return 0


def say(text: str) -> None:
    sys.stdout.write(text + "\n")


def verify(path: str, key: bytes, earlier: dict[str, Any] | None = None) -> str:
    """Return what was verified, in words. Raises: Wrong."""
    count = waiting = hidden = 0
    with contextlib.ExitStack() as stack:
        proof, lines = opened(path, stack)
        head = proof["head"]
        if head is None:
            raise Wrong("nothing was sealed yet when it was made")
        check_head(head, key)
        root, size = bytes.fromhex(head["root"]), head["size"]
        for line in lines:
            one = json.loads(line)
            if "entry" not in one:  # the last line of an export as lines
                proof.update(one)
                continue
            if one["position"] is None:
                waiting += 1
                continue
            hidden += "leaf" not in one
            hashed = leaf_hash(one["leaf"].encode()) if "leaf" in one else bytes.fromhex(one["hash"])
            path_hashes = [bytes.fromhex(each) for each in one["proof"]]
            if root_from(hashed, one["position"], size, path_hashes) != root:
                raise Wrong(f"entry {one['entry']} is not in the sealed trail as it stands here")
            count += 1
    if "sealed" not in proof:
        raise Wrong("its end is missing")
    if (count, waiting) != (proof["sealed"], proof["waiting"]):
        raise Wrong(f"the export says {proof['sealed']} sealed entries and has {count}")
    told = f"VERIFIED: {count} entries are in the trail that was sealed at {head['sealed_at']} ({size} entries)."
    if hidden:
        told += f" Of {hidden} of them it has the hash only."
    if waiting:
        told += f" {waiting} newer entries were not sealed yet when it was made."
    if earlier:
        check_head(earlier, key)
        hashes = [bytes.fromhex(each) for each in proof["consistency"].get(str(earlier["size"]), [])]
        check_consistency(bytes.fromhex(earlier["root"]), earlier["size"], root, size, hashes)
        told += f" Nothing of the {earlier['size']} entries of {earlier['sealed_at']} was changed since."
    return told


def opened(path: str, stack: contextlib.ExitStack) -> tuple[dict[str, Any], Any]:
    """Return the proof, and the lines of the entries, of an export as a zip or as lines."""
    if zipfile.is_zipfile(path):
        export = stack.enter_context(zipfile.ZipFile(path))
        return json.loads(export.read("proof.json")), stack.enter_context(export.open("entries.jsonl"))
    plain = stack.enter_context(open(path, "rb"))  # noqa: SIM115  the stack closes it
    return json.loads(plain.readline()), plain


def check_head(head: dict[str, Any], key: bytes) -> None:
    said = {name: head[name] for name in ("head", "number", "size", "root", "sealed_at")}
    message = json.dumps(said, sort_keys=True, separators=(",", ":")).encode()
    if not is_signed(key, message, bytes.fromhex(head["signature"])):
        raise Wrong(f"the head of {head['sealed_at']} is not signed with this key")


def leaf_hash(leaf: bytes) -> bytes:
    return hashlib.sha256(b"\0" + leaf).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\1" + left + right).digest()


def root_from(hashed: bytes, position: int, size: int, proof: list[bytes]) -> bytes:
    """Return the root that a leaf at this position leads to (RFC 9162, section 2.1.3.2), or b"" if it cannot."""
    last = size - 1
    if position > last:
        return b""
    for beside in proof:
        if last == 0:
            return b""
        if position & 1 or position == last:
            hashed = node_hash(beside, hashed)
            while not position & 1 and position:
                position >>= 1
                last >>= 1
        else:
            hashed = node_hash(hashed, beside)
        position >>= 1
        last >>= 1
    return hashed if last == 0 else b""


def check_consistency(first_root: bytes, first: int, second_root: bytes, second: int, proof: list[bytes]) -> None:
    """Check that the tree of ``first`` leaves is the beginning of that of ``second`` (RFC 9162, section 2.1.4.2)."""
    wrong = Wrong("the trail is not a continuation of the head that you kept")
    if first == second and first_root == second_root and not proof:
        return
    if not 0 < first < second or not proof:
        raise wrong
    if first & (first - 1) == 0:
        proof = [first_root, *proof]
    one, other = first - 1, second - 1
    while one & 1:
        one >>= 1
        other >>= 1
    earlier = later = proof[0]
    for each in proof[1:]:
        if other == 0:
            raise wrong
        if one & 1 or one == other:
            earlier, later = node_hash(each, earlier), node_hash(each, later)
            while not one & 1 and one:
                one >>= 1
                other >>= 1
        else:
            later = node_hash(later, each)
        one >>= 1
        other >>= 1
    if earlier != first_root or later != second_root or other != 0:
        raise wrong


def is_signed(key: bytes, message: bytes, signature: bytes) -> bool:
    """Return whether this is the Ed25519 signature of the message (RFC 8032, section 5.1.7)."""
    if len(key) != 32 or len(signature) != 64:
        return False
    public, point = decoded(key), decoded(signature[:32])
    scalar = int.from_bytes(signature[32:], "little")
    if public is None or point is None or scalar >= ORDER:
        return False
    digest = int.from_bytes(hashlib.sha512(signature[:32] + key + message).digest(), "little") % ORDER
    left, right = times(scalar, BASE), added(point, times(digest, public))
    return (left[0] * right[2] - right[0] * left[2]) % P == 0 and (left[1] * right[2] - right[1] * left[2]) % P == 0


def added(one: Point, other: Point) -> Point:
    """Add two points of the curve, in extended coordinates (RFC 8032, section 5.1.4)."""
    a, b = (one[1] - one[0]) * (other[1] - other[0]) % P, (one[1] + one[0]) * (other[1] + other[0]) % P
    c, d = 2 * one[3] * other[3] * D % P, 2 * one[2] * other[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % P, g * h % P, f * g % P, e * h % P


def times(scalar: int, point: Point) -> Point:
    total = (0, 1, 1, 0)
    while scalar:
        if scalar & 1:
            total = added(total, point)
        point = added(point, point)
        scalar >>= 1
    return total


def decoded(given: bytes) -> Point:
    """Return the point that these 32 bytes stand for, or None (RFC 8032, section 5.1.3)."""
    y = int.from_bytes(given, "little")
    sign, y = y >> 255, y & (2**255 - 1)
    if y >= P:
        return None
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * ROOT_OF_MINUS_ONE % P
    if (x * x - square) % P or (x == 0 and sign):
        return None
    if x & 1 != sign:
        x = P - x
    return x, y, 1, x * y % P


BASE = decoded((4 * pow(5, P - 2, P) % P).to_bytes(32, "little"))

if __name__ == "__main__":
    sys.exit(main())
