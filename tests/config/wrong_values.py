"""Wrong values for each variable, and what is said about each: python -m tests.config.wrong_values prints them."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from config import databases
from config.environment import Problems
from config.variables import kinds, places
from config.variables.table import VARIABLES
from config.variables.variable import Values, Variable

ANYWHERE = {
    '"fellow-marmot"': "has quotes around it",
    "'fellow-marmot'": "has quotes around it",
    "fellow-marmot  # of the north": "has a comment behind its value",
    "# fellow-marmot": "has a comment behind its value",
    "fellow\nmarmot": "has a control character",
    "fellow\tmarmot": "has a control character",
}
"""No variable takes these."""

KEY = "0123456789abcdef" * 4
FERNET = "bm90LWEtc2VjcmV0LW5vdC1hLXNlY3JldC0wMDAwMDA="
JOINED = "has a blank or a semicolon in it. Put commas between"

OF_KIND: dict[kinds.Kind[Any], dict[str, str]] = {
    kinds.FLAG: dict.fromkeys(
        ("ture", "flase", "truee", "t", "y", "ok", "2", "-1", "00", "true;", "true,false", "None", "ТRUE"),
        "must be true or false",
    ),
    kinds.WORD: dict.fromkeys(("fellow marmot", "fellów"), "must be visible ASCII characters without blanks"),
    kinds.TOKEN: dict.fromkeys(("fellow marmot", "fellów"), "must be visible ASCII characters without blanks"),
    kinds.LEVEL: dict.fromkeys(("WARN", "loud", "10", "INFO,DEBUG"), "must be one of DEBUG, INFO"),
    kinds.TIME_ZONE: dict.fromkeys(
        ("Mars/Base", "america/new_york", "UTC+1", "../../etc/passwd", "America/New York"), "must be a name of the IANA"
    ),
    kinds.DATABASE_KEY: dict.fromkeys(
        (KEY[1:], KEY + "0", f"{KEY} {KEY}", f"0x{KEY}"), "must be 64 hexadecimal digits"
    ),
    kinds.AUDIT_KEY: dict.fromkeys((KEY[1:], f"{KEY},{KEY}", KEY.upper()), "must be 64 hexadecimal digits"),
    kinds.STRIPE_KEY: dict.fromkeys(
        (
            "pk_test_fellow",
            "sk_fellow",
            "sk_test_fellów",
            "sk_test_one sk_test_two",
            "sk_test_one,sk_test_two",
            "whsec_fellow",
        ),
        "must be a secret or restricted key of Stripe",
    ),
    places.SITE: dict.fromkeys(
        (
            "billing.vendor.example",
            "ftp://billing.vendor.example",
            "https://",
            "https://billing.vendor.example/billing",
            "https://billing.vendor.example?x=1",
            "https://billing.vendor.example/#top",
            "https://fellow:marmot@billing.vendor.example",
            "https://billing.vendor.example:port",
            "https://billing.vendor.example:0",
            "https://billing.vendor.example:70000",
            "https://billing vendor.example",
            "https://a.example,https://b.example",
        ),
        "must be an address alone",
    ),
    places.ISSUER: dict.fromkeys(
        (
            "sign-in.vendor.example",
            "https://fellow:marmot@sign-in.vendor.example",
            "https://sign-in.vendor.example/?x=1",
            "https://sign-in.vendor.example/#x",
            "https://sign-in.vendor.example:99999/tenant",
        ),
        "must be the provider's address",
    ),
    places.MAIL_SERVER: dict.fromkeys(
        (
            "smtp://smtp.vendor.example",
            "smtp.vendor.example:587",
            "smtp.vendor.example/x",
            "smtp vendor.example",
            ":::",
        ),
        "must be a host name alone",
    ),
    places.SENDER: dict.fromkeys(
        ("billing", "billing@", "Billing <billing>", "a@b.example, c@d.example"), "must be the"
    ),
    places.PROXY: dict.fromkeys(
        (
            "fellow.example:3128",
            "https://proxy.vendor.example:3128",
            "socks5://proxy.vendor.example:1080",
            "http://fellow:mar/mot@proxy.vendor.example:3128",
            "http://fellow:mar@mot@proxy.vendor.example:3128",
            "http://fellow@proxy.vendor.example:3128",
            "http://proxy.vendor.example:70000",
            "http://proxy.vendor.example/fellow",
        ),
        "must be the address of a proxy",
    ),
    kinds.ACCOUNTS: dict.fromkeys(
        (
            "revenue",
            "revenue=",
            "=4000",
            "sales=4000",
            "revenue=1,revenue=2",
            f"revenue={'x' * 101}",
            "revenue=1,,tax=2",
        ),
        "must be like revenue=4000,tax=2200",
    ),
    kinds.LOG_LINES: dict.fromkeys(("xml", "JSON", "json,text"), "must be json or text"),
    kinds.WATCHER_TOKEN: dict.fromkeys(
        ("fellow-marmot", "fellow marmot of the north", "fellów-marmot-of-the-north"), "must be at least 16 random"
    ),
    kinds.MOMENT: dict.fromkeys(
        ("tomorrow", "2026-12-01", "2026-12-01T09:00", "2026-13-01T09:00Z", "1764579600"), "must be a moment with its"
    ),
    kinds.DAYS: dict.fromkeys(
        ("0", "5,1", "1,1", "1,,5", "1;5", "1,31", "1,5,", "-1", "one"), "must be days from 1 to 30, each later than"
    ),
    places.ALERT_ADDRESS: dict.fromkeys(
        (
            "alerts.vendor.example",
            "http://alerts.vendor.example",
            "ftp://alerts.vendor.example",
            "https:///fellow",
            "https://u:p@[x",
            "https://alerts.vendor.example:hunter22/x",
            "https://alerts.vendor.example/fellow marmot",
        ),
        "must be an address that begins with https://",
    ),
    places.CERTIFICATES: dict.fromkeys(("/nonexistent/ca.pem", "/", __file__), "must be a file that can be read"),
    places.FOLDER: {__file__: "must be a folder. This is a file"},
    places.APPENDED_FILE: dict.fromkeys(
        ("/nonexistent/heads", f"{__file__}/heads", str(Path(__file__).parent)), "must be a file that can be written"
    ),
}
OF_LIST: dict[str, dict[str, str]] = {
    "ALLOWED_HOSTS": {
        "a.example b.example": f"host 1 {JOINED}",
        "a.example;b.example": f"host 1 {JOINED}",
        "a.example,https://b.example": "host 2 must be a host name alone",
        "a.example:8000": "host 1 must be a host name alone",
        "a.example/x": "host 1 must be a host name alone",
        "*.example": "host 1 must be a host name alone",
        "a_b.example": "host 1 must be a host name alone",
    },
    "CORS_ALLOWED_ORIGINS": {
        "https://a.vendor.example https://b.vendor.example": f"address 1 {JOINED}",
        "https://a.vendor.example,app.vendor.example": "address 2 must be an address alone",
        "https://a.vendor.example/app": "address 1 must be an address alone",
        "*": "address 1 must be an address alone",
    },
    "ALERT_EMAILS": {
        "a@vendor.example b@vendor.example": f"address 1 {JOINED}",
        "a@vendor.example;b@vendor.example": f"address 1 {JOINED}",
        "a@vendor.example,fellow": "address 2 must be an e-mail address",
        "a@": "address 1 must be an e-mail address",
    },
    "SUPPORT_EMAIL": {
        "billing-help": "must be an e-mail address",
        "Help <help@vendor.example>": "must be an e-mail address",
        "a@vendor.example,b@vendor.example": "must be an e-mail address",
    },
    "STAFF_DIGEST_EMAILS": {
        "a@vendor.example;b@vendor.example": f"address 1 {JOINED}",
        "a@vendor.example,fellow": "address 2 must be an e-mail address",
    },
    "OIDC_EMAIL_DOMAINS": {
        "a.example;b.example": f"domain 1 {JOINED}",
        "@vendor.example": "domain 1 must be a host name alone",
    },
    "OIDC_SECOND_FACTOR": {"mfa otp": f"value 1 {JOINED}", "mfa;otp": f"value 1 {JOINED}", "": "Write none"},
    "OIDC_ROLES": {"operator": "write role=group", "operator=": "write role=group", "=group": "write role=group"},
    "STRIPE_WEBHOOK_SECRETS": {
        "fellow": "secret 1 must be one secret, and must begin with whsec_",
        "whsec_fellow whsec_marmot": f"secret 1 {JOINED}",
        "whsec_fellow;whsec_marmot": f"secret 1 {JOINED}",
        "whsec_fellowwhsec_marmot": "secret 1 must be one secret",
        "whsec_fellow,marmot": "secret 2 must be one secret",
    },
    "BACKUP_KEYS": {
        "fellow": "key 1 must be a key of age",
        "fellow marmot": f"key 1 {JOINED}",
    },
    "SECRETS_KEYS": {
        f"{FERNET} {FERNET}": f"key 1 {JOINED}",
        f"{FERNET};{FERNET}": f"key 1 {JOINED}",
        f"{FERNET}{FERNET}": "key 1 must be 32 bytes in base64",
        f"{FERNET},{FERNET[:-2]}": "key 2 must be 32 bytes in base64",
    },
    "AUDIT_ENTRY_KEYS": {
        f"{KEY} {KEY}": f"key 1 {JOINED}",
        f"{KEY};{KEY}": f"key 1 {JOINED}",
        f"{KEY}{KEY}": "key 1 must be 64 hexadecimal digits",
        f"{KEY},{KEY.upper()}": "key 2 must be 64 hexadecimal digits",
    },
    "AUDIT_SEAL_PUBLIC_KEYS": {f"{KEY} {KEY}": f"key 1 {JOINED}", f"{KEY},fellow": "key 2 must be 64 hexadecimal"},
    "APPROVAL_LIMITS": {
        **dict.fromkeys(
            ("500", "usd:500", "usd=5.00", "usd=-1", "usd=1;eur=1", "usd=1 eur=1", "usd=1,usd=2", "dollar=1"),
            "must be like usd=50000",
        ),
        "": "Write none",
    },
    "RATE_LIMITS": {
        "read=5/minute": "there is no limit read",
        "reads": "reads must be a number of requests",
        "reads=5/day": "reads must be a number of requests",
        "reads=5/minute;sign-in=1/minute": "reads must be a number of requests",
    },
}
URLS = {
    "postgres://billing:fellow/marmot@db.vendor.example/billing": "cannot be read. In the user",
    "postgres://billing:fellow?marmot@db.vendor.example/billing": "cannot be read. In the user",
    "postgres://billing:fellow#marmot@db.vendor.example/billing": "cannot be read. In the user",
    "postgres://billing:fellow@marmot@db.vendor.example/billing": "special character",
    "postgres://billing:fellow@a/marmot@db.vendor.example/billing": "special character",
    "postgres://billing:fellow@a?marmot@db.vendor.example/billing": "special character",
    "postgres://billing:1/fellow-marmot@db.vendor.example/billing": "special character",
    "postgres://billing:fellow%marmot@db.vendor.example/billing": "% that is not part of %XX",
    "postgres://billing:fellow marmot@db.vendor.example/billing": "has a blank in it",
    "postgres://billing:fellow[marmot@db.vendor.example/billing": "cannot be read",
    "postgres://billing:fellowmarmot@db.vendor.example:port/billing": "cannot be read",
    "postgres://billing:fellowmarmot@db.vendor.example/billing#x": "special character",
    "libsql://fellow/marmot@db.vendor.example": "special character",
    "sqlite:///fellowmarmot.db": "use a file (libsql:///var/billing.db)",
    f"libsql:///{__file__}/fellowmarmot/x.db": "cannot be made",
    "libsql:////tmp": "is a folder. Name a file",
}
"""Of DATABASE_URL, beside those of tests/config/test_settings.py."""


def of(row: Variable[Any]) -> dict[str, str]:
    """Return wrong values of this variable, each with words of the error."""
    if found := re.fullmatch(r"a whole number from (\d+) to (\d+)", row.kind.says):
        low, high = int(found[1]), int(found[2])
        values = (str(low - 1), str(high + 1), "many", "1.5", "1e3", "1_0", "10 minutes", "٣", "9" * 30, "+5", "0x10")
        return dict.fromkeys(values, f"must be {row.kind.says}")
    return OF_LIST.get(row.name) or OF_KIND.get(row.kind, {})


def said_of(row: Variable[Any], value: str) -> list[str]:
    """Return what is found wrong with this value."""
    problems = Problems()
    _ = Values({row.name: value}, problems)[row]
    return problems.found


def said_of_url(url: str, folder: Path) -> list[str]:
    """Return what is found wrong with this DATABASE_URL. A relative file would be below the folder."""
    problems = Problems()
    databases.database(url, base_dir=folder, problems=problems)
    return problems.found


def all_of_them() -> Iterator[tuple[Variable[Any], str, str]]:
    """Yield each variable with each value that it does not take, and words of the error."""
    for row in VARIABLES.values():
        for value, says in (ANYWHERE | of(row)).items():
            yield row, value, says


if __name__ == "__main__":
    for tried, wrong, _words in all_of_them():
        print(f"{tried.name}={wrong!r}\n    {said_of(tried, wrong)[0]}")  # noqa: T201
    for wrong in URLS:
        print(f"DATABASE_URL={wrong!r}\n    {said_of_url(wrong, Path('/nonexistent'))[0]}")  # noqa: T201
