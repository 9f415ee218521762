"""Checks that no migration on main was edited, renamed or removed: ``python -m tests.schema.kept [--add]``.

A database that ran a migration does not run it again, so an edit reaches only new databases. The digests of all
migrations are in billing/migrations/digests.txt; ``--add`` adds new ones. A digest can be edited too. So where git's
history is available, each file is also compared with the commit that first added it, and no later commit may have
changed it.
"""

import hashlib
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
FOLDER = "billing/migrations"
DIGESTS = f"{FOLDER}/digests.txt"
FIRST = Path(__file__).parent / "migrations"
ADD = "python -m tests.schema.kept --add"

EDITED = {
    "0006_payment_methods.py": "0005 was put before it (613a522); manage.py migrate applies 0005 where it was left out",
    "0008_adjustments.py": "0007 was put before it (613a522); manage.py migrate applies 0007 where it was left out",
    "0011_reconciliation.py": "the column seen_to was put into it (9b9ce05); 0013 adds it where it is missing",
    "0012_event_indexes.py": "the removal of event_claim was put into it (eb58e6f); 0013 removes it where it is left",
}
"""The edits before this check existed. The first versions are in tests/schema/migrations. Add no more."""


class NoHistory(Exception):
    """Git cannot say what was first committed. The text says why."""


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def migrations(root: Path) -> dict[str, bytes]:
    """Return the bytes of each migration by file name."""
    found = (root / FOLDER).glob("*.py")
    return {one.name: one.read_bytes() for one in sorted(found) if one.name != "__init__.py"}


def listed(root: Path) -> dict[str, str]:
    """Return the listed digest of each migration by file name. ``sha256sum -c`` can read the list too."""
    lines = (root / DIGESTS).read_text().splitlines()
    return {name: given for given, name in (line.split() for line in lines)}


def against_the_list(root: Path) -> list[str]:
    """Return what differs from the list, in sentences."""
    files, digests, wrong = migrations(root), listed(root), []
    for name in sorted(digests.keys() - files.keys()):
        wrong.append(f"{FOLDER}/{name} is gone. Bring it back: databases have it on record, and new ones run it.")
    for name in sorted(files.keys() - digests.keys()):
        wrong.append(f"{FOLDER}/{name} is not in {DIGESTS}. Once it is as it is to be on main, run: {ADD}")
    for name in sorted(files.keys() & digests.keys()):
        if digest(files[name]) == digests[name]:
            continue
        if digest(files[name].replace(b"\r\n", b"\n")) == digests[name]:
            wrong.append(
                f"{FOLDER}/{name} has other line endings, CRLF. Write it with LF; .gitattributes tells git to."
            )
        else:
            wrong.append(
                f"{FOLDER}/{name} was edited. A database that ran it does not run it again: undo the edit and write a "
                f"new migration. If it was never on main, take its line out of {DIGESTS} and run: {ADD}"
            )
    return wrong


def git(root: Path, *arguments: str) -> bytes:
    """Run git. Raises: NoHistory."""
    try:
        done = subprocess.run(["git", "-C", str(root), *arguments], capture_output=True, check=True)  # noqa: S607
    except FileNotFoundError:
        raise NoHistory("git is not installed") from None
    except subprocess.CalledProcessError as error:
        raise NoHistory(error.stderr.decode(errors="replace").strip().splitlines()[0]) from None
    return done.stdout


def versions(root: Path) -> dict[str, list[tuple[str, bytes]]]:
    """Return the versions of each migration that a commit ever added, the first version first.

    Migrations that are gone are included. A version is its commit and its bytes.

    Raises:
        NoHistory: there is none here, or the clone is shallow.
    """
    top = git(root, "rev-parse", "--show-toplevel").decode().strip()
    if Path(top).resolve() != root.resolve():
        raise NoHistory("this folder is no repository of its own")
    if git(root, "rev-parse", "--is-shallow-repository").strip() == b"true":
        raise NoHistory("the clone is shallow; git fetch --unshallow brings the rest")
    asked = ("log", "--reverse", "--no-renames", "--diff-filter=AM", "--format=commit %H", "--name-only")
    found: dict[str, list[tuple[str, bytes]]] = {}
    commit = ""
    for line in git(root, *asked, "--", FOLDER).decode().splitlines():
        if line.startswith("commit "):
            commit = line.removeprefix("commit ")
        name = line.removeprefix(f"{FOLDER}/")
        if name.endswith(".py") and name != "__init__.py":
            content, known = git(root, "cat-file", "blob", f"{commit}:{line}"), found.setdefault(name, [])
            if content not in [before for _, before in known]:
                known.append((commit[:7], content))
    return found


def against_history(root: Path, history: dict[str, list[tuple[str, bytes]]]) -> list[str]:
    """Return what differs from git's history, in sentences."""
    files, wrong = migrations(root), []
    for name, ((first, content), *edits) in history.items():
        if name not in files:
            wrong.append(f"{FOLDER}/{name}, which {first} added, is gone or has another name. Bring it back.")
            continue
        if name in EDITED and content != (FIRST / name).read_bytes():
            wrong.append(f"tests/schema/migrations/{name} is not what {first} added. Bring that back.")
        excused = 1 if name in EDITED else 0
        edited_by = [commit for commit, _ in edits[excused:]]
        right, kept = history[name][min(excused, len(edits))]
        if not edited_by and kept != files[name]:
            edited_by = ["what is not committed yet"]
        if edited_by:
            wrong.append(
                f"{FOLDER}/{name} was edited by {', '.join(edited_by)}. Bring back what {right} has, and write a new "
                f"migration. If {right} was never on main, make one commit of it and the edit."
            )
    return wrong


def add(root: Path) -> list[str]:
    """Add the migrations that are not in the list yet. Returns their names."""
    files, digests = migrations(root), listed(root)
    new = sorted(files.keys() - digests.keys())
    digests |= {name: digest(files[name]) for name in new}
    lines = [f"{digests[name]}  {name}\n" for name in sorted(digests)]
    (root / DIGESTS).write_bytes("".join(lines).encode())
    return new


def check(root: Path) -> tuple[list[str], str]:
    """Return what is wrong, in sentences, and what was checked."""
    wrong = against_the_list(root)
    told = f"{len(listed(root))} migrations held against {DIGESTS}"
    try:
        history = versions(root)
    except NoHistory as why:
        return wrong, f"{told}; NOT against git's history, which would show an edited list too: {why}."
    wrong += against_history(root, history)
    edited = "".join(f"\n  {name} was edited once: {why}." for name, why in EDITED.items() if name in history)
    return wrong, f"{told}, and {len(history)} against the commits that added them.{edited}"


def main(arguments: list[str], root: Path = ROOT) -> int:
    if arguments == ["--add"]:
        print(f"Added to {DIGESTS}: {', '.join(add(root)) or 'nothing'}")  # noqa: T201
        return 0
    wrong, told = check(root)
    print("\n".join([*wrong, told]))  # noqa: T201
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
