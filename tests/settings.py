"""The product's settings with the variables of tests/test.env, whatever .env says. A variable that is set wins."""

import os
from pathlib import Path

os.environ["ENV_FILE"] = str(Path(__file__).with_name("test.env"))

from config.settings import *  # noqa: F403

WHITENOISE_AUTOREFRESH = True  # a test's client is new, and would look at every static file first
