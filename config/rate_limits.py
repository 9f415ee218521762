"""The table of limits: how often one caller may ask, and where that is counted. RATE_LIMITS changes a rate.

| counted | | if the database cannot be used |
|---|---|---|
| exactly | in the database, over all web processes | 503 within two seconds; what only reads is counted by share |
| by share | in the memory of each process, which lets through its share of the rate: no SQL | not concerned |

A caller is a service or a person, whatever network they come from, and a network where nobody is signed in. Only
signing in counts the network whoever it is. billing/limits/addresses.py says which limit an address has.
"""

import re
from dataclasses import dataclass, replace

from config.variables.kinds import Kind, Wrong

UNITS = {"second": 1, "minute": 60, "hour": 3_600}
RATE = re.compile(r"([1-9]\d{0,6})/(second|minute|hour)")


@dataclass(frozen=True, slots=True)
class RateLimit:
    """``times`` in ``seconds``, beginning with a caller's first request. ``exact``: over all web processes."""

    name: str
    times: int
    seconds: int
    exact: bool
    says: str

    def share(self, processes: int) -> int:
        """Return how many one web process lets through."""
        return max(1, self.times // processes)


DEFAULTS = {
    one.name: one
    for one in (
        RateLimit("sign-in", 10, 60, True, "signing in, from one network"),
        RateLimit("operations", 60, 60, True, "whatever changes something"),
        RateLimit("at-stripe", 20, 60, True, "previews, trying a discount's code, and reading what only Stripe knows"),
        RateLimit(
            "exports", 4, 60, True, "exporting the audit trail, a list or the journal: it reads all rows that there are"
        ),
        RateLimit("entitlement", 6_000, 60, False, "asking whether an Office may use the product, as a person"),
        RateLimit("services", 6_000, 60, False, "whatever a service reads, beside what only Stripe knows"),
        RateLimit("reads", 600, 60, False, "reading, as a person"),
        RateLimit("visitors", 300, 60, False, "whatever nobody is signed in for, also with a wrong token"),
        RateLimit("wrong-tokens", 60, 60, True, "API tokens that are not valid, from one network"),
    )
}


def _rates(text: str) -> dict[str, RateLimit]:
    """Return the table with the rates that ``text`` changes, such as ``reads=1200/minute``."""
    found = dict(DEFAULTS)
    for part in filter(None, text.split(",")):
        name, _, rate = (one.strip() for one in part.partition("="))
        read = RATE.fullmatch(rate)
        if name not in DEFAULTS:
            raise Wrong(f"there is no limit {name}. There are: {', '.join(DEFAULTS)}")
        if not read:
            raise Wrong(f"{name} must be a number of requests, a slash, and second, minute or hour: 60/minute")
        found[name] = replace(DEFAULTS[name], times=int(read[1]), seconds=UNITS[read[2]])
    return found


RATES = Kind("like reads=1200/minute,sign-in=10/minute", _rates)
