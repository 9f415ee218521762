"""Measures exporting a small part of a large trail: ``python -m tests.benchmarks.export_audit``.

The trail is made as ``verify_audit`` makes it, and then an Office with a hundred entries of its own. Its export is
timed to its first byte and to its end: first with no stored tile, as after an upgrade, then with all of them. Processor
time counts, because others may use the machine.
BENCH_ENTRIES is how many entries the trail has. BENCH_POSTGRES_URL measures on PostgreSQL too.
"""

import itertools
import time

from tests.benchmarks import stage, verify_audit

OWN = 100
GOAL_FIRST_BYTE = 0.2
GOAL_ALL = 2.0


def main() -> None:
    stage.on_each_database(measure)


def measure() -> None:
    stage.set_up()
    from billing import sealing
    from billing.audit import actor, trail
    from billing.models import Office, SealedTile

    print(f"{stage.machine()}\n{verify_audit.ENTRIES:,} entries", flush=True)
    verify_audit.made()
    with trail.acting(actor.job("benchmark"), reason="benchmark"):
        office = Office.objects.create(name="Oak Street Practice", billing_email="billing@oak.example")
        for number in range(OWN - 1):
            trail.record_act(office, f"act {number}")
    sealing.seal()
    SealedTile.objects.all().delete()
    first, whole = timed(office)
    print(f"with no tile stored: first byte {first:.2f} s, all {whole:.2f} s", flush=True)
    began = time.process_time()
    while sealing.seal():
        pass
    print(f"{SealedTile.objects.count():,} tiles stored in {time.process_time() - began:.2f} s", flush=True)
    first, whole = timed(office)
    stage.verdict("processor time to the first byte", first, GOAL_FIRST_BYTE, least=False, unit=" s")
    stage.verdict(f"processor time of an export of {OWN} entries", whole, GOAL_ALL, least=False, unit=" s")


def timed(office) -> tuple[float, float]:
    """Return the seconds of processor time to the first line and to the end."""
    from billing.audit import actor
    from billing.audit.export import Export, Which

    began = time.process_time()
    lines = Export(Which(office), by=actor.job("benchmark"), reason="benchmark").lines()
    next(lines)
    first = time.process_time() - began
    count = sum(1 for _ in itertools.islice(lines, 10 * OWN))
    if count < OWN:
        stage.void(f"{count} lines")
    return first, time.process_time() - began


if __name__ == "__main__":
    main()
