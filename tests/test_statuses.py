"""Stripe's status words are written once, in ``billing.models.statuses``: nothing else in billing spells them."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import billing
from billing.models import statuses

ROOT = Path(billing.__file__).parent
FIELDS = ("status", "subscription_status", "invoice_status", "collection_paused")
WORDS = {
    word
    for kind in vars(statuses).values()
    if isinstance(kind, type) and issubclass(kind, statuses.TextChoices)
    for word in kind.values
}
MODULES = [
    path for path in sorted(ROOT.rglob("*.py")) if "migrations" not in path.parts and path != Path(statuses.__file__)
]


def bare(source: str) -> list[str]:
    """Where a status word is compared with, asked for or stored as a bare string: its line and the word."""
    return [f"{word.lineno}: {word.value!r}" for node in ast.walk(ast.parse(source)) for word in _words_of(node)]


def _words_of(node: ast.AST) -> Iterator[ast.Constant]:
    match node:
        case ast.Compare():
            used = [node.left, *node.comparators]
        case ast.MatchValue():
            used = [node.value]
        case ast.keyword() if _names_status(node.arg):
            used = [node.value]
        case ast.Dict():
            used = [
                value
                for key, value in zip(node.keys, node.values, strict=True)
                if isinstance(key, ast.Constant) and _names_status(key.value)
            ]
        case _:
            return
    for one in used:
        yield from _spelled(one)


def _names_status(name: object) -> bool:
    return isinstance(name, str) and name.split("__")[0] in FIELDS


def _spelled(value: ast.AST) -> Iterator[ast.Constant]:
    match value:
        case ast.Constant(value=str(word)) if word in WORDS:
            yield value
        case ast.Tuple() | ast.List() | ast.Set():
            for one in value.elts:
                yield from _spelled(one)
        case ast.BoolOp():
            for one in value.values:
                yield from _spelled(one)
        case ast.IfExp():
            yield from _spelled(value.body)
            yield from _spelled(value.orelse)


@pytest.mark.parametrize(
    "source",
    [
        "row.status == 'paid'",
        "'paid' != row.status",
        "row.status in ('open', row.other)",
        "row.status not in ['open']",
        "row.status in {'open'}",
        "rows.filter(status='open')",
        "rows.filter(status__in=['open'])",
        "rows.exclude(subscription_status='canceled')",
        "State(status=data.get('status') or 'draft')",
        "save({'status': 'canceled'})",
        "save({'status': 'paid' if paid else other})",
    ],
)
def test_a_bare_word_is_found(source: str) -> None:
    assert len(bare(source)) == 1


@pytest.mark.parametrize(
    "source",
    [
        "row.status == InvoiceStatus.PAID",
        "row.status == 'declined'",
        "rows.filter(name='draft')",
        "save({'active': active})",
        "run.step('void')",
    ],
)
def test_nothing_else_is(source: str) -> None:
    assert bare(source) == []


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_module_spells_a_status_itself(path: Path) -> None:
    assert bare(path.read_text()) == [], "a member of billing.models.statuses says what it means"
