"""What an operation is: one class that holds all of it.

    @operation
    @dataclass(frozen=True, kw_only=True)
    class VoidInvoice(OnInvoice):
        kind = Kind.VOID_INVOICE
        ...

The class says who may, whether money may move and when it is offered. An instance is a request: its fields are
what was asked for, and the JSON that is stored with the operation (``engine.stored``). ``prepare`` runs under the
Office's lock and returns the exact request; ``ask`` makes its steps at Stripe; ``settle_unknown`` finds out what
became of it where the answer was lost.

The faces read the same class: the API makes its body and its text from the fields and the docstring, the admin its
request from a form. Neither says a rule of its own.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from enum import Enum
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Literal, Self, TypeVar, cast

from billing import errors, schedules
from billing.access.roles import Power
from billing.audit.actor import Actor
from billing.models import Invoice, Office, Operation, Payment
from billing.models.operation import Kind
from billing.money import Money
from billing.operations.engine.losses import Loss
from billing.operations.engine.standing import Standing
from billing.text import gate
from billing.text.gate import Typed

if TYPE_CHECKING:
    from billing.operations.engine.steps import Run

Subject = TypeVar("Subject")
Result = TypeVar("Result")


class Moves(Enum):
    """Whether money moves."""

    NOTHING = "Money does not move."
    LATER = "No money moves now; what is charged later changes."
    NOW = "Money may move now."
    BACK = "Money goes back to the Office."


class Outcome(Enum):
    """What became of an operation whose answer was lost."""

    DONE = "done"
    NOT_DONE = "not done"

    @classmethod
    def of(cls, done: bool) -> "Outcome":
        return cls.DONE if done else cls.NOT_DONE


@dataclass(frozen=True, slots=True)
class Asked:
    """Who asks, and why: the reason as it was given, not judged yet."""

    by: Actor
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Terms:
    """What may be given for a field, for the faces. ``nullable``: null may be given. ``form``: a shape with a name.

    ``typed`` is what a text is, for the gate. A text without it is of a closed list or form.
    """

    help: str = ""
    least: int | None = None
    longest: int | None = None
    choices: tuple[str, ...] | tuple[tuple[str, str], ...] = ()
    blank: bool = False
    nullable: bool = False
    form: Literal["", "card", "email", "language", "price", "uuid"] = ""
    typed: Typed | None = None


def asked_for(help: str = "", **terms: Any) -> Mapping[str, Any]:
    """The metadata of a field that the one who asks gives: ``quantity: int = field(metadata=asked_for(least=1))``."""
    return {"terms": Terms(help, **terms)}


FILLED_IN: Mapping[str, Any] = {"filled_in": True}
"""The metadata of a field that the operation writes itself: by ``naming`` or ``prepare``."""

NOT_STORED: Mapping[str, Any] = {"not_stored": True}
"""Beside other metadata: what is given is not in the request that is stored, so ``ask`` must go without it."""


@dataclass(frozen=True, kw_only=True)
class Declaration(Generic[Subject, Result]):
    """An operation on a subject. See the module."""

    kind: ClassVar[Kind]
    done: ClassVar[str]
    """What somebody did who carried it out, as a line of the timeline says it after their name."""
    money: ClassVar[Moves] = Moves.NOTHING
    needs: ClassVar[Power] = Power.MANAGE
    """What whoever asks for it must be able to do. The table of ``billing.access.roles`` says whose roles allow it."""
    asks_to: ClassVar[str] = ""
    """What it is, where a refusal says it in other words than the power's: you are not allowed to …"""
    needs_determination: ClassVar[bool] = False
    """It can make Stripe charge somebody: in live mode it waits for a determination in force."""
    on_archived: ClassVar[bool] = False
    """It may be done to an Office that is archived."""
    no_preview_because: ClassVar[str] = ""
    """Why it has no preview although money moves, where it has none."""
    not_in_api: ClassVar[str] = ""
    not_in_admin: ClassVar[str] = ""
    """Why a face does not offer it, where it does not."""

    @classmethod
    def offered(cls, subject: Subject) -> bool:
        """Whether it can work in the state that the subject is in. ``prepare`` decides."""
        return True

    @classmethod
    def is_offered(cls, subject: Subject) -> bool:
        """Whether a face offers it now."""
        return (cls.on_archived or cls.office_of(subject).archived_at is None) and cls.offered(subject)

    @staticmethod
    def office_of(subject: Any) -> Office:
        """The Office that is billed."""
        raise NotImplementedError

    def naming(self, subject: Subject) -> Self:
        """The request, with the key of what it is about."""
        return self

    def subject_in(self, office: Office) -> Subject:
        """What the request is about, read now."""
        raise NotImplementedError

    def look_up(self, subject: Subject, asked: Asked) -> Self:
        """Ask Stripe what must be known before the Office is locked. Nothing changes. Outside any transaction."""
        return self

    def already_so(self, subject: Subject, asked: Asked) -> bool:
        """Nothing is left to do, so that repeating is a no-op."""
        return False

    def check_subject(self, subject: Subject) -> None:
        """Check what each operation on such a subject must, before ``prepare``. Raises what refuses it."""

    @property
    def of_stripe(self) -> tuple[str, ...]:
        """The names of the fields with a text that Stripe has already."""
        return ()

    def check_typed(self, subject: Subject) -> None:
        """Judge each text that a person typed, but for what is here or at Stripe already. Raises: TextNotNeutral."""
        for one in fields(self):
            terms, given = one.metadata.get("terms"), getattr(self, one.name)
            if not terms or not terms.typed or one.name in self.of_stripe:
                continue
            if given and given != getattr(subject, one.name, None):
                gate.check(given, terms.typed, called=one.name.replace("_", " "))

    def prepare(self, subject: Subject, asked: Asked) -> Self:
        """Check under the Office's lock, and return the exact request. Raises what refuses it."""
        return self

    def given_back(self, subject: Subject) -> Money | None:
        """Return what the Office gets back, None if nothing. ``self`` is prepared.

        An operation that needs the power to give back says it: above a limit it waits for a second person. A discount
        gives nothing back: it lowers what comes.
        """
        return None

    def check_beyond_preview(self, subject: Subject) -> None:
        """Check what only carrying out needs, and a preview may go without. Raises what refuses it."""

    def loses(self, subject: Subject, at: datetime) -> Loss | None:
        """Return what it ends or gives up for good now, None if nothing. From our rows; ``self`` is prepared.

        Then a person confirms it in a second step, also if no money moves.
        """
        return None

    def compares(self, subject: Subject, before: Standing, seen: Any) -> tuple[Standing, Standing] | None:
        """Return how the Office stands before and after it. None: there is nothing to compare.

        ``self`` is prepared. ``seen`` is its preview, if it has one.
        """
        return None


