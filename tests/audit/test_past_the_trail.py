"""Nothing writes past the trail: no queryset and no SQL changes an audited row, but in the places that are named here.

django-auditlog sees ``save`` and ``delete`` of a row. It sees no ``update``, no ``bulk_create`` and no SQL.
"""

import ast
import functools
import inspect
from collections.abc import Iterator
from pathlib import Path

import pytest

from billing import models
from billing.audit import trail

ROOT = Path(__file__).parents[2]
OF_QUERYSETS = {"update", "bulk_create", "bulk_update", "delete", "_raw_delete", "raw", "save_base"}
OF_CURSORS = {"execute", "executemany"}
NOT_AUDITED = {name for name, one in inspect.getmembers(models, inspect.isclass)} - {
    model.__name__ for model in trail.REGISTERED
}

ORDER = "a column that the trail leaves out: it puts what we saw at Stripe in order"
OWN_ENTRY = "an entry of its own is written beside it"
NOT_AUDITED_HERE = "rows of a model that is not audited, which this test cannot tell"
NO_ROWS_OF_OURS = "SQL about tables or the connection, and no row"
DELETED_ONE_BY_ONE = "one row is deleted, which django-auditlog sees"
ALLOWED = {
    "billing/access/ending.py: end_access": OWN_ENTRY,
    "billing/access/grants.py: write_grants": DELETED_ONE_BY_ONE,
    "billing/access/links.py: end": NOT_AUDITED_HERE,
    "billing/access/services.py: note_use": "the last use alone, which the trail leaves out",
    "billing/access/second_factor.py: remove_all": OWN_ENTRY,
    "billing/api/sign_in.py: post": OWN_ENTRY,
    "billing/audit/append_only.py": NO_ROWS_OF_OURS,
    "billing/audit/retiring.py: retire": OWN_ENTRY,
    "billing/audit/trail.py: record_read": "it writes an entry",
    "billing/backups/contents.py": NO_ROWS_OF_OURS,
    "billing/backups/copies.py": NO_ROWS_OF_OURS,
    "billing/backups/one_run.py": NOT_AUDITED_HERE,
    "billing/backups/restoring.py": "the hold itself, and access that ends; after_restore writes an entry",
    "billing/bulk/keeping.py: purge": DELETED_ONE_BY_ONE,
    "billing/catalogue.py: _apply": ORDER,
    "billing/catalogue.py: _take_ticket": ORDER,
    "billing/checks.py: check_role_defaults": NO_ROWS_OF_OURS,
    "billing/findings.py: end": NOT_AUDITED_HERE,
    "billing/folded_names.py: mend": "the folded form of a name, which the trail leaves out",
    "billing/jobs.py": NOT_AUDITED_HERE,
    "billing/lapsed.py: purge": "sessions and tokens that ended by themselves",
    "billing/leases.py: claim": "who works on a row of a queue",
    "billing/leases.py: give_back": "who works on a row of a queue",
    "billing/limits/lockout.py: purge": "failures that count no more",
    "billing/migrate_lease.py": NOT_AUDITED_HERE,
    "billing/models/audit.py: written_together": "it writes entries",
    "billing/models/notification.py: put": NOT_AUDITED_HERE,
    "billing/monitoring/machine.py": NO_ROWS_OF_OURS,
    "billing/moving/": "it copies all rows as they are, the entries too, and its own entry says so",
    "billing/operations/compliance.py: approve_determination": OWN_ENTRY,
    "billing/operations/compliance.py: withdraw_determination": OWN_ENTRY,
    "billing/operations/compliance.py: record_reviewed_list": OWN_ENTRY,
    "billing/operations/engine/idempotency.py": NOT_AUDITED_HERE,
    "billing/operations/engine/settle.py": "who works on an operation; its outcome is saved",
    "billing/operations/engine/steps.py: asking": "who works on an operation",
    "billing/operations/plans/": "an operation on a plan, which has an entry of its own when it begins and ends",
    "billing/outbox/delivery.py": NOT_AUDITED_HERE,
    "billing/projection/__init__.py: take_ticket": ORDER,
    "billing/projection/rows.py: save_all": ORDER,
    "billing/rate_counts.py: take": "how often somebody asked",
    "billing/reconciliation/runs.py: _one_page": "as which version rows were read, which the trail leaves out",
    "billing/reconciliation/stages.py": "when a row was last compared, which the trail leaves out",
    "billing/sign_in/lasting.py": "sessions",
    "billing/stripe_api/gateway/": "requests to Stripe",
    "billing/models/searched.py: write_parts": NOT_AUDITED_HERE,
    "billing/search_parts.py: mend": "the digest of the parts by which a name is found, which the trail leaves out",
    "billing/time_limits.py": NO_ROWS_OF_OURS,
    "billing/waits.py": "when a row of a queue is due, or an operation is continued",
    "billing/webhooks/inbox.py: _settle": NOT_AUDITED_HERE,
    "billing/webhooks/inbox.py: _settle_seen": NOT_AUDITED_HERE,
}
"""A folder, a file or a function, and why it may."""


