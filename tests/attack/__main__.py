"""Attack the product while it works, and count what came of it: ``python -m tests.attack FORM [SECONDS]``.

FORM is ``postgresql``, ``libsql-server``, ``file`` or ``encrypted``. The product runs as several web servers and
workers beside a local Stripe. Stripe renews subscriptions and sends events, while people ask for charges. Meanwhile
one process is killed every few seconds, and the database is attacked in the ways that its form knows. Afterwards
everything is counted at the local Stripe and in the database. It fails where something was lost or done twice, or
where a person was shown an error that is not one of ours.
"""

import contextlib
import os
import random
import signal
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx

from demo.seed_names import STAFF
from tests.attack import databases
from tests.attack.load import Load
from tests.attack.stack import Attacked

KILL_EVERY = (2.0, 5.0)
DRAIN_SECONDS = 180
KEY = "0123456789abcdef" * 4
ATTACKED_OFFICES = 6
SHOWN = {"201", "400", "402", "403", "404", "409", "422", "429", "503", "cut"}
"""What a person may be answered. 502 and 500 are missing."""


def main() -> int:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    form, seconds = sys.argv[1], float(sys.argv[2]) if len(sys.argv) > 2 else 120
    with tempfile.TemporaryDirectory(prefix="attack-") as folder, database(form, Path(folder)) as (url, attacks):
        webs, workers = (4, 4) if form == "postgresql" else (2, 2)
        stack = Attacked(Path(folder) / "stack", url, webs=webs, workers=workers)
        stack.environment["DATABASE_KEY"] = KEY if form == "encrypted" else ""
        stack.environment["STRIPE_REQUESTS_PER_SECOND"] = "200"
        os.environ.update(stack.environment | {"DJANGO_SETTINGS_MODULE": "config.settings"})
        try:
            return attacked(stack, attacks, form, seconds)
        finally:
            stack.stop()


@contextlib.contextmanager
def database(form: str, folder: Path) -> Iterator[tuple[str, list[tuple[str, float, Callable[[], Any]]]]]:
    """Yield the address, and the attacks: what it is, after which part of the time it begins, and what does it."""
    if form == "postgresql":
        with databases.cluster() as cluster:
            cutting = threading.Event()
            name = {"primary": "primary"}

            def cut_each_second() -> None:
                while not cutting.wait(1):
                    with contextlib.suppress(Exception):
                        cluster.cut(name["primary"])

            def read_only() -> None:
                cluster.read_only(True)
                time.sleep(20)
                cluster.read_only(False)

            def fail_over() -> None:
                cluster.fail_over()
                name["primary"] = "standby"

            yield (
                cluster.url,
                [
                    (
                        "connections cut each second",
                        0,
                        lambda: threading.Thread(target=cut_each_second, daemon=True).start(),
                    ),
                    ("read-only for 20 s", 0.4, read_only),
                    ("primary killed, standby promoted", 0.75, fail_over),
                    ("no more cuts", 1, cutting.set),
                ],
            )
    elif form == "libsql-server":
        with databases.libsql_server() as server:
            kill = ("server killed, away for 3 s", lambda: databases.kill_and_restart(server, away_seconds=3))
            yield server.url, [(kill[0], 0.3, kill[1]), (kill[0], 0.7, kill[1])]
    else:
        yield f"libsql:///{folder / 'attacked.db'}", []


def attacked(stack: Attacked, attacks: list[tuple[str, float, Callable[[], Any]]], form: str, seconds: float) -> int:
    stack.start_stripe()
    stack.manage("migrate", "--verbosity=0")
    stack.manage("setup_stripe")
    stack.start_all()
    pump = Load(stack.site, stack.stripe, "", [])
    pumping = threading.Thread(target=pump._send_events, daemon=True)
    pumping.start()
    stack.seed()
    pump.ended.set()
    pumping.join()

    import django

    django.setup()
    load = Load(stack.site, stack.stripe, token(stack), offices())
    threads = load.start()
    kills = threading.Event()
    killer = threading.Thread(target=keep_killing, args=(stack, kills), daemon=True)
    killer.start()
    began, done = time.monotonic(), []
    for what, part, attack in sorted(attacks, key=lambda one: one[1]):
        time.sleep(max(0, began + part * seconds - time.monotonic()))
        attack()
        done.append(f"{what} (at {time.monotonic() - began:.0f} s)")
    time.sleep(max(0, began + seconds - time.monotonic()))
    kills.set()
    killer.join()
    load.no_more.set()
    for thread in threads[1:]:
        thread.join()
    load.ended.set()
    threads[0].join()
    drained = drain(stack)
    return report(stack, load, form, seconds, done, drained)


