"""Whatever happens in whatever order: once everything is told and settled, our rows equal Stripe's.

STATE_MACHINE_SEED, _RUNS, _EXAMPLES and _STEPS say how much is tried; run number n has the seed plus n. The same
seed tries the same again; with STATE_MACHINE_SHRINK=1 a failure is made shorter, which takes minutes. ``make soak``
does it at length with a new seed. The rules are in ``tests.statemachine``.
"""

import json
import os
from collections import Counter

import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.statemachine.machine import machine_at

FIRST = int(os.environ.get("STATE_MACHINE_SEED", "1"))
SEEDS = range(FIRST, FIRST + int(os.environ.get("STATE_MACHINE_RUNS", "2")))
EXAMPLES = int(os.environ.get("STATE_MACHINE_EXAMPLES", "15"))
PHASES = [Phase.generate, *([Phase.shrink] if os.environ.get("STATE_MACHINE_SHRINK") else [])]
STEPS = int(os.environ.get("STATE_MACHINE_STEPS", "20"))


@pytest.mark.parametrize("chosen", SEEDS, ids="seed-{}".format)
def test_at_rest_our_rows_equal_stripes(empty_stripe, record_property, chosen):
    counted: Counter[str] = Counter()
    machine = machine_at(empty_stripe, counted)
    print(f"again: STATE_MACHINE_SEED={chosen} STATE_MACHINE_RUNS=1 STATE_MACHINE_EXAMPLES={EXAMPLES}")  # noqa: T201
    try:
        run_state_machine_as_test(
            seed(chosen)(machine),
            settings=settings(
                max_examples=EXAMPLES,
                stateful_step_count=STEPS,
                deadline=None,
                database=None,  # the seed alone decides
                phases=PHASES,
                suppress_health_check=list(HealthCheck),
                print_blob=False,
            ),
        )
    finally:
        record_property("counted", json.dumps(counted))