@dataclass(frozen=True, kw_only=True)
class AtStripe(Declaration[Subject, Result]):
    """An operation that asks Stripe: its intent, its requests and its outcome are committed apart."""

    changes_cards: ClassVar[bool] = False
    """The look afterwards asks for the cards too."""

    def begun(self, operation: Operation) -> None:
        """Write down more of the intent, in the transaction that begins it."""

    def ask(self, run: "Run") -> None:
        """Ask Stripe, step by step. It can be run again from its start."""
        raise NotImplementedError

    def settle_unknown(self, run: "Run") -> Outcome:
        """Find out what became of it, after its answer was lost; undo what must not stand."""
        raise NotImplementedError

    def result(self, run: "Run") -> Result:
        """What the one who asked is shown, from our rows as they are now."""
        return cast(Result, self.subject_in(run.office))


@dataclass(frozen=True, kw_only=True)
class Here(Declaration[Subject, Result]):
    """An operation on our own rows: Stripe is not asked."""

    def carry_out(self, subject: Subject) -> Result:
        """Change our rows, in the transaction that checked the request."""
        raise NotImplementedError


@dataclass(frozen=True, kw_only=True)
class Previewed(Generic[Subject]):
    """A mixin: the operation can be previewed, and confirmed with the ``as_of`` of the preview.

    Then it is done once, and only if nothing was done to the Office since the preview.
    """

    as_of: datetime | None = field(
        default=None,
        metadata=asked_for(
            "The `as_of` of a preview that is at most one hour old. The operation is then carried out once, with the "
            "amounts of that preview. It is refused if anything was done to the Office since the preview"
        ),
    )

    def preview(self, subject: Subject, as_of: datetime, asked: Asked) -> Any:
        """Show what it would come to at ``as_of``. Nothing changes. ``self`` is prepared."""
        raise NotImplementedError


