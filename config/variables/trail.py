"""The variables of the audit trail."""

from config.variables.kinds import AUDIT_KEY, AUDIT_PUBLIC_KEY, FLAG, TIME_ZONE, listed
from config.variables.places import APPENDED_FILE
from config.variables.variable import Variable

AUDIT_SEAL_KEY = Variable(
    "AUDIT_SEAL_KEY",
    AUDIT_KEY,
    "Each minute the trail is sealed with this key of 64 hexadecimal digits. Needed with DEBUG off. Make it:\n"
    'python -c "import secrets; print(secrets.token_hex(32))"\n'
    "Later `manage.py audit_keys` makes new ones, and docs/trail.md says how they take over. Keep a copy of the keys "
    "apart from the database and its backups.",
    is_needed=True,
)
AUDIT_SEAL_PUBLIC_KEYS = Variable(
    "AUDIT_SEAL_PUBLIC_KEYS",
    listed(AUDIT_PUBLIC_KEY, "key"),
    "After you change AUDIT_SEAL_KEY, put the public key of the old one here.",
)
AUDIT_ENTRY_KEYS = Variable(
    "AUDIT_ENTRY_KEYS",
    listed(AUDIT_KEY, "key"),
    "Each entry of the trail has a mark, made with the first of these keys. Keep the older ones after it. They are "
    "made like AUDIT_SEAL_KEY, each one for itself. Needed with DEBUG off.",
    is_needed=True,
)
AUDIT_HEADS_FILE = Variable(
    "AUDIT_HEADS_FILE",
    APPENDED_FILE,
    "A file on another machine's disk, to which each signed head is appended. It shows if the end of the trail was cut "
    "off.",
)
AUDIT_REQUIRES_ACTOR = Variable(
    "AUDIT_REQUIRES_ACTOR",
    FLAG,
    "Refuse to record a change if nobody knows who made it. Leave this on.",
    default="true",
)
VENDOR_TIME_ZONE = Variable(
    "VENDOR_TIME_ZONE",
    TIME_ZONE,
    "The time zone of your staff, as the IANA list names it. A review of the trail counts what they did at night "
    "(20:00 to 7:00) and on weekends there.",
    default="UTC",
)

ROWS = (
    AUDIT_SEAL_KEY,
    AUDIT_SEAL_PUBLIC_KEYS,
    AUDIT_ENTRY_KEYS,
    AUDIT_HEADS_FILE,
    AUDIT_REQUIRES_ACTOR,
    VENDOR_TIME_ZONE,
)
