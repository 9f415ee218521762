"""How an Office's invoices are addressed."""

from dataclasses import dataclass, field, replace
from typing import Self

from django.core.exceptions import ValidationError
from django.db import transaction

from billing import errors
from billing.findings import CONTACT_DIFFERS, resolve
from billing.models import Office, Operation
from billing.models.operation import Kind
from billing.operations.engine.declaration import FILLED_IN, NOT_STORED, Asked, OnOffice, Outcome, asked_for
from billing.operations.engine.registry import operation
from billing.operations.engine.steps import Run
from billing.operations.offices.customer import refuse_deleted
from billing.stripe_api import client, gateway
from billing.text.gate import Typed

CONTACT = ("name", "billing_email", "locale")


@operation
@dataclass(frozen=True, kw_only=True)
class ChangeContact(OnOffice[Office]):
    """Change the name, e-mail address and language of the invoices, here and at Stripe. What is not given stays.

    Money does not move. The full address is on the Office, in its audit trail and in the request to Stripe. The stored
    operation shows it masked.

    Raises: NoCustomer, ContactInvalid, TextNotNeutral, NothingToChange.
    Source: https://docs.stripe.com/api/customers/update
    """

    kind = Kind.CHANGE_CONTACT
    done = "changed the contact"

    name: str | None = field(
        default=None,
        metadata={
            **asked_for(
                "The practice's name. If you send it, you confirm that it is not a patient's name",
                longest=200,
                typed=Typed.BUSINESS_NAME,
            ),
            **NOT_STORED,
        },
    )
    billing_email: str | None = field(
        default=None,
        metadata={
            **asked_for("The practice's address, to which Stripe sends invoices", form="email", typed=Typed.EMAIL),
            **NOT_STORED,
        },
    )
    locale: str | None = field(
        default=None,
        metadata={**asked_for("Language, such as en, es or pt-BR", longest=10, form="language"), **NOT_STORED},
    )
    before: dict[str, str] = field(default_factory=dict, metadata=FILLED_IN)
    after: dict[str, str] = field(default_factory=dict, metadata=FILLED_IN)

    @classmethod
    def offered(cls, subject: Office) -> bool:
        return subject.customer_deleted_at is None

    def prepare(self, subject: Office, asked: Asked) -> Self:
        refuse_deleted(subject)
        wanted = self._wanted
        try:
            Office(**wanted).clean_fields(exclude={one.name for one in Office._meta.fields} - set(wanted))
        except ValidationError as error:
            wrong = [f"{name.replace('_', ' ')}: {' '.join(words)}" for name, words in error.message_dict.items()]
            raise errors.ContactInvalid(" ".join(wrong)) from None
        before = {name: getattr(subject, name) for name in wanted}
        differs = subject.findings.filter(kind=CONTACT_DIFFERS, resolved_at=None)
        if before == wanted and not differs.exists():
            raise errors.NothingToChange("the Office already has this name, address and language.")
        return replace(self, before=_masked(before), after=_masked(wanted))

    @property
    def _wanted(self) -> dict[str, str]:
        """Return what was given, each value in one line."""
        given = {"name": self.name, "billing_email": self.billing_email, "locale": self.locale}
        return {name: " ".join(value.split()) for name, value in given.items() if value is not None}

    def begun(self, operation: Operation) -> None:
        """Store the address with the request, and only there."""
        run = Run(operation)
        after = {name: getattr(run.office, name) for name in CONTACT} | self._wanted
        params = gateway.customers.contact(
            name=after["name"], email=after["billing_email"], locale=after["locale"], operation=run.id
        )
        path = gateway.customers.path_of(run.office.payment_provider_customer_id or "")
        run.step("contact").intend("post", path, params, client.API_VERSION)

    def ask(self, run: Run) -> None:
        step, customer = run.step("contact"), run.office.payment_provider_customer_id
        if customer:
            gateway.customers.update_customer(customer, step.recorded(), step=step)
        _addressed(run)

    def settle_unknown(self, run: Run) -> Outcome:
        """Find out whether the customer carries the operation's mark. If so, save the address here too."""
        done = gateway.customers.fetch_customer(run.office.payment_provider_customer_id or "").operation == run.id
        if done:
            _addressed(run)
        return Outcome.of(done)


def _addressed(run: Run) -> None:
    """Save in our own columns what Stripe was told."""
    office, sent = run.office, run.step("contact").recorded()
    office.refresh_from_db(fields=CONTACT)
    after = {"name": sent["name"], "billing_email": sent["email"], "locale": sent["preferred_locales"][0]}
    resolve(CONTACT_DIFFERS, str(office.public_id), resolution="Stripe was told")
    if after["name"] and after["billing_email"]:
        resolve("contact_missing", str(office.public_id), resolution="the contact was entered")
    changed = [name for name, value in after.items() if getattr(office, name) != value]
    for name in changed:
        setattr(office, name, after[name])
    if changed:
        with transaction.atomic(durable=True):
            office.save(update_fields=changed)


def _masked(contact: dict[str, str]) -> dict[str, str]:
    """Return the address as the operation may store it: ``b…@maple.example``."""
    shown = dict(contact)
    if "billing_email" in shown:
        local, _, domain = shown["billing_email"].rpartition("@")
        shown["billing_email"] = f"{local[:1]}…@{domain}"
    return shown
