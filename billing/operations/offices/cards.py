"""The cards that an Office has on file. Cards are entered at Stripe, never here.

Our own public id names a card here.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Self

from django.core.exceptions import ValidationError
from django.db.models import Exists, OuterRef, QuerySet

from billing import clock, errors, jobs
from billing.audit import actor
from billing.models import Office, Operation, PaymentMethod
from billing.models.operation import Kind
from billing.operations.engine.begin import perform
from billing.operations.engine.declaration import FILLED_IN, Asked, OnOffice, Outcome, Telling, asked_for
from billing.operations.engine.losses import Loss, loss
from billing.operations.engine.registry import operation
from billing.operations.engine.steps import Run
from billing.operations.engine.unsettled import unsettled
from billing.operations.offices.customer import customer_made, customer_of, refuse_deleted, return_url
from billing.stripe_api import gateway

WISH_LASTS = timedelta(days=2)
"""A link is valid for one day. After this time, the wish to make its card the default is dropped."""


@dataclass(frozen=True, kw_only=True)
class CardForm(Telling):
    """Hold what the two ways to a card form at Stripe have in common."""

    make_default: bool = field(
        default=True, metadata=asked_for("Charge this card from now on, as soon as it is stored")
    )

    @classmethod
    def offered(cls, subject: Office) -> bool:
        return not subject.archived_at and subject.customer_deleted_at is None

    def prepare(self, subject: Office, asked: Asked) -> Self:
        refuse_deleted(subject)
        return self


@operation
@dataclass(frozen=True, kw_only=True)
class PreparePaymentMethod(CardForm):
    """Begin to add a card. Confirm the client secret with Stripe.js (`confirmSetup`). The card shows here soon after.

    The secret is shown once. Money does not move. Repeating makes another secret and does no harm.

    When the card is there, the worker makes it the default if ``make_default`` is true. The secret is stored nowhere.

    Raises:
        NoCustomer: the customer was deleted at Stripe.
    Source: https://docs.stripe.com/payments/save-and-reuse
    """

    kind = Kind.PREPARE_PAYMENT_METHOD
    done = "prepared to add a card"
    not_in_admin = "The secret is for a page with Stripe.js. Staff send the Office a link."

    def ask(self, run: Run) -> None:
        run.shown_once = gateway.payment_methods.create_setup_intent(
            customer_of(run), office=str(run.office.public_id), operation=run.id, step=run.step("setup_intent")
        )

    def settle_unknown(self, run: Run) -> Outcome:
        customer = customer_made(run)
        return Outcome.of(bool(customer) and gateway.payment_methods.has_setup_intent(customer, operation=run.id))


@operation
@dataclass(frozen=True, kw_only=True)
class MakeCardLink(CardForm):
    """Make a link to a page at Stripe where a card is added. It is valid for one day and shown once.

    Everything else is as in ``PreparePaymentMethod``: money does not move, and repeating makes another link.

    Raises:
        NoCustomer: the customer was deleted at Stripe.
    """

    kind = Kind.MAKE_CARD_LINK
    done = "made a link to add a card"

    def ask(self, run: Run) -> None:
        run.shown_once = gateway.payment_methods.create_card_link(
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
    """Hold what operations on one of the Office's cards have in common."""

    changes_cards = True

    card: str = field(metadata=asked_for("The id of one of the Office's payment methods", form="uuid"))

    def row(self, office: Office) -> PaymentMethod:
        """Return the card, even if it is no longer on file."""
        return office.payment_methods.get(public_id=self.card)


@operation
@dataclass(frozen=True, kw_only=True)
class SetDefaultPaymentMethod(OnCard):
    """Make this payment method the default. Invoices are charged to it from now on. Money does not move.

    Repeating is refused, because nothing would change. ``wish`` is the earlier operation that asked for this.

    Raises: PaymentMethodUnknown, NothingToChange.
    """

    kind = Kind.SET_DEFAULT_PAYMENT_METHOD
    done = "made a payment method the default"

    wish: str = field(default="", metadata=FILLED_IN)

    @classmethod
    def offered(cls, subject: Office) -> bool:
        return not subject.archived_at and on_file(subject).filter(is_default=False).exists()

    def prepare(self, subject: Office, asked: Asked) -> Self:
        if card_on_file(subject, self.card).is_default:
            raise errors.NothingToChange("it is already the default.")
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
    """Remove a payment method for good. Refused for the one that a live subscription is charged to.

    Money does not move. A live subscription keeps its default card and its last card. The exception: it is set to end
    with its period, and nothing is due.

    Raises: PaymentMethodUnknown, PaymentMethodNeeded.
    Source: https://docs.stripe.com/api/payment_methods/detach
    """

    kind = Kind.REMOVE_PAYMENT_METHOD
    done = "removed a payment method"

    @classmethod
    def offered(cls, subject: Office) -> bool:
        return removable(subject).exists()

    def prepare(self, subject: Office, asked: Asked) -> Self:
        row = card_on_file(subject, self.card)
        others = on_file(subject).exclude(pk=row.pk).exists()
        if _will_be_charged(subject) and (row.is_default or not others):
            raise errors.PaymentMethodNeeded(row, others=others)
        return self

    def loses(self, subject: Office, at: datetime) -> Loss | None:
        """The last one, because nothing can be charged after that."""
        row = self.row(subject)
        if on_file(subject).exclude(pk=row.pk).exists():
            return None
        ends = f" {subject.debts_in_words} is still due." if subject.owes_something else ""
        return loss(
            f"{row} is the last payment method. It is removed for good, and nothing can be charged until the Office "
            f"enters another one.{ends}"
        )

    def ask(self, run: Run) -> None:
        gateway.customers.detach_payment_method(self.row(run.office).stripe_id, step=run.step("detach"))

    def settle_unknown(self, run: Run) -> Outcome:
        owner = gateway.payment_methods.owner_of_card(self.row(run.office).stripe_id)
        return Outcome.of(owner != run.office.payment_provider_customer_id)


def on_file(office: Office) -> QuerySet[PaymentMethod]:
    """Return the cards that can be charged, the default one first."""
    return office.payment_methods.filter(detached_at=None)


def removable(office: Office) -> QuerySet[PaymentMethod]:
    """Return the cards that can be removed. What a live subscription is charged to, and its last one, stay."""
    cards = on_file(office)
    if not _will_be_charged(office):
        return cards
    others = cards.filter(is_default=False)
    return others if cards.count() > 1 else cards.none()


def key_of(card: PaymentMethod) -> str:
    """Return its public id, as an operation names it."""
    return str(card.public_id)


def card_on_file(office: Office, key: str) -> PaymentMethod:
    """Return the Office's card with this public id. Raises: PaymentMethodUnknown."""
    try:
        row = on_file(office).filter(public_id=key).first()
    except ValidationError:
        row = None
    if row is None:
        raise errors.PaymentMethodUnknown
    return row


@jobs.job("default-cards", every=timedelta(minutes=1))
def fulfil_wishes() -> None:
    """Make cards from a form the default where that was asked. Stripe is asked only if a card has come since then."""
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
    """Return the forms with the wish for a default, where a card has come since then that is not the default."""
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
    ends = office.ends_with_this_period and not office.owes_something and not office.also_live
    return office.has_live_subscription and not ends
