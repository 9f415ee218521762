"""Settings of Django's own tests: SUITE_FORM says on which form of database."""

import os

FORM = os.environ["SUITE_FORM"]
FOLDER = os.environ["SUITE_FOLDER"]

STOCK = "django.db.backends.sqlite3"
OURS = "config.libsql"
KEY = "0123456789abcdef" * 4


def _database(name: str) -> dict[str, object]:
    if FORM == "libSQL server":
        return {"ENGINE": OURS, "NAME": os.environ[f"SUITE_URL_{name.upper()}"]}
    return {
        "ENGINE": STOCK if FORM == "stock SQLite" else OURS,
        "NAME": f"{FOLDER}/{name}.db",
        "PASSWORD": KEY if FORM == "encrypted" else "",
        "TEST": {"NAME": f"{FOLDER}/test-{name}.db"},
    }


DATABASES = {"default": _database("default"), "other": _database("other")}
SECRET_KEY = "django_tests_secret_key"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
DEFAULT_AUTO_FIELD = "django.db.models.AutoField"
USE_TZ = False
