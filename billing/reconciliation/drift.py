"""Repairing drift: a look at each suspect's Office repairs its rows. A finding says what the look changed."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime

from django.conf import settings

from billing import errors
from billing.findings import report, resolve
from billing.look import look
from billing.models import Office, Operation, ReceivedEvent, Subscription
from billing.reconciliation import compare
from billing.reconciliation.compare import Difference, Values
from billing.reconciliation.suspects import Suspect
from billing.stripe_api import pace

KIND, NOT_COMPARED = "drift", "not_compared"


@dataclass(slots=True)
class Result:
    offices: set[int] = field(default_factory=set)
    looks: int = 0
    drifted: int = 0
    left: int = 0


def repair(
    suspects: Iterable[Suspect],
    *,
    go_on: Callable[[], bool] = lambda: True,
    by_hand: bool = False,
    last: datetime | None = None,
) -> Result:
    """Look at each Office that has a suspect, until ``go_on`` returns False. It is called after each Office.

    ``last`` is when the comparison before this one began. The findings name it.
    If RECONCILE_REPAIRS is off and not ``by_hand``, an Office is looked at only if all its suspects are guesses. For
    the others the differences stay and become open findings. Repeating is safe. Money does not move.

    Raises:
        StripeUnavailable, StripeKeyRefused: the Offices before it were looked at.
    """
    result = Result()
    offices: dict[int, list[Suspect]] = {}
    for one in suspects:
        offices.setdefault(one.office.pk, []).append(one)
    for group in offices.values():
        if settings.RECONCILE_REPAIRS or by_hand or all(one.is_guess for one in group):
            _look_at(group, result, last)
        else:
            _leave(group, result, last)
        result.offices.add(group[0].office.pk)
        if not go_on():
            break
    return result


def resolve_equal(objects: Iterable[str]) -> None:
    """Resolve the drift findings of these objects (ids at Stripe), because a page showed no difference."""
    resolve(KIND, *objects, resolution="equal when it was compared again")


def _look_at(group: list[Suspect], result: Result, last: datetime | None) -> None:
    office = Office.objects.get(pk=group[0].office.pk)
    late = _is_expected(office)
    before = [one.now() for one in group]
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
        report(NOT_COMPARED, subject, office=office, severity="critical", detail=words)
        result.left += len(group)
        return
    resolve(NOT_COMPARED, subject, resolution="it could be compared later")
    result.looks += 1
    for one, was in zip(group, before, strict=True):
        is_ = one.now()
        if changed := _changed(one, was, is_):
            result.drifted += 1
            if not late:
                _tell(one, changed, last, resolution="repaired: Stripe was looked at again")
        elif one.is_guess:
            continue
        elif _was_not_seen(one, is_, office) and not (seen.customer_deleted_at and one.model is Subscription):
            result.left += 1
            _tell(one, one.found, last)


def _leave(group: list[Suspect], result: Result, last: datetime | None) -> None:
    """Report the differences that still exist, without repairing them."""
    for one in group:
        was = one.now()
        still = tuple(each for each in one.found if was is None or not each.column or was[each.column] == each.ours)
        if still and not _is_expected(one.office):
            result.left += 1
            _tell(one, still, last)


def _changed(one: Suspect, was: Values | None, is_: Values | None) -> tuple[Difference, ...]:
    if is_ is None:
        return ()
    if was is None:
        return compare.differences(None, is_)
    columns = [each.column for each in one.found if each.column]
    return tuple(Difference(name, was[name], is_[name]) for name in columns if was[name] != is_[name])


def _was_not_seen(one: Suspect, is_: Values | None, before: Office) -> bool:
    """Return whether the look did not see the object: it is too old for a look, or belongs to another customer."""
    return one.model is not None and (is_ is None or is_["ticket"] <= before.look_ticket)


def _is_expected(office: Office) -> bool:
    """Return whether an event or an operation of the Office is not settled. Being behind is then not drift."""
    waiting = ReceivedEvent.objects.filter(
        customer_id=office.payment_provider_customer_id, status=ReceivedEvent.Status.WAITING
    )
    unsettled = office.operations.filter(status__in=Operation.UNSETTLED)
    return waiting.exists() or unsettled.exists()


def _tell(one: Suspect, found: tuple[Difference, ...], last: datetime | None, *, resolution: str = "") -> None:
    since = f" The comparison before began on {last:%d %b %Y %H:%M} UTC." if last else ""
    currency = getattr(one.state, "currency", "") or one.office.currency
    report(
        KIND,
        one.stripe_id,
        office=one.office,
        severity=compare.severity(found),
        detail=f"{one.kind.capitalize()}: {compare.in_words(found, currency)}.{since}",
        resolution=resolution,
    )
