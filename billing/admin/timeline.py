"""The timeline of an Office: one line for each operation and each other act, in words, newest first.

What one actor wrote in one request, or in one run of a worker, belongs together. The page holds so many of these, and
the number of queries does not grow with them. Of one request it reads so many entries, and says how many are left.
An operation's words come from its declaration, and what else the line says comes from the entries. What people typed
into the operation is not read. Who looked at the Office is not here: the list of the trail has it, under the kind
*read*.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.db.models import Count, Exists, F, Max, OuterRef, Q, QuerySet, Window
from django.db.models.functions import RowNumber

from billing import errors
from billing.admin.audit_trail import changes_in_words
from billing.admin.tones import in_words
from billing.audit.actor import Actor
from billing.models import Adjustment, AuditEntry, Invoice, Membership, Office, Operation, Payment, Plan, User
from billing.models.operation import Kind, OperationStatus
from billing.money import Money, summed
from billing.operations.engine.registry import REGISTRY

ON_A_PAGE = 25
MOST_TOGETHER = 200
MOST_BENEATH = 50
MOST_NAMES = 3
ENDED = {
    OperationStatus.OPEN: "it is not settled yet",
    OperationStatus.UNKNOWN: "nobody knows yet whether it was done",
    OperationStatus.DECLINED: "the payment was declined",
    OperationStatus.REJECTED: "it was rejected",
    OperationStatus.ABANDONED: "it was not done",
}
ROWS: dict[str, type[Any]] = {
    "operation": Operation,
    "invoice": Invoice,
    "payment": Payment,
    "adjustment": Adjustment,
    "plan": Plan,
}


Group = tuple[str, str]
"""A request's id and who acted; or nothing and an entry's own number."""
Place = tuple[datetime, int]
Known = Mapping[str, Iterable[Any]]
"""Rows that were read already, by the names of ``ROWS``."""
Together = Any
"""An entry with what ``_together`` counted of its group: ``in_all`` and ``latest``."""


@dataclass
class Line:
    """``head`` is the entry that says what the line is about: the one that began an operation, an act, a refusal.

    ``beyond`` is how many more entries of the same request were not read, and ``latest`` when the last one was written.
    """

    entries: list[AuditEntry]
    head: AuditEntry | None = None
    words: str = ""
    tone: str = ""
    facts: list[str] = field(default_factory=list)
    beyond: int = 0
    latest: datetime | None = None

    @property
    def first(self) -> AuditEntry:
        return self.entries[0]

    @property
    def actor(self) -> str:
        return (self.head or self.first).actor_label

    @property
    def reason(self) -> str:
        return (self.head or self.first).reason

    @property
    def beneath(self) -> Iterator[dict[str, Any]]:
        for entry in self.entries[:MOST_BENEATH]:
            is_update = entry.action == AuditEntry.Action.UPDATE
            yield {
                "entry": entry,
                "about": errors.without_stripe_ids(f"{_name(entry)}: {entry.object_repr}"),
                "says": "" if is_update else errors.without_stripe_ids(entry.what or "created"),
                "changes": changes_in_words(entry) if is_update else "",
            }

    @property
    def more(self) -> int:
        return max(0, len(self.entries) - MOST_BENEATH) + self.beyond


@dataclass(frozen=True)
class Timeline:
    """A page. ``older`` goes into the address of the next one, and is "" on the last."""

    lines: list[Line]
    older: str
    is_first: bool


def page(office: Office, *, by: Actor, before: str = "") -> Timeline:
    """Return the lines before the place that ``older`` of another page named. A place that is none is the newest."""
    return _timeline(office, _place(before), ON_A_PAGE, {})


def newest(office: Office, count: int, *, known: Known) -> Timeline:
    """Return so many of the newest lines. What is ``known`` of the rows that they tell of is not read again."""
    return _timeline(office, None, count, known)


def _timeline(office: Office, at: Place | None, count: int, known: Known) -> Timeline:
    together = _together(_written(office, at, count + 1))
    firsts = [entries[0] for entries in together.values() if at is None or _order(entries[0]) < at]
    firsts.sort(key=_order, reverse=True)
    lines = list(_lines(firsts[:count], together))
    _say(lines, office, known)
    return Timeline(lines, _named(firsts[count - 1]) if len(firsts) > count else "", at is None)


def _written(office: Office, at: Place | None, count: int) -> QuerySet[AuditEntry]:
    """Return so many first entries of an actor and request about the Office, and what else belongs to their requests.

    Beside them there is how the Office's own people signed in, and what else they did about their accounts. The parts
    are joined by their keys, as a database finds each part by an index.
    """
    named = {name: OuterRef(name) for name in ("request_id", "office", "actor_label")}
    before = _acts().filter(**named, pk__lt=OuterRef("pk"))
    firsts = _newest(_acts().filter(Q(request_id="") | ~Exists(before), office=office), at)
    users = ContentType.objects.get_for_model(User)
    members = Membership.objects.filter(office=office).values("user")
    about = _acts().filter(content_type=users, object_id__in=members, office=None)
    of_members = _newest(about.exclude(kind=AuditEntry.Kind.CHANGE), at)
    parts = (
        _acts().filter(pk__in=firsts.values("pk")[:count]),
        _acts().filter(pk__in=of_members.values("pk")[:count]),
        _acts().filter(office=office, request_id__in=firsts.exclude(request_id="").values("request_id")[:count]),
    )
    first, *others = (part.order_by().values("pk") for part in parts)
    return AuditEntry.objects.filter(pk__in=first.union(*others))


def _acts() -> QuerySet[AuditEntry]:
    return AuditEntry.objects.exclude(kind=AuditEntry.Kind.READ)


def _newest(entries: QuerySet[AuditEntry], at: Place | None) -> QuerySet[AuditEntry]:
    if at:
        entries = entries.filter(timestamp__lte=at[0]).exclude(timestamp=at[0], pk__gte=at[1])
    return entries.order_by("-timestamp", "-pk")


def _order(entry: AuditEntry) -> Place:
    return entry.timestamp, entry.pk


def _named(entry: AuditEntry) -> str:
    return f"{entry.timestamp.astimezone(UTC):%Y%m%d%H%M%S%f}-{entry.pk}"


def _place(text: str) -> Place | None:
    time, _, number = text.partition("-")
    try:
        return datetime.strptime(time, "%Y%m%d%H%M%S%f").replace(tzinfo=UTC), int(number)
    except ValueError:
        return None


def _lines(firsts: list[Together], together: dict[Group, list[Together]]) -> Iterator[Line]:
    """Yield the lines of these requests, newest first. A request may have done several things."""
    for first in firsts:
        mine = together[_group(first)]
        lines = list(_apart(mine))
        if first.office_id and first.request_id and first.in_all > len(mine):
            lines[-1].beyond, lines[-1].latest = first.in_all - len(mine), first.latest
        yield from reversed(lines)


def _together(written: QuerySet[AuditEntry]) -> dict[Group, list[Together]]:
    """Return the first entries of each group, in their order, with how many it has in all and when the last was."""
    group = [F("request_id"), F("office"), F("actor_label")]
    counted = written.annotate(
        place=Window(RowNumber(), partition_by=group, order_by="pk"),
        in_all=Window(Count("pk"), partition_by=group),
        latest=Window(Max("timestamp"), partition_by=group),
    )
    found = counted.filter(place__lte=MOST_TOGETHER).order_by("pk")
    together: dict[Group, list[Together]] = {}
    for entry in found.select_related("content_type").defer("serialized_data", "changes_text"):
        together.setdefault(_group(entry), []).append(entry)
    return together


def _group(entry: AuditEntry) -> Group:
    """Return what an entry belongs to: a request about the Office. Each other entry stands alone."""
    belongs = entry.office_id and entry.request_id
    return (entry.request_id, entry.actor_label) if belongs else ("", str(entry.pk))


def _apart(entries: list[AuditEntry]) -> Iterator[Line]:
    """Yield a line for each operation, act and refusal. What else was written belongs to the one before it."""
    line: Line | None = None
    for entry in entries:
        is_head = _begins_operation(entry) or (entry.kind != "change" and entry.content_type.model != "operation")
        if line is None or (is_head and line.head):
            if line:
                yield line
            line = Line([])
        line.entries.append(entry)
        if is_head:
            line.head = entry
    if line:
        yield line


def _begins_operation(entry: AuditEntry) -> bool:
    return entry.content_type.model == "operation" and entry.action == AuditEntry.Action.CREATE


def _say(lines: list[Line], office: Office, known: Known) -> None:
    """Write each line's words. All rows that they need and that are not known are read at once, by kind."""
    rows = _rows([entry for line in lines for entry in line.entries], known)
    plans = {str(plan.pk): plan.name for plan in rows["plan"].values()}
    for line in lines:
        line.facts = list(dict.fromkeys(_facts(line.entries, rows, plans, office)))
        head = line.head
        if head and head.kind == AuditEntry.Kind.REFUSAL:
            line.words, line.tone = _refused(head.in_words), "danger"
        elif head and head.kind == AuditEntry.Kind.ACT:
            line.words, line.tone = head.in_words, "info"
        elif head:
            line.words, line.tone = _done(rows["operation"].get(head.object_id))
        else:
            line.words = _changed(line.entries)


