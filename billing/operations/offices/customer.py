"""The Office as a customer at Stripe: making the customer, and the link to Stripe's portal."""

from dataclasses import dataclass
from typing import Self

from django.conf import settings
from django.urls import reverse

from billing import errors
from billing.access.roles import Power
from billing.models import Office
from billing.models.operation import Kind
from billing.operations.engine.declaration import Asked, Moves, OnOffice, Outcome, Telling
from billing.operations.engine.registry import operation
from billing.operations.engine.steps import Run
from billing.projection import link_customer
from billing.stripe_api import gateway


@operation
@dataclass(frozen=True, kw_only=True)
class EnsureCustomer(OnOffice[Office]):
    """Make the Office a customer at Stripe. Money does not move. Repeating is a no-op."""

    kind = Kind.ENSURE_CUSTOMER
    done = "made the Office a customer"
    not_in_api = "The first operation that needs a customer makes it."
    not_in_admin = not_in_api

    def already_so(self, subject: Office, asked: Asked) -> bool:
        return bool(subject.payment_provider_customer_id)

    def ask(self, run: Run) -> None:
        customer_of(run)

    def settle_unknown(self, run: Run) -> Outcome:
        return Outcome.of(bool(customer_made(run)))


@operation
@dataclass(frozen=True, kw_only=True)
class OpenPortal(Telling):
    """Make a link to Stripe's portal for this Office. It is valid for minutes and shown once. **Money may move** there.

    The settings of the portal at Stripe say what the Office can do there, such as pay and change cards. The link is
    stored nowhere. Repeating makes another link.

    Raises: NoCustomer.
    Source: https://docs.stripe.com/customer-management
    """

    kind = Kind.OPEN_PORTAL
    done = "made a link to Stripe's portal"
    money = Moves.LATER
    needs = Power.PORTAL
    needs_determination = True

    @classmethod
    def offered(cls, subject: Office) -> bool:
        return not subject.archived_at and subject.is_customer

    def prepare(self, subject: Office, asked: Asked) -> Self:
        if not subject.is_customer:
            raise errors.NoCustomer(subject)
        return self

    def ask(self, run: Run) -> None:
        customer = run.office.payment_provider_customer_id or ""
        run.shown_once = gateway.customers.create_portal_link(
            customer, return_url=return_url(), step=run.step("portal")
        )

    def settle_unknown(self, run: Run) -> Outcome:
        """Give it up. Stripe does not list portal links, and a link that nobody has seen is useless."""
        return Outcome.NOT_DONE


def customer_of(run: Run) -> str:
    """Return the Office's customer id. If there is no customer, create it."""
    office = run.office
    office.refresh_from_db(fields=["payment_provider_customer_id"])
    if office.payment_provider_customer_id:
        return office.payment_provider_customer_id
    customer = gateway.customers.create_customer(office, operation=run.id, step=run.step("customer"))
    return link_customer(office.pk, customer).payment_provider_customer_id or ""


def customer_made(run: Run) -> str:
    """Return the Office's customer id, or an empty text. This also finds a customer whose answer was lost.

    It searches with the address of the request, because the Office may have another address now.
    """
    office = run.office
    office.refresh_from_db(fields=["payment_provider_customer_id"])
    if office.payment_provider_customer_id:
        return office.payment_provider_customer_id
    asked = run.step("customer").recorded()
    customer = gateway.customers.find_customer(asked["email"], operation=run.id) if asked else ""
    if customer:
        link_customer(office.pk, customer)
    return customer


def return_url() -> str:
    """Return the address to which Stripe's pages lead back: a page that says only that it is done."""
    return settings.SITE_URL + reverse("returned")


def refuse_deleted(office: Office) -> None:
    """Raises: NoCustomer."""
    if office.customer_deleted_at:
        raise errors.NoCustomer(office)
