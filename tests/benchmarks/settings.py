"""The product's settings as in production, with a local Stripe in place of Stripe, and what the baselines need."""

import os

from config.settings import *  # noqa: F403
from config.settings import STRIPE_API_KEY

STRIPE_API_BASE = os.environ["BENCH_STRIPE"]
STRIPE_KIND = "sandbox"
ROOT_URLCONF = "tests.benchmarks.urls"

# dj-stripe's own view
STRIPE_API_HOST = STRIPE_API_BASE
STRIPE_API_VERSION = "2026-08-26.dahlia"
STRIPE_TEST_SECRET_KEY = STRIPE_API_KEY
