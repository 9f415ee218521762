"""The Stripe account, and the webhook endpoints to which Stripe reports events."""

from dataclasses import dataclass

from billing.stripe_api import client
from billing.stripe_api.client import Step
from billing.stripe_api.gateway import answers

EVERY_EVENT = "*"


@dataclass(frozen=True, slots=True)
class AccountState:
    id: str
    livemode: bool


@dataclass(frozen=True, slots=True)
class EndpointState:
    """A webhook endpoint. Without ``api_version``, Stripe uses the version that is the default of the account."""

    id: str
    url: str
    enabled_events: tuple[str, ...]
    secret: str = ""
    is_enabled: bool = True
    api_version: str = ""

    @property
    def fault(self) -> str:
        """Return why it does not send us what we need, or "": disabled, version or events."""
        if not self.is_enabled:
            return "disabled"
        if self.api_version != client.API_VERSION:
            return "version"
        return "" if EVERY_EVENT in self.enabled_events else "events"


def account(*, livemode: bool) -> AccountState:
    """Return the account that the key belongs to. Source: https://docs.stripe.com/api/accounts/retrieve"""
    return AccountState(id=answers.identity_of(client.get("/v1/account")), livemode=livemode)


def create_webhook_endpoint(url: str, *, step: Step) -> EndpointState:
    """Make Stripe report all events to ``url``. Only this answer has the secret, and no later one.

    Source: https://docs.stripe.com/api/webhook_endpoints/create
    """
    params = {
        "url": url,
        "enabled_events": [EVERY_EVENT],
        "api_version": client.API_VERSION,
        "description": "Office Billing",
    }
    return _endpoint(client.post("/v1/webhook_endpoints", params, step=step))


def mend_webhook_endpoint(endpoint: str, *, step: Step) -> EndpointState:
    """Enable the endpoint for all events. Its API version cannot be changed.

    Source: https://docs.stripe.com/api/webhook_endpoints/update
    """
    params = {"disabled": False, "enabled_events": [EVERY_EVENT]}
    return _endpoint(client.post(f"/v1/webhook_endpoints/{endpoint}", params, step=step))


def webhook_endpoints(url: str) -> list[EndpointState]:
    """Return the endpoints that report to ``url``, without their secrets."""
    return [_endpoint(data) for data in answers.page("/v1/webhook_endpoints", {}) if data["url"] == url]


def _endpoint(data: client.Answer) -> EndpointState:
    return EndpointState(
        id=data["id"],
        url=data["url"],
        enabled_events=tuple(data["enabled_events"]),
        secret=data.get("secret") or "",
        is_enabled=data["status"] == "enabled",
        api_version=data.get("api_version") or "",
    )
