"""The variables of backups."""

from pyrage import IdentityError, x25519

from config.environment import Secret
from config.variables.kinds import TEXT, Kind, Wrong, listed, number
from config.variables.variable import Variable


def _age_key(text: str) -> Secret:
    try:
        x25519.Identity.from_str(text)
    except IdentityError:
        raise Wrong(f"must be {AGE_KEY.says}") from None
    return Secret(text)


AGE_KEY = Kind(
    "a key of age (AGE-SECRET-KEY-1…). Make one: python -c "
    '"from pyrage import x25519; print(x25519.Identity.generate())"',
    _age_key,
    is_secret=True,
)

BACKUP_KEYS = Variable(
    "BACKUP_KEYS",
    listed(AGE_KEY, "key"),
    "The keys of age that encrypt backups: the first one encrypts, and each of them can open. Needed for manage.py "
    "backup and restore. Keep a copy in another place than the backups: without it nobody can read them.",
)
BACKUP_KEEP = Variable(
    "BACKUP_KEEP",
    number(1, 100_000),
    "How many backups manage.py backup leaves in its folder. The newest one always stays.",
    default="14",
)
BACKUP_KEEP_DAYS = Variable(
    "BACKUP_KEEP_DAYS",
    number(1, 36_500),
    "For how many days manage.py backup leaves them there.",
    default="90",
)

BACKUPS_ELSEWHERE_REASON = Variable(
    "BACKUPS_ELSEWHERE_REASON",
    TEXT,
    "What makes backups where manage.py backup does not, such as the snapshots of a managed database. Then the check "
    "of backups is green.",
)

ROWS = (BACKUP_KEYS, BACKUP_KEEP, BACKUP_KEEP_DAYS, BACKUPS_ELSEWHERE_REASON)
