"""What a person must do, in words, and the page where it is done. The first page shows these tasks."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.urls import reverse

from billing import clock, coming, zones
from billing.access import roles
from billing.access.roles import Power
from billing.admin.agreements import banner, may_approve
from billing.admin.links import list_of
from billing.admin.tones import in_words
from billing.durations import many, within
from billing.entitlement import Access, Policy, entitlement
from billing.models import Adjustment, Agreement, Finding, Office, Operation, ReceivedEvent, Reconciliation, User
from billing.models.observation import Level
from billing.models.statuses import SubscriptionStatus
from billing.money import Money, summed
from billing.monitoring.summary import Summary
from billing.reports.waiting import Counted, services_ending

SHOWN_FINDINGS, DISPUTES = 5, 20
"""How many are named one by one."""
LOOKED_AT = 20
"""Of how many Offices past due it is asked until when each has access, beginning with the one that is so longest."""
TOLD_BELOW = ("findings", "determination")
PAGES = {
    **dict.fromkeys(("webhook_signatures", "last_event", "waiting_events", "parked_events"), "receivedevent"),
    "worker": "workerheartbeat",
    "trail_triggers": "auditentry",
    "trail_verification": "finding",
    "restored": "finding",
}
"""The list in the admin that shows more about a check. For the others it is that of the jobs."""
FILTERS = {
    "waiting_events": {"status__exact": ReceivedEvent.Status.WAITING},
    "parked_events": {"status__exact": ReceivedEvent.Status.PARKED},
}


@dataclass(frozen=True, slots=True)
class Task:
    """One task. ``tone`` is ``danger``, ``warning`` or ``info``. ``page`` is an address in the admin."""

    tone: str
    title: str
    says: str
    page: str


def tasks_of(user: User, seen: Summary, counted: list[Counted]) -> Iterator[Task]:
    """Yield the tasks for this person, from what the checks found and what was counted."""
    waiting = Waiting(counted)
    yield from _of_money(waiting)
    yield from _of_checks(seen)
    yield from _of_comparisons(waiting)
    yield from _of_findings(waiting)
    yield from _of_operations(waiting)
    yield from _of_approvals(user, waiting)
    yield from _of_determinations(user, waiting)
    yield from _of_services(waiting)


class Waiting:
    """What was counted, by its name."""

    def __init__(self, counted: list[Counted]) -> None:
        self.rows = counted

    def of(self, what: str) -> list[Counted]:
        return [one for one in self.rows if one.what == what and one.n]

    def n(self, what: str, key: str | None = None) -> int:
        return sum(one.n for one in self.of(what) if key in (None, one.key))

    def sums(self, what: str) -> list[Money]:
        """Return the sum of each currency."""
        return [one for one in summed(Money(row.amount, row.currency) for row in self.of(what)) if one.amount]


def _of_money(waiting: Waiting) -> Iterator[Task]:
    """Yield what is owed, which trials end and which cards expire, with the money that it is about."""
    if n := waiting.n("owing"):
        yield Task(
            "danger",
            f"{many(n, 'Office')} {'owes' if n == 1 else 'owe'} {in_words_of(waiting.sums('owed'))}",
            " ".join(filter(None, [_standing_of_debtors(waiting, n), _next_without_access()])),
            list_of("office", view="owing"),
        )
    if n := waiting.n("trials"):
        without = waiting.n("trials", "no card")
        some = "It has" if n == 1 else "One of them has" if without == 1 else f"{without:,} of them have"
        lacking = f" {some} nothing on file to pay with." if without else ""
        yield Task(
            "warning" if without else "info",
            f"{many(n, 'trial')} {'ends' if n == 1 else 'end'} {within(coming.TRIAL_SOON)}",
            f"Then {_these(n, 'bill')} {in_words_of(waiting.sums('trials'))} a month.{lacking}",
            list_of("subscription", next="trial"),
        )
    if n := waiting.n("cards"):
        yield Task(
            "warning",
            f"{many(n, 'card')} {'expires' if n == 1 else 'expire'} before the next charge",
            f"{_these(n, 'renew').capitalize()} {within(coming.CHARGED_SOON)}, for "
            f"{in_words_of(waiting.sums('cards'))} a month. "
            f"Send a link to add a card, so that {'the' if n == 1 else 'each'} Office can enter a new one.",
            list_of("subscription", next="card"),
        )


def _these(n: int, do: str) -> str:
    return f"the subscription {do}s" if n == 1 else f"these subscriptions {do}"


def in_words_of(sums: list[Money]) -> str:
    """Write an amount for each currency: 4 USD and 5 EUR."""
    return " and ".join(map(str, sums)) or "nothing"


def _standing_of_debtors(waiting: Waiting, offices: int) -> str:
    """Say which statuses the subscriptions of the Offices that owe have."""
    parts = [(one.n, in_words(one.key)) for one in waiting.of("owing")]
    if offices == 1:
        ((_, status),) = parts
        return f"Its subscription is {status}." if status else "It has no subscription."
    shown = (f"{n:,} {status or 'none'}" for n, status in sorted(parts, reverse=True))
    return f"Their subscriptions: {', '.join(shown)}."


def _next_without_access() -> str:
    """Say which of the Offices that are past due loses access next, and when. "" if none has access. One query."""
    policy, at = Policy.of(settings), clock.billing()
    past_due = Office.objects.filter(subscription_status=SubscriptionStatus.PAST_DUE, archived_at=None)
    soon = past_due.filter(past_due_since__gt=at - policy.past_due_grace).order_by("past_due_since")[:LOOKED_AT]
    found = [
        (one.until, office) for office in soon if (one := entitlement(office, policy, at=at)).access is Access.FULL
    ]
    ends = [(until, office) for until, office in found if until]
    if not ends:
        return ""
    until, office = min(ends, key=lambda one: one[0])
    return f"{office.name} loses access next, on {zones.last_day(until, office.time_zone)}."


def _of_checks(seen: Summary) -> Iterator[Task]:
    """Yield what is red and then what is amber. What has tasks of its own below is left out."""
    for level, tone in ((Level.RED, "danger"), (Level.AMBER, "warning")):
        for one in seen.found:
            if one.level == level and one.name not in TOLD_BELOW:
                page = list_of(PAGES.get(one.name, "job"), **FILTERS.get(one.name, {}))
                yield Task(tone, one.seen.rstrip("."), one.todo, page)


def _of_comparisons(waiting: Waiting) -> Iterator[Task]:
    if not waiting.n("comparisons"):
        return
    if stuck := Reconciliation.objects.filter(ended_at=None).exclude(last_error="").first():
        yield Task(
            "warning",
            "The comparison with Stripe cannot continue",
            stuck.last_error,
            reverse("admin:billing_reconciliation_change", args=[stuck.pk]),
        )


def _of_findings(waiting: Waiting) -> Iterator[Task]:
    """Yield the disputes that need an answer, by their day, then the critical findings, and how many there are."""
    if not waiting.n("findings"):
        return
    is_open = Finding.objects.filter(resolved_at=None).select_related("office").order_by("found_at", "pk")
    disputed = list(is_open.filter(kind="dispute")[:DISPUTES])
    critical = list(is_open.filter(severity=Finding.Severity.CRITICAL).exclude(kind="dispute")[:SHOWN_FINDINGS])
    yield from _of_disputes(disputed)
    for one in critical:
        about = f" ({one.office})" if one.office else ""
        yield Task("danger", f"{in_words(one.kind).capitalize()}{about}", one.detail, _page_of(one))
    for severity, tone, what in (
        ("critical", "danger", "critical finding"),
        ("warning", "warning", "warning"),
        ("notice", "info", "notice"),
    ):
        if n := waiting.n("findings", severity):
            all_shown = severity == "critical" and n == len(critical) + sum(
                one.severity == severity for one in disputed
            )
            it, them = ("It is", "it") if n == 1 else ("Each is", "them")
            says = f"{it} named above." if all_shown else f"Look at {them} under Findings."
            yield Task(
                tone,
                f"{many(n, what)} {'needs' if n == 1 else 'need'} attention",
                says,
                list_of("finding", severity__exact=severity, resolved_at__isempty=1),
            )


def _of_disputes(findings: list[Finding]) -> Iterator[Task]:
    """Yield each dispute with its amount and until when it can be answered, the most urgent first. One query."""
    about = {one.subject: one for one in findings}
    rows = Adjustment.objects.filter(public_id__in=about).select_related("office") if about else []
    for row in sorted((one for one in rows if one.answer_by), key=lambda one: one.answer_by or one.created_at):
        found = about[str(row.public_id)]
        what = "The bank asks about" if row.is_inquiry else "Dispute of"
        tone = "warning" if row.is_inquiry else "danger"
        yield Task(
            tone, f"{what} {row.money}: answer by {row.answer_by_day}", f"{row.office}. {found.detail}", _page_of(found)
        )


def _page_of(finding: Finding) -> str:
    return reverse("admin:billing_finding_change", args=[finding.pk])


def _of_operations(waiting: Waiting) -> Iterator[Task]:
    if n := waiting.n("operations"):
        yield Task(
            "warning",
            f"{many(n, 'operation')} without an outcome yet",
            "Stripe did not answer. The worker keeps asking for the outcome. Nothing is charged twice.",
            list_of("operation", status__exact=Operation.Status.UNKNOWN),
        )


def _of_approvals(user: User, waiting: Waiting) -> Iterator[Task]:
    """Count what waits for a second person. What waits for this person is a warning."""
    by_others, own = waiting.n("approvals", "others"), waiting.n("approvals", "own")
    page = list_of("approvalrequest", outcome__exact="")
    may = roles.has(user, Power.APPROVE)
    if by_others:
        title = f"{many(by_others, 'request')} {'waits' if by_others == 1 else 'wait'} for approval"
        says = "Money back above the limit needs a second person. Look at what was asked for, and decide."
        yield Task("warning" if may else "info", title, says, page)
    if own:
        title = f"{many(own, 'request')} of yours {'waits' if own == 1 else 'wait'} for approval"
        yield Task("info", title, "Another person must decide within 72 hours.", page)


def _of_determinations(user: User, waiting: Waiting) -> Iterator[Task]:
    prepared = Agreement.objects.filter(approved_at=None, withdrawn_at=None).select_related("prepared_by")
    for row in prepared if waiting.n("determinations") else ():
        if may_approve(row, user):
            yield Task(
                "warning",
                "A determination waits for your approval",
                f"{row.prepared_by} prepared it.",
                reverse("admin:billing_agreement_change", args=[row.pk]),
            )
    shown = banner()
    if shown["tone"] == "success":
        return
    if shown["permits"]:
        says = f"It ends after {shown['last_day']:%d %B %Y}. Record the next one before then."
    else:
        says = "In live mode, nothing that can charge is sent. First two people must record what counsel determined."
    tone = shown["tone"] if settings.STRIPE_LIVE_MODE else "info"
    yield Task(tone, shown["title"], says, list_of("agreement"))


def _of_services(waiting: Waiting) -> Iterator[Task]:
    now = clock.wall()
    for row in services_ending(now).order_by("expires_at") if waiting.n("services") else ():
        over, last_day = row.expires_at <= now, row.expires_at - timedelta(microseconds=1)
        refused = "It is refused." if over else f"After {last_day:%d %B %Y} (UTC) it is refused."
        yield Task(
            "danger" if over else "warning",
            f"The service {row.name} {'has expired' if over else 'expires soon'}",
            f"{refused} Give it a later last day, or end it.",
            reverse("admin:billing_serviceidentity_change", args=[row.pk]),
        )
