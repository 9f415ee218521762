"""Measures verifying the audit trail: ``python -m tests.benchmarks.verify_audit``.

A trail of a million entries is made: the product writes three entries (an Office is added, its address is changed, an
act), SQL copies them in turn, each with a nonce of its own, and the marks, places and seals are calculated here as the
product does. Then everything is verified in this process, as ``manage.py verify_audit`` does. Processor time counts,
because others may use the machine. What the memory grew by between a tenth and all of the entries must stay small.
Afterwards one entry is changed, and must be found.
BENCH_ENTRIES is how many entries there are. BENCH_POSTGRES_URL measures on PostgreSQL too.
"""

import os
import resource
import time
from typing import Any

from tests.benchmarks import stage

ENTRIES = int(os.environ.get("BENCH_ENTRIES", "1000000"))
AT_ONCE = 20_000
GOAL_SECONDS = 60.0
GOAL_MEGABYTES = 50.0


def main() -> None:
    stage.on_each_database(measure)


def measure() -> None:
    stage.set_up()
    from django.db import connection

    print(f"{stage.machine()}\n{ENTRIES:,} entries", flush=True)
    began = time.monotonic()
    made()
    print(f"made in {time.monotonic() - began:.0f} s", flush=True)
    connection.close()
    found, memory, began, used = verified()
    wall = time.monotonic() - began
    used = time.process_time() - used
    if not found.is_whole or found.entries < ENTRIES:
        stage.void(f"{found.entries:,} entries, {found.faults[:3]}")
    print(f"{found.entries:,} entries and {found.seals:,} seals in {wall:.1f} s by the clock", flush=True)
    stage.verdict("processor time of this process", used, GOAL_SECONDS, least=False, unit=" s")
    stage.verdict("memory that came after a tenth", memory, GOAL_MEGABYTES, least=False, unit=" MB")
    forged()


def verified() -> tuple[Any, float, float, float]:
    """Return what was found, how many megabytes came after a tenth of the entries, and when it began on both clocks."""
    from billing.audit import verify

    at_a_tenth: list[int] = []

    def tell(done: int, of: int) -> None:
        if done * 10 >= of and not at_a_tenth:
            at_a_tenth.append(peak())

    began, used = time.monotonic(), time.process_time()
    found = verify.verify(tell=tell)
    return found, (peak() - at_a_tenth[0]) / 1024, began, used


def peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def made() -> None:
    """Make the trail: rows by the thousand, each with its own nonce and mark."""
    from django.db import connection, transaction
    from django.db.models import QuerySet

    from billing import clock
    from billing.audit import actor, append_only, keys, leaves, seals, tiles, trail
    from billing.audit.merkle import Tree, leaf_hash
    from billing.models import AuditEntry, AuditSeal, Office, SealedEntry

    with trail.acting(actor.job("benchmark"), reason="benchmark"):
        office = Office.objects.create(name="Maple Street Family Practice", billing_email="billing@maple.example")
        office.billing_email = "accounts@maple.example"
        office.save()
        trail.record_act(office, "thought of it")
    with connection.cursor() as cursor:
        for done in range(0, ENTRIES - 3, AT_ONCE):
            cursor.execute(copying(connection, min(AT_ONCE, ENTRIES - 3 - done)))
    names = ["pk", *leaves.COLUMNS]
    tree, number, after = Tree(), 0, 0

    while rows := list(AuditEntry.objects.order_by("pk").filter(pk__gt=after).values_list(*names)[:AT_ONCE]):
        after = rows[-1][0]
        hashes, marks = [], []
        for pk, *values in rows:
            leaf = leaves.leaf(values)
            hashes.append(leaf_hash(leaf))
            marks.append((leaves.mac_of(leaf), pk))
        with append_only.lifted(connection), connection.cursor() as cursor:
            cursor.executemany("UPDATE billing_auditentry SET mac = %s WHERE id = %s", marks)
        with transaction.atomic():
            pairs = list(zip(rows, hashes, strict=True))
            for begin in range(0, len(rows), seals.MOST_TOGETHER):
                part = pairs[begin : begin + seals.MOST_TOGETHER]
                number, places = number + 1, []
                for (pk, *_), one in part:
                    places.append((tree.size, pk, one.hex()))
                    tree.add(one)
                now, root = clock.wall(), tree.root().hex()
                key, signature = keys.sign(seals.message(number=number, size=tree.size, root=root, sealed_at=now))
                made = AuditSeal.objects.create(
                    number=number,
                    size=tree.size,
                    root=root,
                    peaks=[peak.hex() for peak in tree.peaks],
                    highest_entry=part[-1][0][0],
                    sealed_at=now,
                    key=key,
                    signature=signature,
                )
                QuerySet(SealedEntry).bulk_create(
                    SealedEntry(position=at, entry=pk, seal=made, leaf=leaf) for at, pk, leaf in places
                )
                tiles.store(tree.filled)
                tree.filled = []


def copying(connection: Any, count: int) -> str:
    """Return SQL that copies the first three entries in turn, so many in all, each with another nonce."""
    sqlite = connection.vendor == "sqlite"
    with connection.cursor() as cursor:
        columns = [one.name for one in connection.introspection.get_table_description(cursor, "billing_auditentry")]
    other = {"nonce": "lower(hex(randomblob(16)))" if sqlite else "gen_random_uuid()"}
    values = {name: other.get(name, name) for name in columns if name != "id"}
    numbers = (
        f"WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers LIMIT {count})"
        if sqlite
        else f"WITH numbers(n) AS (SELECT generate_series(1, {count}))"
    )
    return (
        f"INSERT INTO billing_auditentry ({', '.join(values)}) {numbers} SELECT {', '.join(values.values())} "
        "FROM numbers JOIN (SELECT * FROM billing_auditentry ORDER BY id LIMIT 3) AS first ON first.id % 3 = n % 3"
    )


def forged() -> None:
    """Change one entry near the end, and look whether it is found."""
    from billing.audit import verify
    from billing.models import AuditEntry, SealedEntry
    from tests.append_only import rewrite

    number = SealedEntry.objects.get(position=ENTRIES - 10).entry
    rewrite(AuditEntry.objects.filter(pk=number), reason="forged")
    if [fault.entry for fault in verify.verify(after=1).faults] != [number]:
        stage.void("a changed entry was not found")


if __name__ == "__main__":
    main()
