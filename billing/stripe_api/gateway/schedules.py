"""Subscription schedules, which others make. They are only read."""

from billing.schedules import Schedule
from billing.stripe_api import inbound
from billing.stripe_api.gateway import answers

LIST = "/v1/subscription_schedules"
NOT_STARTED = {"scheduled": True}


def not_started(customer: str) -> tuple[Schedule, ...]:
    """Return the customer's schedules that have not started, the first to start first. The newest hundred are read.

    Ask for them before the subscriptions: one that starts in between is then in both answers, and never in none.

    Source: https://docs.stripe.com/api/subscription_schedules/list
    """
    found = [inbound.schedules.schedule(data) for data in answers.page(LIST, {"customer": customer, **NOT_STARTED})]
    return tuple(sorted(found, key=lambda one: (one.starts_at is None, one.starts_at, one.id)))