def confirmed(request: Declaration[Any, Any], as_of: datetime | None) -> Declaration[Any, Any]:
    """The request, confirmed as it was shown at ``as_of``, where it can be."""
    return replace(request, **{"as_of": as_of}) if isinstance(request, Previewed) else request


class AboutOffice:
    """Beside a declaration: what it is about is the Office."""

    @staticmethod
    def office_of(subject: Office) -> Office:
        return subject

    def subject_in(self, office: Office) -> Office:
        return office


@dataclass(frozen=True, kw_only=True)
class OnOffice(AboutOffice, AtStripe[Office, Result]):
    """An operation on an Office."""


@dataclass(frozen=True, kw_only=True)
class Telling(OnOffice[str]):
    """An operation that tells the one who asks a link or a secret, once. It is stored nowhere.

    Where no answer arrived it is lost: the operation settles, and another is asked for.
    """

    ANSWER_LOST: ClassVar[str] = (
        "Stripe did not answer. If it made a link or a secret, nobody has seen it. Ask for another one in a minute."
    )

    def result(self, run: "Run") -> str:
        if not run.shown_once:
            raise errors.StripeUnavailable(self.ANSWER_LOST)
        return run.shown_once


@dataclass(frozen=True, kw_only=True)
class OnSubscription(OnOffice[Office]):
    """An operation on the Office's live subscription, which it names.

    It is refused while a schedule at Stripe manages the subscription, unless it is ``despite_schedule``.
    """

    can_end_schedule: ClassVar[bool] = False
    """Some requests of it are ``despite_schedule``."""

    subscription: str = field(default="", metadata=FILLED_IN)

    @property
    def despite_schedule(self) -> bool:
        """Whether Stripe does it, and for good, although a schedule manages the subscription."""
        return False

    @classmethod
    def is_offered(cls, subject: Office) -> bool:
        return super().is_offered(subject) and (cls.can_end_schedule or not subject.is_managed_by_schedule)

    def check_subject(self, subject: Office) -> None:
        """Raises: ManagedBySchedule."""
        if self.despite_schedule or not subject.has_live_subscription:
            return
        current = subject.current_subscription
        if current and (schedule := schedules.managing(current)):
            raise errors.ManagedBySchedule(schedules.told_of_managing(schedule, subject.time_zone))

    def naming(self, subject: Office) -> Self:
        return replace(self, subscription=subject.payment_provider_subscription_id)


@dataclass(frozen=True, kw_only=True)
class OnInvoice(AtStripe[Invoice, Invoice]):
    """An operation on an invoice."""

    invoice: str = field(default="", metadata=FILLED_IN)

    @staticmethod
    def office_of(subject: Invoice) -> Office:
        return subject.office

    def naming(self, subject: Invoice) -> Self:
        return replace(self, invoice=str(subject.public_id))

    def subject_in(self, office: Office) -> Invoice:
        row = Invoice.objects.get(office=office, public_id=self.invoice)
        row.office = office
        return row


@dataclass(frozen=True, kw_only=True)
class OnPayment(AtStripe[Payment, Payment]):
    """An operation on a payment."""

    payment: str = field(default="", metadata=FILLED_IN)

    @staticmethod
    def office_of(subject: Payment) -> Office:
        return subject.office

    def naming(self, subject: Payment) -> Self:
        return replace(self, payment=str(subject.public_id))

    def subject_in(self, office: Office) -> Payment:
        row = Payment.objects.get(office=office, public_id=self.payment)
        row.office = office
        return row
