"""The product's settings with DEBUG off, and a local Stripe in place of Stripe, which they refuse by themselves."""

import os

from config.settings import *  # noqa: F403

STRIPE_API_BASE = os.environ["WALK_STRIPE"]
STRIPE_KIND = "sandbox"
