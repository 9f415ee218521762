"""The cards that an Office has on file. Cards are entered at Stripe, never here."""

import uuid
from datetime import timedelta

from django.core.exceptions import ValidationError
from django.db.models import Exists, OuterRef, QuerySet

from billing import clock, errors, jobs
from billing.audit import actor
from billing.audit.actor import Actor
from billing.models import Office, Operation, PaymentMethod
from billing.operations.bodies import operation_body
from billing.operations.customer import customer_made, customer_of, refuse_deleted, return_url
from billing.operations.protocol import perform, perform_and_tell, unsettled
from billing.operations.run import Run
from billing.stripe_api import gateway

Card = PaymentMethod | str | uuid.UUID
BY_INTENT, BY_LINK, DEFAULT, REMOVE = (
    "prepare_payment_method",
    "make_card_link",
    "set_default_payment_method",
    "remove_payment_method",
)
WISH_LASTS = timedelta(days=2)
"""A link is good for a day; after that a wish to make its card the default is not looked after any more."""


def prepare_payment_method(office: Office, *, by: Actor, reason: str, make_default: bool = True) -> str:
    """A card can be added with the client secret that is returned, by Stripe.js; it is stored nowhere.

    Money does not move. Once the card is there the worker makes it the default, where that is wanted.

    Raises:
        NoCustomer: the customer was deleted at Stripe.
        StripeRejected, StripeUnavailable: as ``billing.operations.protocol.perform_and_tell``.
    Source: https://docs.stripe.com/payments/save-and-reuse
    """
    request = {"make_default": make_default}
    return perform_and_tell(BY_INTENT, office, by=by, reason=reason, request=request, guard=refuse_deleted)


def make_card_link(office: Office, *, by: Actor, reason: str, make_default: bool = True) -> str:
    """A card can be added at the address that is returned, for a day; it is stored nowhere.

    Otherwise as ``prepare_payment_method``.
    """
    request = {"make_default": make_default}
    return perform_and_tell(BY_LINK, office, by=by, reason=reason, request=request, guard=refuse_deleted)


def set_default_payment_method(office: Office, card: Card, *, by: Actor, reason: str, wish: str = "") -> Office:
    """Invoices are charged to this card from now on. Money does not move. Repeating is refused as no change.

    ``wish`` is the operation that asked for it beforehand.

    Raises:
        PaymentMethodUnknown, NothingToChange: it was refused before Stripe was asked.
        StripeRejected, StripeUnavailable: as ``billing.operations.protocol.perform``.
    """

    def guard(fresh: Office) -> None:
        if card_on_file(fresh, card).is_default:
            raise errors.NothingToChange("this card is the default already.")

    request = {"card": key_of(card), "wish": wish}
    return perform(DEFAULT, office, by=by, reason=reason, request=request, guard=guard)


def remove_payment_method(office: Office, card: Card, *, by: Actor, reason: str) -> Office:
    """The card is on file no more, for good. Money does not move.

    A live subscription keeps its default and its last card, unless it ends at its period's end and nothing is due.

    Raises:
        PaymentMethodUnknown, PaymentMethodNeeded: it was refused before Stripe was asked.
        StripeRejected, StripeUnavailable: as ``billing.operations.protocol.perform``.
    Source: https://docs.stripe.com/api/payment_methods/detach
    """

    def guard(fresh: Office) -> None:
        row = card_on_file(fresh, card)
        others = on_file(fresh).exclude(pk=row.pk).exists()
        if _will_be_charged(fresh) and (row.is_default or not others):
            raise errors.PaymentMethodNeeded(row, others=others)

    return perform(REMOVE, office, by=by, reason=reason, request={"card": key_of(card)}, guard=guard)


def on_file(office: Office) -> QuerySet[PaymentMethod]:
    """The cards that can be charged, the default one first."""
    return office.payment_methods.filter(detached_at=None)


def key_of(card: Card) -> str:
    """Its public id, as an operation keeps it."""
    return str(card.public_id) if isinstance(card, PaymentMethod) else str(card)


def card_on_file(office: Office, card: Card) -> PaymentMethod:
    """The Office's card with this public id. Raises: PaymentMethodUnknown."""
    try:
        row = on_file(office).filter(public_id=key_of(card)).first()
    except ValidationError:
        row = None
    if row is None:
        raise errors.PaymentMethodUnknown
    return row


@jobs.job("default-cards", every=timedelta(minutes=1))
def fulfil_wishes() -> None:
    """Cards that came by a form, and were to be the default, are. Stripe is asked only where a card came since."""
    for wished in _wishes():
        office = wished.office
        done = office.operations.filter(kind=DEFAULT, request__wish=str(wished.public_id))
        if done.exists() or unsettled(office):
            continue
        came_by = wished.steps.exclude(object_id="").order_by("-pk").values_list("object_id", flat=True).first() or ""
        card = on_file(office).filter(stripe_id=gateway.card_set_up(came_by), is_default=False).first()
        if card:
            by = actor.job("default card")
            set_default_payment_method(office, card, by=by, reason=wished.reason, wish=str(wished.public_id))


def _wishes() -> QuerySet[Operation]:
    """Forms that were asked for with the wish, where a card came since that is not the default."""
    cards = PaymentMethod.objects.filter(
        office=OuterRef("office"), seen_at__gte=OuterRef("created_at"), detached_at=None, is_default=False
    )
    return (
        Operation.objects.filter(
            kind__in=(BY_INTENT, BY_LINK),
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
    ends = office.cancels_at_period_end and office.balance_due == 0
    return office.has_live_subscription and not ends


def _row(office: Office, card: str) -> PaymentMethod:
    return office.payment_methods.get(public_id=card)


def _was_prepared(run: Run, office: Office) -> bool:
    customer = customer_made(run, office)
    return bool(customer) and gateway.has_setup_intent(customer, operation=run.id)


def _has_link(run: Run, office: Office) -> bool:
    customer = customer_made(run, office)
    return bool(customer) and gateway.has_card_link(customer, operation=run.id)


def _is_default(run: Run, office: Office) -> bool:
    default = gateway.fetch_customer(office.payment_provider_customer_id or "").default_payment_method
    return default is not None and default.id == _row(office, run.operation.request["card"]).stripe_id


def _was_removed(run: Run, office: Office) -> bool:
    card = _row(office, run.operation.request["card"])
    return gateway.owner_of_card(card.stripe_id) != office.payment_provider_customer_id


@operation_body(BY_INTENT, search=_was_prepared)
def _prepare(run: Run, office: Office, *, make_default: bool) -> None:
    customer = customer_of(run, office)
    run.told = gateway.create_setup_intent(
        customer, office=str(office.public_id), operation=run.id, step=run.step("setup_intent")
    )


@operation_body(BY_LINK, search=_has_link)
def _make_link(run: Run, office: Office, *, make_default: bool) -> None:
    customer = customer_of(run, office)
    run.told = gateway.create_card_link(
        customer,
        return_url=return_url(),
        office=str(office.public_id),
        operation=run.id,
        step=run.step("link"),
    )


@operation_body(DEFAULT, search=_is_default, about_cards=True)
def _set_default(run: Run, office: Office, *, card: str, wish: str) -> None:
    customer = office.payment_provider_customer_id or ""
    gateway.set_default_payment_method(_row(office, card).stripe_id, customer=customer, step=run.step("default"))


@operation_body(REMOVE, search=_was_removed, about_cards=True)
def _remove(run: Run, office: Office, *, card: str) -> None:
    gateway.detach_payment_method(_row(office, card).stripe_id, step=run.step("detach"))
