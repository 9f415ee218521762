"""The product's settings with the variables of tests/test.env, whatever .env says. A variable that is set wins."""

import hashlib
import os
import shutil
from pathlib import Path

os.environ["ENV_FILE"] = str(Path(__file__).with_name("test.env"))

from config.settings import *  # noqa: F403
from config.settings import DATABASES

WHITENOISE_AUTOREFRESH = True  # a test's client is new, and would look at every static file first

MEMORY, ENOUGH = Path("/dev/shm"), 2 << 30  # noqa: S108  for the files of this run only, whose name is this folder's
test = DATABASES["default"].get("TEST", {})
if (name := test.get("NAME")) and MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > ENOUGH:
    # The product waits for the disk at each commit. A test database is thrown away, so it can be in memory.
    test["NAME"] = str(MEMORY / f"tests-{hashlib.sha256(name.encode()).hexdigest()[:16]}.db")