def _rows(entries: Iterable[AuditEntry], known: Known) -> dict[str, dict[Any, Any]]:
    rows = {name: {row.pk: row for row in known.get(name, ())} for name in ROWS}
    wanted: dict[str, set[Any]] = {name: set() for name in ROWS}
    for entry in entries:
        if entry.content_type.model in wanted:
            wanted[entry.content_type.model].add(entry.object_id)
        wanted["plan"].update(int(one) for one in _of_the_office(entry).get("current_plan", ()) if one.isdigit())
    for name, model in ROWS.items():
        if missing := wanted[name] - set(rows[name]):
            rows[name] |= model.objects.in_bulk(missing)
    return rows


def _done(operation: Operation | None) -> tuple[str, str]:
    if operation is None or operation.kind not in Kind.values:
        return "carried out an operation that this version does not know", ""
    if operation.status == OperationStatus.SUCCEEDED:
        return REGISTRY[Kind(operation.kind)].done, "success"
    ended = ENDED[OperationStatus(operation.status)]
    tone = "warning" if operation.status in Operation.UNSETTLED else "danger"
    return f"asked for “{operation.in_words}”, and {ended}", tone


def _refused(what: str) -> str:
    """Name the operation by its words: the trail has its kind before the colon."""
    kind, colon, why = what.partition(": ")
    if colon and kind in Kind.values:
        return f"was refused “{Kind(kind).label}”: {why}"
    return f"was refused: {what}"


