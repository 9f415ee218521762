"""The variables of backups."""

from pyrage import IdentityError, x25519

from config.environment import Problems, Secret

MAKE_ONE = 'python -c "from pyrage import x25519; print(x25519.Identity.generate())"'


def keys(given: list[str], *, problems: Problems) -> list[Secret]:
    """Return the keys of backups. The first one encrypts, and each of them can open."""
    found = [Secret(one.strip()) for one in given if one.strip()]
    for number, key in enumerate(found, 1):
        try:
            x25519.Identity.from_str(key)
        except IdentityError:
            problems.add("BACKUP_KEYS", f"key {number} is no key of age (AGE-SECRET-KEY-1…). Make one: {MAKE_ONE}")
    return found


def at_least(number: int, lowest: int, variable: str, *, problems: Problems) -> int:
    """Return the number."""
    if number < lowest:
        problems.add(variable, f"must be {lowest} or more")
    return number
