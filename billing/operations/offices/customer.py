"""The Office as Stripe's customer: made, and let into Stripe's own portal."""

from dataclasses import dataclass
from typing import Self

from django.conf import settings
from django.urls import reverse

from billing import errors
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
    """The Office is a customer at Stripe. Money does not move. Repeating is a no-op."""

    kind = Kind.ENSURE_CUSTOMER
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
    """The address of Stripe's portal for this Office, good for minutes. It is told once. **Money may move** there.

    The Office can pay and change cards there, as the portal is set up at Stripe. The address is stored nowhere.

    Raises: NoCustomer.
    Source: https://docs.stripe.com/customer-management
    """

    kind = Kind.OPEN_PORTAL
    money = Moves.LATER
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
        run.told = gateway.customers.create_portal_link(customer, return_url=return_url(), step=run.step("portal"))

    def settle_unknown(self, run: Run) -> Outcome:
        """Give it up: Stripe lists no portal links, and one that nobody was told is of no use and soon void."""
        return Outcome.NOT_DONE


def customer_of(run: Run) -> str:
    """The Office's customer id; the customer is created where there is none."""
    office = run.office
    office.refresh_from_db(fields=["payment_provider_customer_id"])
    if office.payment_provider_customer_id:
        return office.payment_provider_customer_id
    customer = gateway.customers.create_customer(office, operation=run.id, step=run.step("customer"))
    return link_customer(office.pk, customer).payment_provider_customer_id or ""


def customer_made(run: Run) -> str:
    """The Office's customer id, also where this operation made the customer and no answer said so; else empty.

    It is looked for by the address that it was made with: the Office may have another by now.
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
    """Where Stripe's pages lead back to: a page that says only that it is done."""
    return settings.SITE_URL + reverse("returned")


def refuse_deleted(office: Office) -> None:
    """Raises: NoCustomer."""
    if office.customer_deleted_at:
        raise errors.NoCustomer(office)