def written(source: str) -> Iterator[tuple[str, int, str]]:
    """Yield each call that may write past the trail: the function that it is in, its line, and what it calls."""
    tree = ast.parse(source)
    variables = {function: dict(_assigned(tree, function)) for function in {one for one, _ in _calls(tree, "")}}
    for function, call in _calls(tree, ""):
        if not isinstance(call.func, ast.Attribute):
            continue
        name, root = call.func.attr, _root(call.func.value)
        for _ in range(3):  # a queryset that was narrowed step by step
            root = variables[function].get(root, root)
        if name in OF_CURSORS and root not in ("self",):
            yield function, call.lineno, name
        elif name == "update" and (call.args or not call.keywords):
            continue  # of a dictionary or a set: a queryset takes names only
        elif name in OF_QUERYSETS and root not in NOT_AUDITED:
            yield function, call.lineno, name


def _calls(node: ast.AST, function: str) -> Iterator[tuple[str, ast.Call]]:
    for child in ast.iter_child_nodes(node):
        inside = child.name if isinstance(child, ast.FunctionDef | ast.ClassDef) else function
        if isinstance(child, ast.Call):
            yield inside, child
        yield from _calls(child, inside)


def _assigned(tree: ast.AST, function: str) -> Iterator[tuple[str, str]]:
    """Yield each variable of a function with the name that its value begins with."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and node.name == function:
            for one in ast.walk(node):
                if isinstance(one, ast.Assign):
                    for target in one.targets:
                        names = target.elts if isinstance(target, ast.Tuple) else [target]
                        values = one.value.elts if isinstance(one.value, ast.Tuple) else [one.value] * len(names)
                        for name, value in zip(names, values, strict=False):
                            if isinstance(name, ast.Name):
                                yield name.id, _root(value)


def _root(node: ast.AST) -> str:
    """Return the name that a chain such as ``Job.objects.filter(…).using(…)`` begins with."""
    while not isinstance(node, ast.Name):
        if isinstance(node, ast.Attribute):
            node = node.value
        elif isinstance(node, ast.Call):
            node = node.func
        else:
            return ""
    return node.id


@functools.cache
def found() -> dict[str, list[str]]:
    places: dict[str, list[str]] = {}
    for file in sorted((ROOT / "billing").rglob("*.py")):
        name = str(file.relative_to(ROOT))
        if name.startswith("billing/migrations/"):
            continue
        for function, line, what in written(file.read_text()):
            places.setdefault(f"{name}: {function}", []).append(f"{name}:{line}: {what}")
    return places


def test_nothing_is_written_past_the_trail_but_in_places_with_a_reason():
    places = found()
    assert {place: calls for place, calls in places.items() if not any(place.startswith(one) for one in ALLOWED)} == {}


@pytest.mark.parametrize("allowed", ALLOWED)
def test_each_place_is_still_there(allowed):
    assert [place for place in found() if place.startswith(allowed)]


@pytest.mark.parametrize(
    "past",
    [
        "Office.objects.filter(pk=1).update(name='x')",
        "rows = Office.objects.all(); rows.filter(pk=1).update(name='x')",
        "office.memberships.all().delete()",
        "Invoice.objects.bulk_create(rows)",
        "Invoice.objects.bulk_update(rows, ['status'])",
        "QuerySet(Office).update(name='x')",
        "connection.cursor().execute('UPDATE billing_office')",
        "office.save_base(raw=True)",
    ],
)
def test_what_would_be_found(past):
    assert list(written(f"def somewhere():\n    {past}"))


@pytest.mark.parametrize("fine", ["Job.objects.update(due_at=now)", "named.update({'a': 1})", "office.save()"])
def test_what_is_let_through(fine):
    assert not list(written(f"def somewhere():\n    {fine}"))
