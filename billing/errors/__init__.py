"""Each refusal is a class of its own, by subject: what is wrong, what would make it possible, and its category.

Import the package, and name a refusal as ``errors.NotPermitted``.
"""

from billing.errors.access import *
from billing.errors.approvals import *
from billing.errors.at_stripe import *
from billing.errors.bulk_acts import *
from billing.errors.invoices import *
from billing.errors.limits import *
from billing.errors.money_back import *
from billing.errors.offices import *
from billing.errors.people import *
from billing.errors.refusal import *
from billing.errors.requests import *
from billing.errors.subscriptions import *
from billing.errors.trail_reviews import *
