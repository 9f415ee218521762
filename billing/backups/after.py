"""What must be found out before a database that was restored from a backup works again, and its release.

Nothing is asked for again here, and nothing is charged: what was open in the backup is looked for at Stripe. Each step
can be repeated, so a run that was stopped is started again. What was found stays in ``Hold.report``.
"""

import uuid
from collections import defaultdict
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import Q

from billing import clock, held
from billing.audit import restored, trail
from billing.audit.actor import Actor
from billing.backups import one_run
from billing.findings import report as report_finding
from billing.models import (
    BulkAct,
    BulkRow,
    Finding,
    Hold,
    Notification,
    Office,
    Operation,
    ReceivedEvent,
    Reconciliation,
    User,
)
from billing.operations.engine import lost_commits, settle
from billing.projection import link_customer
from billing.reconciliation import adoption, end, reconcile
from billing.reconciliation.unknown_customers import office_id
from billing.stripe_api.gateway import lists
from billing.stripe_api.gateway.lists import Listed
from billing.stripe_api.inbound.states import CustomerState

MAY_BE_SENT = "It waited in the backup that was restored, and may have been sent since."
MAY_BE_DONE = "It waited in the backup that was restored, and may have been done since. Look at the Office."
STRIPE_KEEPS_EVENTS = timedelta(days=29)
"""A little less than the 30 days: https://docs.stripe.com/api/events."""
NEVER_KNOWN = (
    "Who asked for what since the backup, and why: operations, reasons, requests for approval, and Idempotency-Keys. A "
    "program that repeats a request of that time would begin a new operation.",
    "People, roles, services, plans and determinations that were made, changed or ended since. Look through them: "
    "somebody who was shut out since is in again, and a secret of a service that was replaced opens again.",
    "Acts and reads in the audit trail since, but for heads that were kept elsewhere.",
)

BEING_SETTLED = "is being settled"
"""How the line of an operation ends until its outcome is known."""

Tell = Callable[[str], None]
Report = dict[str, list[str]]


class NotReleased(Exception):
    """The hold stays. The text says why, and what to do."""


def find_out(*, by: Actor, reason: str, head: dict[str, Any] | None = None, tell: Tell = lambda _: None) -> Hold:
    """Find out what is missing, settle what was open, and return the hold with its report. The database stays held.

    ``head`` is the newest head of the lost database's audit trail that somebody kept.

    Raises:
        NotReleased: the database is not held, or no key of ours signed the head.
        AnotherRuns: another process finds out.
        StripeUnavailable, StripeKeyRefused, ReconciliationUnderWay: run it again. It goes on from there.
    """
    hold = _the_hold()
    if head is not None and not restored.is_signed(head):
        raise NotReleased("No key of ours signed that head. Is the old public key in AUDIT_SEAL_PUBLIC_KEYS?")
    with one_run.alone() as renew, trail.acting(by, reason=reason), held.settling():

        def tell_and_renew(what: str) -> None:
            renew()
            tell(what)

        tell_and_renew("The audit trail …")
        gap = restored.record(hold, restored_at=clock.wall(), head=restored.newest_lost_head(hold, given=head))
        _note(hold, "audit trail", [str(gap)])
        tell_and_renew("Operations that were open in the backup …")
        _settle_open(hold, renew)
        tell_and_renew("E-mails that waited in the backup …")
        _stop_mails(hold)
        tell_and_renew("Bulk acts that had not ended in the backup …")
        _stop_bulk_acts(hold)
        tell_and_renew("Customers that were made since …")
        known_now = _take_in_customers(hold, renew)
        tell_and_renew("Comparing everything with Stripe …")
        run = _compare(by, reason, renew)
        told = run.findings.values_list("kind", "subject", "office__public_id").order_by("pk")
        _note(
            hold,
            "differences",
            [f"{kind} {subject}" + (f", Office {office}" if office else "") for kind, subject, office in told],
        )
        tell_and_renew("What operations did since …")
        _tell_of_lost(hold, known_now, run, renew)
        renew()
        hold.compared_at = clock.wall()
        hold.save(update_fields=["compared_at"])
    return hold


def release(*, by: Actor, reason: str) -> None:
    """Let the database work again. Repeating is refused.

    Raises: NotReleased, AnotherRuns, ReasonRequired, TextNotNeutral.
    """
    with one_run.alone():
        _release(by=by, reason=reason)


def _release(*, by: Actor, reason: str) -> None:
    hold = _the_hold()
    if not isinstance(by.user, User) or not (by.user.is_active and by.user.is_staff):
        raise NotReleased("Only somebody of the vendor's staff can release it.")
    if hold.compared_at is None:
        raise NotReleased("It was not compared with Stripe to the end yet. Run after_restore without --release first.")
    if open_ := Operation.objects.filter(status__in=Operation.UNSETTLED).first():
        raise NotReleased(f"The operation {open_.public_id} is not settled yet. Run after_restore without --release.")
    with trail.acting(by, reason=trail.checked_reason(reason)), transaction.atomic(durable=True):
        Hold.objects.filter(released_at=None).update(released_at=clock.wall())
        trail.record_act(trail.installation(), f"released the database that was {hold}")


def _the_hold() -> Hold:
    """Raises: NotReleased."""
    hold = Hold.objects.filter(released_at=None).first()
    if hold is None:
        raise NotReleased("This database is not held.")
    return hold


def _note(hold: Hold, about: str, lines: list[str], *, instead_of: str | None = None) -> None:
    """Put these lines into the report, beside those that an earlier run put there."""
    with transaction.atomic():
        found: Report = Hold.objects.select_for_update().get(pk=hold.pk).report or {}
        before = [one for one in found.get(about, []) if one != instead_of]
        hold.report = found | {about: before + [one for one in lines if one not in before]}
        hold.save(update_fields=["report"])


