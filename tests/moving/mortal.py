"""``python -m tests.moving.mortal URL``: runs move_database again and again, and each run dies, as by kill -9.

First at each of MOMENTS in turn, then after each table in turn and within the large ones, then at each of ENDS in turn,
until a run comes to the end. Each run is a process of its own. Prints where each of them died.
"""

import os
import signal
import sys
from typing import Any

import django
from django.core.management import call_command

MOMENTS = [
    ("billing/moving/freezing.py", "freeze", "return"),
    ("billing/moving/mark.py", "put", "return"),
    ("billing/management/commands/migrate.py", "create_tables", "return"),
    ("django/core/management/commands/migrate.py", "handle", "return"),
    ("billing/moving/move.py", "_prepare", "return"),
]
TABLE = [("billing/moving/move.py", "_copy", "return"), ("billing/moving/move.py", "_copy_at_once", "return")]
THIRD_BATCH = [("billing/moving/rows.py", "write", "call")] * 3
ENDS = [
    ("billing/moving/sequences.py", "carry_over", "return"),
    ("billing/moving/move.py", "_compare", "return"),
    ("billing/moving/move.py", "_record", "return"),
    ("billing/moving/mark.py", "remove", "call"),
]


def run(url: str, deadly: list[tuple[str, str, str]]) -> str:
    """Run the command in a process that dies at the first of these places, or where one is given several times,
    when it comes there for the last of them. Returns the place, empty at the end.
    """
    sys.stdout.flush()
    reads, writes = os.pipe()
    child = os.fork()
    if not child:
        os.close(reads)
        _die_at(deadly, writes)
        call_command("move_database", to=url, reason="tests")
        sys.stdout.flush()
        os._exit(0)
    os.close(writes)
    with os.fdopen(reads) as told:
        place = told.read()
    status = os.waitpid(child, 0)[1]
    assert status == (signal.SIGKILL if place else 0), status
    print(f"died: {place}" if place else "came to the end")  # noqa: T201
    return place


def _die_at(deadly: list[tuple[str, str, str]], told: int) -> None:
    left = list(deadly)

    def watch(frame: Any, event: str, _: Any) -> None:
        code = frame.f_code
        for place in set(left):
            file, function, moment = place
            if event == moment and code.co_name == function and code.co_filename.endswith(file):
                left.remove(place)
                if place not in left:
                    sys.stdout.flush()
                    os.write(told, function.encode())
                    os.kill(os.getpid(), signal.SIGKILL)

    sys.setprofile(watch)


def main(url: str) -> None:
    django.setup()
    from billing.moving import rows

    rows.BATCH = 40
    for moment in MOMENTS:
        assert run(url, [moment])
    while run(url, [*TABLE, *THIRD_BATCH, ENDS[0]]) != ENDS[0][1]:
        continue
    for moment in ENDS[1:]:
        assert run(url, [moment])
    assert not run(url, [])


if __name__ == "__main__":
    main(*sys.argv[1:])
