"""Repairing drift: a look at each suspect's Office repairs its rows. A finding says what the look changed."""

import hashlib
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder

from billing import clock, errors, several, zones
from billing.findings import report, resolve
from billing.held import Gap
from billing.look import look
from billing.models import Finding, Office, Operation, ReceivedEvent, Reconciliation, Subscription
from billing.projection import OLDEST
from billing.reconciliation import compare, suspects
from billing.reconciliation.compare import Difference
from billing.reconciliation.suspects import Held, Suspect
from billing.stripe_api import pace

KIND, NOT_COMPARED = "drift", "not_compared"
REPAIRED = "repaired: Stripe was looked at again"
UNDERWAY = timedelta(minutes=15)
"""An event that is younger may still be delivered by itself."""
SHOWN_EVENTS = 3


@dataclass(slots=True)
class Result:
    """What ``repair`` did.

    ``drifted`` is how many objects were repaired and told of, each in a finding of its own. ``expected`` is how many
    changed because of an event or an operation on its way, and ``filled`` is how many got what a new version reads of
    them: that is no drift, and no finding tells of it. ``differs``
    are the subjects of the findings about what still differs, and ``left`` is how many of these are open.
    """

    offices: set[int] = field(default_factory=set)
    looks: int = 0
    drifted: int = 0
    expected: int = 0
    filled: int = 0
    left: int = 0
    differs: set[str] = field(default_factory=set)

    @classmethod
    def of(cls, parts: Iterable["Result"]) -> "Result":
        """Return what these did together. No two are about the same Office."""
        whole = cls()
        for one in parts:
            whole.offices |= one.offices
            whole.differs |= one.differs
            whole.looks += one.looks
            whole.drifted += one.drifted
            whole.expected += one.expected
            whole.filled += one.filled
            whole.left += one.left
        return whole


@dataclass(frozen=True, slots=True)
class Teller:
    """Whose findings these are: ``run`` is the comparison, and ``last`` is when the one before it began, if any."""

    run: Reconciliation | None = None
    last: datetime | None = None


def repair(
    found: Iterable[Suspect],
    *,
    go_on: Callable[[], bool] = lambda: True,
    by_hand: bool = False,
    teller: Teller = Teller(),
) -> Result:
    """Look at each Office that has a suspect, several at once. None is begun after ``go_on`` has returned False.

    What the look changed had drifted, and each object that changed gets a finding. If an event or an operation of the
    Office was on its way, its change was expected and is only counted.
    If RECONCILE_REPAIRS is off and not ``by_hand``, an Office is looked at only if all its suspects are guesses. For
    the others the differences stay and become open findings. After an update, Offices whose rows a version before read
    are looked at in any case. Repeating is safe. Money does not move.

    Raises:
        StripeUnavailable, StripeKeyRefused: some Offices were looked at before, or at the same time.
    """
    offices: dict[int, list[Suspect]] = {}
    for one in found:
        offices.setdefault(one.office.pk, []).append(one)

    def of_office(group: list[Suspect]) -> Result:
        result = Result(offices={group[0].office.pk})
        is_looked_at = settings.RECONCILE_REPAIRS or by_hand or group[0].office.is_behind
        if is_looked_at or all(one.is_guess for one in group):
            _look_at(group, result, teller)
        else:
            _leave(group, result, teller)
        return result

    at_once = min(len(offices), settings.WORKER_LOOKS_AT_ONCE) or 1
    return Result.of(several.each(of_office, offices.values(), at_once=at_once, go_on=go_on))


def resolve_equal(objects: Iterable[str]) -> None:
    """Resolve the drift findings of these objects (ids at Stripe), because a page showed no difference."""
    resolve(KIND, *objects, resolution="equal when it was compared again")


def _look_at(group: list[Suspect], result: Result, teller: Teller) -> None:
    office = Office.objects.get(pk=group[0].office.pk)
    expected, before = _is_expected(office), suspects.held(office)
    named: dict[str, set[str]] = {}
    for one in group:
        for kind, ids in one.named.items():
            named.setdefault(kind, set()).update(ids - {""})
    subject = str(office.public_id)
    try:
        with pace.one_look():
            seen = look(office, payment_methods=any(one.model is None for one in group), **named)
    except (errors.StripeUnavailable, errors.StripeKeyRefused):
        raise
    except errors.BillingError as error:
        words = f"It could not be compared with Stripe. {error}"
        told = report(NOT_COMPARED, subject, office=office, detail=words, facts=error.code, comparison=teller.run)
        _left(told, result)
        return
    resolve(NOT_COMPARED, subject, resolution="it could be compared later")
    result.looks += 1
    after = suspects.held(office)
    changed = _changed(before, after)
    if office.is_behind:
        result.filled += len(changed)
    elif expected:
        result.expected += len(changed)
    else:
        missed = [one.missed for one in group if one.missed]
        for stripe_id, differences in changed.items():
            _tell_of_repair(office, stripe_id, after[stripe_id], differences, missed, teller)
            result.drifted += 1
    for one in group:
        if one.is_guess or one.stripe_id in changed:
            continue
        if _was_not_seen(one, office) and not (seen.customer_deleted_at and one.model is Subscription):
            _tell_of_difference(one, one.found, result, teller)


