"""What the checks of the product show a test."""

from billing.monitoring import checks
from billing.monitoring.outcome import Seen


def levels():
    """Return the level of each check, by name."""
    return {one.check.name: str(one.level) for one in checks.run_all(Seen())}


def codes(*only):
    """Return the codes of what is red or amber."""
    found = {one.code: str(one.level) for one in checks.run_all(Seen()) if one.level in ("red", "amber")}
    return {code: level for code, level in found.items() if not only or code.startswith(only)}


def one(name):
    """Return what one check found."""
    return next(each for each in checks.run_all(Seen()) if each.check.name == name)
