"""The variables of the database. config/databases.py has the rules of its address."""

from config.environment import Secret, is_live
from config.variables.kinds import DATABASE_KEY as KEY
from config.variables.kinds import FLAG, TEXT, TOKEN, Kind
from config.variables.stripe import STRIPE_API_BASE, STRIPE_SECRET_KEY
from config.variables.variable import Derived, Values, Variable

ADDRESS = Kind("the address of a database, in one of the forms that .env.example has", Secret, True, True)


def _own_file(said: Values) -> str:
    mode = "live" if is_live(said[STRIPE_SECRET_KEY]) else "test"
    return f"libsql:///var/{'sandbox' if said[STRIPE_API_BASE] else f'stripe-{mode}'}.db"


DATABASE_URL = Variable(
    "DATABASE_URL",
    ADDRESS,
    "Where the database is:\n"
    "libsql:///var/billing.db is a file below the project, libsql:////srv/billing.db an absolute one.\n"
    "libsql://host is a libSQL server with TLS, and ws://127.0.0.1:8080 one on this machine without (if DEBUG is off, "
    "DATABASE_PLAIN_ON_LOOPBACK must be true). Both need requirements-libsql.txt, and DATABASE_AUTH_TOKEN if the "
    "server wants one.\n"
    "postgres://user:password@host/name?sslmode=verify-full&sslrootcert=/path/of/the/ca.pem is PostgreSQL, and "
    "postgres://user@/name?host=/var/run/postgresql is PostgreSQL by a Unix socket.\n"
    "With DEBUG off, any other connection to PostgreSQL is refused, unless it is to this machine and "
    "DATABASE_PLAIN_ON_LOOPBACK is true. Write special characters of the password as %XX, such as / as %2F. It can "
    "also be the address of a pooler such as pgbouncer, without ?options=… (docs/databases.md).",
    default=Derived(
        "libsql:///var/stripe-test.db, …/stripe-live.db with a live key, or …/sandbox.db with a local Stripe", _own_file
    ),
    example="libsql:///var/billing.db",
)
DATABASE_KEY = Variable(
    "DATABASE_KEY",
    KEY,
    "The key of an encrypted file: 64 hexadecimal digits. It needs requirements-encrypted.txt. Keep a copy of it in "
    "another place: without the key nobody can read the file, or a backup of it.",
)
DATABASE_NEW_KEY = Variable(
    "DATABASE_NEW_KEY",
    KEY,
    "Only for `manage.py encrypt_database` and `manage.py rotate_database_key`: the key that the file gets. Until the "
    "command has ended, leave DATABASE_KEY as it is (the present key, or empty). After that, put the new key into "
    "DATABASE_KEY and empty DATABASE_NEW_KEY.",
)
DATABASE_AUTH_TOKEN = Variable("DATABASE_AUTH_TOKEN", TOKEN, "The token of a libSQL server.")
DATABASE_TO_KEY = Variable("DATABASE_TO_KEY", KEY, "Only for manage.py move_database: the key of the new database.")
DATABASE_TO_TOKEN = Variable(
    "DATABASE_TO_TOKEN", TOKEN, "Only for manage.py move_database: the token of the new database."
)
DATABASE_PLAIN_ON_LOOPBACK = Variable(
    "DATABASE_PLAIN_ON_LOOPBACK",
    FLAG,
    "true: with DEBUG off, also accept a server without TLS at an address of this machine (127.0.0.1, ::1, localhost). "
    "This is for a server that runs here, or for a proxy that does the TLS.",
    default="false",
)
LIBSQL_SERVER_LIVE_REASON = Variable(
    "LIBSQL_SERVER_LIVE_REASON",
    TEXT,
    "Why a libSQL server may hold live data, although it does not put each commit on disk. Without it, a live key is "
    "refused there.",
)
DATABASE_AT_REST_REASON = Variable(
    "DATABASE_AT_REST_REASON",
    TEXT,
    "How a live database is encrypted at rest where DATABASE_KEY does not do it.",
    example="the volume is encrypted",
)

ROWS = (
    DATABASE_URL,
    DATABASE_KEY,
    DATABASE_NEW_KEY,
    DATABASE_AUTH_TOKEN,
    DATABASE_TO_KEY,
    DATABASE_TO_TOKEN,
    DATABASE_PLAIN_ON_LOOPBACK,
    LIBSQL_SERVER_LIVE_REASON,
    DATABASE_AT_REST_REASON,
)