def _changed(entries: list[AuditEntry]) -> str:
    """Say what was changed. Archiving asks nothing of Stripe, so it has no operation, but it has words."""
    if archived := [entry.changes["archived_at"] for entry in entries if "archived_at" in _of_the_office(entry)]:
        return REGISTRY[Kind.UNARCHIVE_OFFICE if archived[-1][1] == "None" else Kind.ARCHIVE_OFFICE].done
    created = all(entry.action == AuditEntry.Action.CREATE for entry in entries)
    names = list(dict.fromkeys(_name(entry) for entry in entries))
    more = [f"{len(names) - MOST_NAMES} more"] if len(names) > MOST_NAMES else []
    return f"{'added' if created else 'changed'} {', '.join(names[:MOST_NAMES] + more)}"


def _name(entry: AuditEntry) -> str:
    name = entry.content_type.name
    return "Office" if name == "office" else name


def _facts(
    entries: list[AuditEntry], rows: dict[str, dict[Any, Any]], plans: dict[str, str], office: Office
) -> Iterator[str]:
    """Yield what changed for the Office, and which money moved."""
    paid: list[Money] = []
    for entry in entries:
        changes: dict[str, Any] = entry.changes or {}
        if of_office := _of_the_office(entry):
            yield from _of_office(of_office, plans, office)
        elif entry.content_type.model == "invoice" and "amount_paid" in changes:
            before, after = (_number(value) for value in changes["amount_paid"])
            invoice = rows["invoice"].get(entry.object_id)
            if invoice and after > before:
                paid.append(Money(after - before, invoice.currency))
        elif entry.content_type.model == "adjustment" and entry.action == AuditEntry.Action.CREATE:
            adjustment = rows["adjustment"].get(entry.object_id)
            if adjustment:
                yield f"{adjustment.get_kind_display()} of {adjustment.money}"
    yield from (f"charged {one}" for one in summed(paid))
    if not paid:
        yield from _of_payments(entries, rows["payment"])


def _of_the_office(entry: AuditEntry) -> dict[str, Any]:
    """Return what an entry changed in the Office's row. Of any other entry it is nothing."""
    is_it = entry.content_type.model == "office" and entry.action == AuditEntry.Action.UPDATE
    return (entry.changes or {}) if is_it else {}


def _of_office(changes: dict[str, Any], plans: dict[str, str], office: Office) -> Iterator[str]:
    if "current_plan" in changes:
        yield "plan " + " → ".join(plans.get(value, "none") for value in changes["current_plan"])
    if "quantity" in changes:
        yield "seats {} → {}".format(*changes["quantity"])
    if "subscription_status" in changes:
        yield "status " + " → ".join(in_words(value) or "none" for value in changes["subscription_status"])
    if "credit_balance" in changes:
        amounts = (_number(value) for value in changes["credit_balance"])
        yield "credit " + " → ".join(str(Money(amount, office.credit.currency)) for amount in amounts)


def _of_payments(entries: list[AuditEntry], payments: dict[Any, Payment]) -> Iterator[str]:
    for entry in entries:
        if entry.content_type.model == "payment" and "status" in (entry.changes or {}):
            payment = payments.get(entry.object_id)
            if payment:
                yield f"payment of {payment.money} {in_words(entry.changes['status'][1])}"


def _number(value: str) -> int:
    return 0 if value in ("None", None, "") else int(value)
