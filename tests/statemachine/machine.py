"""The machine that hypothesis drives: operations, time, faults and deliveries, in any order."""

import contextlib
import sys
from collections import Counter
from datetime import timedelta
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from tests.conftest import LocalStripe, rolled_back
from tests.statemachine import rules
from tests.statemachine.stage import OFFICES, Stage

WHICH = st.integers(0, OFFICES - 1)
LENGTHS = st.sampled_from([timedelta(hours=1), timedelta(hours=24), timedelta(days=4), timedelta(days=15)])
LONGER = st.sampled_from([timedelta(days=32), timedelta(days=40)])
FEW = st.integers(1, 6)
TROUBLE = st.fixed_dictionaries(
    {
        "kind": st.sampled_from(["503", "drop_after", "500_after", "429"]),
        "method": st.sampled_from(["POST", "POST", "GET", "DELETE"]),
        "path_prefix": st.sampled_from(
            ["/v1/", "/v1/customers", "/v1/subscriptions", "/v1/invoices", "/v1/payment_methods", "/v1/charges"]
        ),
        "next": st.integers(1, 2),
    }
)


class Machine(RuleBasedStateMachine):
    stripe: LocalStripe
    counted: Counter[str]

    def __init__(self) -> None:
        super().__init__()
        self.around = contextlib.ExitStack()
        self.around.enter_context(rolled_back())
        self.steps = 0

    @initialize(
        chance=st.integers(0, 2**32),
        subscribed=st.sampled_from([True, True, False]),
        owing=st.booleans(),
        told=st.booleans(),
    )
    def begin(self, chance: int, subscribed: bool, owing: bool, told: bool) -> None:
        self.stage = Stage(self.stripe, self.counted, seed=chance)
        if subscribed:
            for office, code in zip(self.stage.offices, ("seats-monthly", "practice-monthly"), strict=True):
                given = {"code": code, "seats": 2, "trial_days": 0, "card": "pm_card_visa"}
                self.stage.ask(rules.start, office, given)
        if subscribed and owing:
            for office in self.stage.offices:
                self.stage.ask(rules.charge_once, office, {"amount": 7_000, "days": 14})
                self.stage.happens(rules.another_card, office, {"card": "pm_card_visa"})
        if told:
            self.stage.all_is_told()

    @rule(length=LENGTHS | LONGER)
    def time_passes(self, length: timedelta) -> None:
        self.stage.passes(length)

    @rule(trouble=TROUBLE)
    def stripe_will_fail(self, trouble: dict[str, Any]) -> None:
        self.stripe.control("faults", **trouble)

    @rule(how_many=FEW, twice=st.booleans(), order=st.integers(0, 99), then_work=st.booleans())
    def events_come(self, how_many: int, twice: bool, order: int, then_work: bool) -> None:
        self.stage.deliver(self.stage.stripe.taken(limit=how_many, duplicate=twice, shuffle_seed=order))
        if then_work:
            self.stage.work()

    @rule(how_many=FEW)
    def events_are_late(self, how_many: int) -> None:
        self.stage.late += self.stripe.taken(limit=how_many)

    @rule(how_many=FEW)
    def events_are_lost(self, how_many: int) -> None:
        self.stage.something_was_lost |= bool(self.stripe.taken(limit=how_many))

    @rule()
    def events_are_worked_off(self) -> None:
        self.stage.work()

    @rule(after_a_day=st.booleans(), trouble=st.none() | TROUBLE)
    def a_worker_resumes(self, after_a_day: bool, trouble: dict[str, Any] | None) -> None:
        if after_a_day:
            self.stage.a_day_without_worker()
        if trouble:
            self.stripe.control("faults", **trouble)
        self.stage.resume()

    @rule()
    def all_comes_to_rest(self) -> None:
        self.stage.come_to_rest()

    def check_invariants(self, *args: Any, **kwargs: Any) -> None:
        """Count the step. Hypothesis calls this after each step."""
        self.counted["steps"] += 1
        super().check_invariants(*args, **kwargs)

    def teardown(self) -> None:
        """Come to rest at the end. If a step failed, only that failure is reported."""
        try:
            if sys.exc_info()[0] is None:
                self.stage.come_to_rest()
                self.counted["examples"] += 1
        finally:
            self.around.close()


def _asked(act: rules.Act, given: dict[str, Any]) -> Any:
    def run(self: Machine, which: int, trouble: dict[str, Any] | None, **drawn: Any) -> None:
        if trouble:
            self.stripe.control("faults", **trouble)
        self.stage.ask(act, self.stage.offices[which], drawn)

    run.__name__ = act.__name__
    return rule(which=WHICH, trouble=st.none() | TROUBLE, **given)(run)


def _at_stripe(act: rules.Act, given: dict[str, Any]) -> Any:
    def run(self: Machine, which: int, **drawn: Any) -> None:
        self.stage.happens(act, self.stage.offices[which], drawn)

    run.__name__ = act.__name__
    return rule(which=WHICH, **given)(run)


for name, (act, given) in rules.ASKED.items():
    setattr(Machine, name, _asked(act, given))
for name, (act, given) in rules.AT_STRIPE.items():
    setattr(Machine, name, _at_stripe(act, given))


def machine_at(stripe: LocalStripe, counted: Counter[str]) -> type[Machine]:
    return type("OfficesAndStripe", (Machine,), {"stripe": stripe, "counted": counted})
