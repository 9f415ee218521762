"""The cards that an Office has on file. Cards are entered at Stripe, never here.

Here a card is named by its public id.
"""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Self

from django.core.exceptions import ValidationError
from django.db.models import Exists, OuterRef, QuerySet

from billing import clock, errors, jobs
from billing.audit import actor
from billing.models import Office, Operation, PaymentMethod
from billing.models.operation import Kind
from billing.operations.engine.begin import perform
from billing.operations.engine.declaration import FILLED_IN, Asked, OnOffice, Outcome, Telling, asked_for
from billing.operations.engine.registry import operation
from billing.operations.engine.steps import Run
from billing.operations.engine.unsettled import unsettled
from billing.operations.offices.customer import customer_made, customer_of, refuse_deleted, return_url
from billing.stripe_api import gateway

WISH_LASTS = timedelta(days=2)
"""A link is good for a day; after that a wish to make its card the default is not looked after any more."""


@dataclass(frozen=True, kw_only=True)
class CardForm(Telling):
    """What the two ways to a form of Stripe's, on which a card is entered, have in common."""

    make_default: bool = field(default=True, metadata=asked_for("Charge this card from now on, once it is there"))

    @classmethod
    def offered(cls, subject: Office) -> bool:
        return not subject.archived_at

    def prepare(self, subject: Office, asked: Asked) -> Self:
        refuse_deleted(subject)
        return self


@operation
@dataclass(frozen=True, kw_only=True)
class PreparePaymentMethod(CardForm):
    """Begin to add a card: confirm the client secret with Stripe.js (`confirmSetup`), and the card is there soon after.

    The secret is told once. Money does not move. Asking again makes another, which does no harm.

    Once the card is there the worker makes it the default, where that is wanted. The secret is stored nowhere.

    Raises:
        NoCustomer: the customer was deleted at Stripe.
    Source: https://docs.stripe.com/payments/save-and-reuse
    """

    kind = Kind.PREPARE_PAYMENT_METHOD
    not_in_admin = "The secret is for a page with Stripe.js; staff send the Office a link."

    def ask(self, run: Run) -> None:
        run.told = gateway.payment_methods.create_setup_intent(
            customer_of(run), office=str(run.office.public_id), operation=run.id, step=run.step("setup_intent")
        )

    def settle_unknown(self, run: Run) -> Outcome:
        customer = customer_made(run)
        return Outcome.of(bool(customer) and gateway.payment_methods.has_setup_intent(customer, operation=run.id))


@operation
@dataclass(frozen=True, kw_only=True)
class MakeCardLink(CardForm):
    """The address of a page of Stripe's on which a card is added, good for a day. It is told once.

    Otherwise as ``PreparePaymentMethod``.

    Raises:
        NoCustomer: the customer was deleted at Stripe.
    """

    kind = Kind.MAKE_CARD_LINK

    def ask(self, run: Run) -> None:
        run.told = gateway.payment_methods.create_card_link(
            customer_of(run),
            return_url=return_url(),
            office=str(run.office.public_id),
            operation=run.id,
            step=run.step("link"),
        )

    def settle_unknown(self, run: Run) -> Outcome:
        customer = customer_made(run)
        return Outcome.of(bool(customer) and gateway.payment_methods.has_card_link(customer, operation=run.id))


@dataclass(frozen=True, kw_only=True)
class OnCard(OnOffice[Office]):
    """An operation on a card of the Office's."""

    changes_cards = True

    card: str = field(metadata=asked_for("One of the Office's cards", form="uuid"))

    def row(self, office: Office) -> PaymentMethod:
        """The card, also where it is on file no more."""
        return office.payment_methods.get(public_id=self.card)


