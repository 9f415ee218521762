"""What somebody does in Stripe's dashboard, and what our Office must show then, worked out by hand.

Each situation is a function with ``@situation``: the function acts at Stripe as a person or another system would, and
the decorator says what is right. The values are literals. They follow from Stripe's documentation, whose page each
situation names, and never from our own code. ``tests.test_situations`` brings each situation over the whole way: the
local Stripe over HTTP, its events to our webhook, the worker, our rows, the API's answers and the admin's pages.

All begins at noon (UTC) on 1 March 2030 with an Office that is a customer with a card that pays, and has nothing else.
Our plans cost: Practice 199.00 USD a month, 1,990.00 USD a year or 189.00 EUR a month; Team 49.00 USD a seat a month.
"""

from tests.situations import bank_accounts, discounts_and_tax, dunning, items, money, present, schedules, terms
from tests.situations.situation import TABLE

__all__ = ["TABLE", "bank_accounts", "discounts_and_tax", "dunning", "items", "money", "present", "schedules", "terms"]