def _settle_open(hold: Hold, renew: one_run.Renew) -> None:
    """Settle the operations without an outcome, one by one, without asking for any of them again.

    Each is noted before, so that a run that is killed then has listed it. The next one notes its outcome.
    """
    report: Report = hold.report or {}
    begun = [
        line.split("operation ")[-1].split(",")[0] for line in report.get("open operations", []) if _is_begun(line)
    ]
    wanted = Q(status__in=Operation.UNSETTLED) | Q(public_id__in=begun)
    for operation in Operation.objects.filter(wanted).order_by("pk"):
        renew()
        named = f"{operation.in_words}, operation {operation.public_id}, Office {operation.office.public_id}"
        line = f"{named}: {BEING_SETTLED}"
        _note(hold, "open operations", [line])
        is_open = operation.status in Operation.UNSETTLED
        status = settle.settle_restored(operation) if is_open else operation.status
        _note(hold, "open operations", [f"{named}: {status}"], instead_of=line)


def _is_begun(line: str) -> bool:
    return line.endswith(f": {BEING_SETTLED}")


def _stop_mails(hold: Hold) -> None:
    """Let the e-mails that waited wait for a person: nobody knows whether they were sent since."""
    waiting = (Notification.State.WAITING, Notification.State.SENDING)
    for row in Notification.objects.filter(state__in=waiting, created_at__lt=hold.restored_at).order_by("pk"):
        with transaction.atomic():
            unknown = {"state": Notification.State.UNKNOWN, "last_error": MAY_BE_SENT}
            Notification.objects.filter(pk=row.pk).update(**unknown, claim_id=None, lease_until=None)
            detail = f"Nobody knows whether an e-mail ({row}) was sent. {MAY_BE_SENT}"
            report_finding("mail_unknown", str(row.public_id), office=row.office, detail=detail)
            _note(hold, "e-mails", [f"{row}, {row.public_id}"])


def _stop_bulk_acts(hold: Hold) -> None:
    """Stop the bulk acts that had not ended in the backup. What they did after it is unknown, and each row says so."""
    for act in BulkAct.objects.filter(ended_at=None, created_at__lt=hold.restored_at).order_by("pk"):
        with transaction.atomic():
            now = clock.wall()
            unknown = {"state": BulkRow.State.UNKNOWN, "says": MAY_BE_DONE, "settled_at": now}
            n = BulkRow.objects.filter(act=act, settled_at=None).update(**unknown)
            act.stopped_at = act.ended_at = now
            act.save(update_fields=["stopped_at", "ended_at"])
            _note(hold, "bulk acts", [f"{act}: {n} Offices whose result is not known"])


def _take_in_customers(hold: Hold, renew: one_run.Renew) -> set[int]:
    """Make the Offices again that are lost, and link customers to Offices that had none. Return the Offices' keys.

    Only customers that this software made are taken in: their metadata has the id of their Office. What else subscribes
    to a plan is told of by the comparison, for a person. Each is noted before, so that a run that is killed then has
    listed it, and the next one knows it.
    """
    report: Report = hold.report or {}
    noted = [line.partition(":")[0] for line in report.get("Offices", [])]
    found = set(Office.objects.filter(public_id__in=noted).values_list("pk", flat=True))
    of_office: defaultdict[uuid.UUID, list[Listed]] = defaultdict(list)
    cursor, more = "", True
    while more:
        renew()
        page = lists.customers(cursor)
        for one in page.objects:
            number = office_id(one.state) if isinstance(one.state, CustomerState) else None
            if number and not Office.objects.filter(payment_provider_customer_id=one.customer).exists():
                of_office[number].append(one)
        cursor, more = page.next, bool(page.next)
    for number, customers in of_office.items():
        renew()
        office = Office.objects.filter(public_id=number).first()
        if len(customers) > 1 or (office and office.payment_provider_customer_id):
            continue  # the comparison tells a person
        _note(hold, "Offices", [f"{number}: {'has its customer again' if office else 'made again'}"])
        customer = customers[0]
        office = link_customer(office.pk, customer.customer) if office else adoption.adopt_customer(customer)
        found.add(office.pk)
    return found


def _compare(by: Actor, reason: str, renew: one_run.Renew) -> Reconciliation:
    for unfinished in Reconciliation.objects.filter(ended_at=None, adopts=True):
        end(unfinished, by=by, reason=reason)
    return reconcile(by=by, reason=reason, everything=True, after_each_page=lambda _: renew())


def _tell_of_lost(hold: Hold, offices: set[int], run: Reconciliation, renew: one_run.Renew) -> None:
    """Report what operations made that are not on record here, of each Office to which anything happened since.

    Events say to which, and so does the comparison. Where Stripe keeps no events of that time, every Office is asked.
    """
    events = ReceivedEvent.objects.filter(status=ReceivedEvent.Status.WAITING)
    with_events = Office.objects.filter(payment_provider_customer_id__in=events.values("customer_id"))
    offices = offices | set(with_events.values_list("pk", flat=True))
    offices |= set(run.findings.exclude(office=None).values_list("office", flat=True))
    if clock.billing() - hold.made_at > STRIPE_KEEPS_EVENTS:
        everyone = Office.objects.exclude(payment_provider_customer_id=None)
        offices |= set(everyone.values_list("pk", flat=True))
    for office in Office.objects.filter(pk__in=offices).order_by("pk"):
        renew()
        found: list[Finding] = lost_commits.tell_of_lost(office)
        _note(hold, "lost operations", [f"operation {one.subject}, Office {office.public_id}" for one in found])