@operation
@dataclass(frozen=True, kw_only=True)
class SetDefaultPaymentMethod(OnCard):
    """Charge this card from now on. Money does not move.

    Repeating is refused as no change. ``wish`` is the operation that asked for it beforehand.

    Raises: PaymentMethodUnknown, NothingToChange.
    """

    kind = Kind.SET_DEFAULT_PAYMENT_METHOD

    wish: str = field(default="", metadata=FILLED_IN)

    @classmethod
    def offered(cls, subject: Office) -> bool:
        return not subject.archived_at and on_file(subject).filter(is_default=False).exists()

    def prepare(self, subject: Office, asked: Asked) -> Self:
        if card_on_file(subject, self.card).is_default:
            raise errors.NothingToChange("this card is the default already.")
        return self

    def ask(self, run: Run) -> None:
        customer = run.office.payment_provider_customer_id or ""
        stripe_id = self.row(run.office).stripe_id
        gateway.customers.set_default_payment_method(stripe_id, customer=customer, step=run.step("default"))

    def settle_unknown(self, run: Run) -> Outcome:
        default = gateway.customers.fetch_customer(run.office.payment_provider_customer_id or "").default_payment_method
        return Outcome.of(default is not None and default.id == self.row(run.office).stripe_id)


@operation
@dataclass(frozen=True, kw_only=True)
class RemovePaymentMethod(OnCard):
    """Take the card off, for good. Refused for the card that a live subscription is charged to.

    Money does not move. A live subscription keeps its default and its last card, unless it ends at its period's end
    and nothing is due.

    Raises: PaymentMethodUnknown, PaymentMethodNeeded.
    Source: https://docs.stripe.com/api/payment_methods/detach
    """

    kind = Kind.REMOVE_PAYMENT_METHOD

    @classmethod
    def offered(cls, subject: Office) -> bool:
        return not subject.archived_at and on_file(subject).exists()

    def prepare(self, subject: Office, asked: Asked) -> Self:
        row = card_on_file(subject, self.card)
        others = on_file(subject).exclude(pk=row.pk).exists()
        if _will_be_charged(subject) and (row.is_default or not others):
            raise errors.PaymentMethodNeeded(row, others=others)
        return self

    def ask(self, run: Run) -> None:
        gateway.customers.detach_payment_method(self.row(run.office).stripe_id, step=run.step("detach"))

    def settle_unknown(self, run: Run) -> Outcome:
        owner = gateway.payment_methods.owner_of_card(self.row(run.office).stripe_id)
        return Outcome.of(owner != run.office.payment_provider_customer_id)


def on_file(office: Office) -> QuerySet[PaymentMethod]:
    """The cards that can be charged, the default one first."""
    return office.payment_methods.filter(detached_at=None)


def key_of(card: PaymentMethod) -> str:
    """Its public id, as an operation names it."""
    return str(card.public_id)


def card_on_file(office: Office, key: str) -> PaymentMethod:
    """The Office's card with this public id. Raises: PaymentMethodUnknown."""
    try:
        row = on_file(office).filter(public_id=key).first()
    except ValidationError:
        row = None
    if row is None:
        raise errors.PaymentMethodUnknown
    return row


@jobs.job("default-cards", every=timedelta(minutes=1))
def fulfil_wishes() -> None:
    """Cards that came by a form, and were to be the default, are. Stripe is asked only where a card came since."""
    for wished in _wishes():
        office, wish = wished.office, str(wished.public_id)
        done = office.operations.filter(kind=Kind.SET_DEFAULT_PAYMENT_METHOD, request__wish=wish)
        if done.exists() or unsettled(office):
            continue
        came_by = wished.steps.exclude(object_id="").order_by("-pk").values_list("object_id", flat=True).first() or ""
        card = on_file(office).filter(stripe_id=gateway.payment_methods.card_set_up(came_by), is_default=False).first()
        if card:
            wanted = SetDefaultPaymentMethod(card=key_of(card), wish=wish)
            perform(wanted, office, by=actor.job("default card"), reason=wished.reason)


def _wishes() -> QuerySet[Operation]:
    """Forms that were asked for with the wish, where a card came since that is not the default."""
    cards = PaymentMethod.objects.filter(
        office=OuterRef("office"), seen_at__gte=OuterRef("created_at"), detached_at=None, is_default=False
    )
    return (
        Operation.objects.filter(
            kind__in=(Kind.PREPARE_PAYMENT_METHOD, Kind.MAKE_CARD_LINK),
            status=Operation.Status.SUCCEEDED,
            request__make_default=True,
            created_at__gte=clock.wall() - WISH_LASTS,
            office__archived_at=None,
        )
        .filter(Exists(cards))
        .select_related("office")
        .order_by("created_at")
    )


def _will_be_charged(office: Office) -> bool:
    ends = office.ends_with_this_period and office.balance_due == 0
    return office.has_live_subscription and not ends