def keep_killing(stack: Attacked, ended: threading.Event) -> None:
    while not ended.wait(random.uniform(*KILL_EVERY)):
        stack.kill_one()


def token(stack: Attacked) -> str:
    given = {"email": STAFF, "password": stack.environment["DEMO_PASSWORD"]}
    answer = httpx.post(f"{stack.site}/api/v1/auth/token/", json=given, timeout=30)
    return str(answer.raise_for_status().json()["token"])


def offices() -> list[str]:
    from billing.models import Office
    from billing.models.statuses import SubscriptionStatus

    live = Office.objects.filter(subscription_status=SubscriptionStatus.ACTIVE)
    return [str(one.public_id) for one in live.order_by("pk")[:ATTACKED_OFFICES]]


def drain(stack: Attacked) -> float:
    """Wait until the workers have settled everything. Returns the seconds that it took."""
    from django.db import connections

    from billing.models import Operation, ReceivedEvent

    began = time.monotonic()
    while time.monotonic() - began < DRAIN_SECONDS:
        with contextlib.suppress(Exception):
            connections.close_all()
            unsettled = Operation.objects.filter(status__in=Operation.UNSETTLED).exists()
            if not unsettled and not ReceivedEvent.objects.filter(status="waiting").exists():
                break
        time.sleep(0.5)
    return time.monotonic() - began


def report(stack: Attacked, load: Load, form: str, seconds: float, done: list[str], drained: float) -> int:
    from django.db import connections

    from billing.models import Operation, ReceivedEvent

    connections.close_all()
    rows = Counter(ReceivedEvent.objects.values_list("stripe_id", flat=True))
    at_stripe = amounts_charged(stack, set(load.charged))
    unsettled = Operation.objects.filter(status__in=Operation.UNSETTLED).count()
    lost = {
        "events acknowledged and not kept": len(load.acknowledged - set(rows)),
        "events kept twice": sum(count > 1 for count in rows.values()),
        "events that still wait": ReceivedEvent.objects.filter(status="waiting").count(),
        "events parked": ReceivedEvent.objects.filter(status="parked").count(),
        "operations unsettled": unsettled,
        "charges answered 201 and not at Stripe": sum(
            said and not at_stripe[amount] for amount, said in load.charged.items()
        ),
        "charges made twice": sum(count > 1 for count in at_stripe.values()),
        "answers that a person should not see": sum(
            count for status, count in load.requests.items() if status not in SHOWN
        ),
        "rows that differ from Stripe": differences(stack),
    }
    print(
        f"\n{form}: {seconds:.0f} s, {len(stack.ports)} web, {len(stack.workers)} workers, "
        f"{stack.killed} processes killed; {'; '.join(done) or 'nothing done to the database'}"
    )
    print(f"events: {len(load.acknowledged)} delivered and kept, answers {dict(load.events)}")
    print(
        f"charges: {sum(load.charged.values())} of {len(load.charged)} asked for, answers {dict(load.requests)}, "
        f"refused {dict(load.refused)}"
    )
    print(f"everything was settled {drained:.1f} s after the end")
    for what, count in lost.items():
        print(f"{what}: {count}")
    return min(sum(lost.values()), 1)


def amounts_charged(stack: Attacked, asked: set[int]) -> Counter[int]:
    """Return how many succeeded charges there are at Stripe of each amount that was asked for.

    Renewals of the seeded subscriptions have other amounts than these, and repeat them.
    """
    found: Counter[int] = Counter()
    headers = {"Authorization": f"Bearer {stack.environment['STRIPE_SECRET_KEY']}"}
    params: dict[str, Any] = {"limit": 100}
    while True:
        page = httpx.get(f"{stack.stripe}/v1/charges", params=params, headers=headers, timeout=30).json()
        found.update(one["amount"] for one in page["data"] if one["status"] == "succeeded")
        if not page["has_more"]:
            return Counter({amount: count for amount, count in found.items() if amount in asked})
        params["starting_after"] = page["data"][-1]["id"]


def differences(stack: Attacked) -> int:
    """Compare everything with Stripe, and return how much differed from our rows."""
    stack.manage("reconcile", "--full")
    from billing.models import Reconciliation

    return int(Reconciliation.objects.latest("began_at").counts.get("drifted", 0))


if __name__ == "__main__":
    sys.exit(main())