def _leave(group: list[Suspect], result: Result, teller: Teller) -> None:
    """Report the differences that still exist, without repairing them."""
    for one in group:
        was = one.now()
        still = tuple(each for each in one.found if was is None or not each.column or was[each.column] == each.ours)
        if still and not _is_expected(one.office):
            _tell_of_difference(one, still, result, teller)


def _changed(before: dict[str, Held], after: dict[str, Held]) -> dict[str, tuple[Difference, ...]]:
    """Return what changed between the two, by the ids at Stripe. Nothing that we hold goes away."""
    found = {
        stripe_id: compare.differences(before[stripe_id].values if stripe_id in before else None, held.values)
        for stripe_id, held in after.items()
    }
    return {stripe_id: differences for stripe_id, differences in found.items() if differences}


def _was_not_seen(one: Suspect, before: Office) -> bool:
    """Return whether the look did not see the object: it is too old for a look, or belongs to another customer."""
    if one.model is None:
        return False
    is_ = one.now()
    return is_ is None or is_["ticket"] <= before.look_ticket


def _is_expected(office: Office) -> bool:
    """Return whether being behind is no drift.

    No look has seen the Office yet, or an operation is not settled, or an event that was delivered is not. An event
    that had to be read from Stripe's list does not count: it was not on its way.
    """
    waiting = ReceivedEvent.objects.filter(
        customer_id=office.payment_provider_customer_id, status=ReceivedEvent.Status.WAITING, was_missed=False
    )
    unsettled = office.operations.filter(status__in=Operation.UNSETTLED)
    return office.look_ticket == OLDEST or waiting.exists() or unsettled.exists()


def _tell_of_repair(
    office: Office,
    stripe_id: str,
    now: Held,
    changed: tuple[Difference, ...],
    missed: list[ReceivedEvent],
    teller: Teller,
) -> None:
    """Report what the look changed. If every reason for the look is an event that may still come, it is a notice."""
    may_come = missed and all(is_underway(one) for one in missed)
    report(
        KIND,
        stripe_id,
        office=office,
        severity=Finding.Severity.NOTICE if may_come else compare.severity(changed),
        detail=_detail(now.kind, office, changed, now.currency, teller) + _of_missed(missed),
        resolution=REPAIRED,
        comparison=teller.run,
    )


def _tell_of_difference(one: Suspect, found: tuple[Difference, ...], result: Result, teller: Teller) -> None:
    """Report a difference that stays."""
    currency = getattr(one.state, "currency", "")
    told = report(
        KIND,
        one.stripe_id,
        office=one.office,
        severity=compare.severity(found),
        detail=_detail(one.kind, one.office, found, currency, teller),
        facts=_digest(found),
        comparison=teller.run,
    )
    _left(told, result)


def _digest(found: tuple[Difference, ...]) -> str:
    """Return what the finding rests on: the values of all columns, also of those that the words leave out."""
    values = [(one.column, one.ours, one.theirs) for one in found]
    return hashlib.sha256(json.dumps(values, cls=DjangoJSONEncoder, sort_keys=True).encode()).hexdigest()


def _left(told: Finding, result: Result) -> None:
    if told.subject not in result.differs and told.resolved_at is None:
        result.left += 1
    result.differs.add(told.subject)


def _detail(kind: str, office: Office, found: tuple[Difference, ...], currency: str, teller: Teller) -> str:
    words = compare.in_words(found, currency or office.currency, office.time_zone)
    since = f" The comparison before began on {zones.moment(teller.last, office.time_zone)}." if teller.last else ""
    return f"{kind.capitalize()}: {words}.{since}"


def _of_missed(missed: list[ReceivedEvent]) -> str:
    """Return a sentence about the events that had not arrived, or nothing."""
    if not missed:
        return ""
    kinds = sorted({one.type for one in missed})
    more = f" and {len(kinds) - SHOWN_EVENTS} more" if len(kinds) > SHOWN_EVENTS else ""
    gap = Gap()
    if all(gap.has(one.created_at) for one in missed):
        return f" It changed after the backup that was restored: {', '.join(kinds[:SHOWN_EVENTS])}{more}."
    still = " They may still come." if all(is_underway(one) for one in missed) else ""
    return f" Stripe's events about it had not arrived: {', '.join(kinds[:SHOWN_EVENTS])}{more}.{still}"


def is_underway(event: ReceivedEvent) -> bool:
    """Return whether the event is so young that it may still be delivered by itself."""
    return event.created_at >= clock.billing() - UNDERWAY
