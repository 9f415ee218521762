"""The Stripe account, and the webhook endpoints to which Stripe reports events."""

from dataclasses import dataclass

from billing.stripe_api import client
from billing.stripe_api.client import Step
from billing.stripe_api.gateway import answers


@dataclass(frozen=True, slots=True)
class AccountState:
    id: str
    livemode: bool


@dataclass(frozen=True, slots=True)
class EndpointState:
    id: str
    url: str
    secret: str
    enabled_events: tuple[str, ...]


def account(*, livemode: bool) -> AccountState:
    """Return the account that the key belongs to. Source: https://docs.stripe.com/api/accounts/retrieve"""
    return AccountState(id=answers.identity_of(client.get("/v1/account")), livemode=livemode)


def create_webhook_endpoint(url: str, *, events: list[str], step: Step) -> EndpointState:
    """Make Stripe report events to ``url``. Only this answer has the secret, and no later one.

    Source: https://docs.stripe.com/api/webhook_endpoints/create
    """
    params = {
        "url": url,
        "enabled_events": events,
        "api_version": client.API_VERSION,
        "description": "Office Billing",
    }
    data = client.post("/v1/webhook_endpoints", params, step=step)
    return EndpointState(data["id"], data["url"], data.get("secret") or "", tuple(data["enabled_events"]))


def find_webhook_endpoint(url: str) -> EndpointState | None:
    """Return the enabled endpoint that reports to ``url``, without its secret, or None."""
    for data in answers.page("/v1/webhook_endpoints", {}):
        if data["url"] == url and data["status"] == "enabled":
            return EndpointState(data["id"], data["url"], "", tuple(data["enabled_events"]))
    return None
