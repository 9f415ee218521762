"""Stripe's search: a small query language for a few fields of each kind.

Source: https://docs.stripe.com/search#search-query-language
"""

import base64
import binascii
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from stripe_sandbox.errors import StripeError, invalid
from stripe_sandbox.handlers import COMPARISONS, Handler, Ids, Params
from stripe_sandbox.store import Row, Store
from stripe_sandbox.views import shown

TOKEN, STRING, NUMBER = "token", "string", "number"
"""The types of fields. A token matches as a whole, a string also by a part of it, a number by comparison."""
FIELDS: dict[str, dict[str, str]] = {
    "charge": {
        "amount": NUMBER,
        "billing_details.address.postal_code": TOKEN,
        "created": NUMBER,
        "currency": TOKEN,
        "customer": TOKEN,
        "disputed": TOKEN,
        "payment_method_details.card.brand": TOKEN,
        "payment_method_details.card.exp_month": TOKEN,
        "payment_method_details.card.exp_year": TOKEN,
        "payment_method_details.card.fingerprint": TOKEN,
        "payment_method_details.card.last4": TOKEN,
        "refunded": TOKEN,
        "status": TOKEN,
    },
    "customer": {"created": NUMBER, "email": STRING, "name": STRING, "phone": STRING},
    "invoice": {
        "created": NUMBER,
        "currency": TOKEN,
        "customer": TOKEN,
        "last_finalization_error.code": TOKEN,
        "last_finalization_error.type": TOKEN,
        "number": STRING,
        "receipt_number": STRING,
        "status": STRING,
        "subscription": TOKEN,
        "total": NUMBER,
    },
    "payment_intent": {
        "amount": NUMBER,
        "created": NUMBER,
        "currency": TOKEN,
        "customer": TOKEN,
        "status": TOKEN,
    },
    "price": {"active": TOKEN, "currency": TOKEN, "lookup_key": STRING, "product": STRING, "type": TOKEN},
    "product": {"active": TOKEN, "description": STRING, "name": STRING, "shippable": TOKEN, "url": STRING},
    "subscription": {"canceled_at": NUMBER, "created": NUMBER, "status": STRING},
}
"""Every kind also has ``metadata["key"]``, a token."""
ELSEWHERE = {("invoice", "subscription"): "_subscription"}
SYMBOLS = {">": "gt", ">=": "gte", "<": "lt", "<=": "lte"}
MOST_CLAUSES = 10
SHORTEST_PART = 3
CLAUSE = re.compile(
    r"""\s*(?P<minus>-)?
    (?P<field>[a-z_0-9]+(?:\.[a-z_0-9]+)*)
    (?:\[\s*(?P<quote>["'])(?P<key>(?:\\.|(?!(?P=quote))[^\\])*)(?P=quote)\s*\])?
    \s*(?P<operator>:|~|>=|<=|>|<)\s*
    (?:(?P<mark>["'])(?P<text>(?:\\.|(?!(?P=mark))[^\\])*)(?P=mark)|(?P<bare>[^\s"']+))
    \s*""",
    re.VERBOSE,
)
JOINT = re.compile(r"(AND|OR)\b\s*", re.IGNORECASE)


@dataclass(frozen=True)
class Clause:
    field: str
    key: str | None
    operator: str
    value: str | None
    negated: bool


def searches(kind: str, url: str) -> Handler:
    """Return the handler of ``/v1/…/search``. It lists the rows that the query finds, newest first.

    A row that changed in the last ``search_lag_seconds`` of the server's clock is not found, because Stripe's search is
    up to a minute late. The setting is 0 by default.
    """

    def handler(store: Store, params: Params, ids: Ids) -> Row:
        limit = params.get("limit", 10)
        if not 1 <= limit <= 100:
            raise invalid("This value must be between 1 and 100.", param="limit")
        matches = compiled(kind, params["query"])
        horizon = store.time_on("") - store.settings["search_lag_seconds"]
        found = [
            row
            for row in store.objects[kind].values()
            if not row.get("deleted") and row["_changed"] <= horizon and matches(row)
        ]
        found.sort(key=lambda row: (row["created"], row["_seq"]), reverse=True)
        start = _place(params["page"]) if params.get("page") else 0
        more = len(found) > start + limit
        return {
            "object": "search_result",
            "data": [shown(store, row) for row in found[start : start + limit]],
            "has_more": more,
            "next_page": _token(start + limit) if more else None,
            "url": url,
            "_total_count": len(found),
        }

    return handler


def compiled(kind: str, query: str) -> Callable[[Row], bool]:
    """Return a function that says whether a row matches the query. Raises: Stripe's 400 for an invalid query."""
    clauses, joint = parsed(query)
    tests = [_test(kind, clause) for clause in clauses]
    together = any if joint == "OR" else all
    return lambda row: together(test(row) for test in tests)


def parsed(query: str) -> tuple[list[Clause], str]:
    """Return the clauses of a query, and AND or OR. A space between two clauses means AND."""
    clauses: list[Clause] = []
    joints: set[str] = set()
    at = 0
    while True:
        match = CLAUSE.match(query, at)
        if match is None or (match.end() < len(query) and not query[match.end() - 1].isspace()):
            raise _unparsable(f"We were unable to parse your search query at character {at}: {query[at : at + 40]!r}.")
        clauses.append(_clause(match))
        at = match.end()
        if at == len(query):
            break
        joint = JOINT.match(query, at)
        joints.add(joint[1].upper() if joint else "AND")
        at = joint.end() if joint else at
    if len(joints) > 1:
        raise _unparsable("A search query cannot combine AND and OR.")
    if len(clauses) > MOST_CLAUSES:
        raise _unparsable(f"A search query has at most {MOST_CLAUSES} clauses.")
    return clauses, joints.pop() if joints else "AND"


def _clause(match: re.Match[str]) -> Clause:
    bare = match["bare"]
    value = bare if bare is not None else re.sub(r"\\(.)", r"\1", match["text"])
    key = match["key"] and re.sub(r"\\(.)", r"\1", match["key"])
    if bare is not None and bare.lower() == "null":
        value = None
    elif bare is not None and not re.fullmatch(r"-?\d+(\.\d+)?|true|false", bare):
        raise _unparsable(f"Values that are not numbers stand in quotes: {bare}.")
    return Clause(match["field"], key, match["operator"], value, match["minus"] is not None)


def _test(kind: str, clause: Clause) -> Callable[[Row], bool]:
    if clause.field == "metadata":
        if clause.key is None:
            raise _unparsable('Metadata is searched by key: metadata["key"]:"value".')
        sort = TOKEN
    else:
        sort = FIELDS[kind].get(clause.field, "")
        if not sort or clause.key is not None:
            raise _unparsable(f"Field `{clause.field}` is an unsupported search field for resource `{kind}s`.")
    test = _comparison(clause, sort)
    name = ELSEWHERE.get((kind, clause.field), clause.field)

    def matches(row: Row) -> bool:
        value = (row["metadata"] or {}).get(clause.key) if clause.field == "metadata" else _value(row, name)
        return test(value) != clause.negated

    return matches


def _comparison(clause: Clause, sort: str) -> Callable[[Any], bool]:
    wanted, operator = clause.value, clause.operator
    if wanted is None:
        if operator != ":":
            raise _unparsable(f"Only {clause.field}:null asks for what is missing.")
        return lambda value: value in (None, "")
    if operator in SYMBOLS or sort == NUMBER:
        if sort != NUMBER or operator == "~":
            raise _unparsable(f"Field `{clause.field}` cannot be compared with {operator}.")
        try:
            number = int(wanted)
        except ValueError:
            raise _unparsable(f"Field `{clause.field}` is a number, and {wanted!r} is none.") from None
        compare = COMPARISONS[SYMBOLS[operator]] if operator in SYMBOLS else lambda at, than: at == than
        return lambda value: value is not None and compare(value, number)
    folded = wanted.casefold()
    if operator == "~":
        if sort != STRING:
            raise _unparsable(f"Field `{clause.field}` does not support substring search.")
        if len(wanted) < SHORTEST_PART:
            raise _unparsable(f"A substring has at least {SHORTEST_PART} characters.")
        return lambda value: value is not None and folded in _text(value)
    return lambda value: value is not None and folded == _text(value)


def _text(value: Any) -> str:
    return str(value).casefold()


def _value(row: Row, path: str) -> Any:
    node: Any = row
    for part in path.split("."):
        node = node.get(part) if isinstance(node, dict) else None
    return node


def _token(place: int) -> str:
    return base64.urlsafe_b64encode(f"at {place}".encode()).decode()


def _place(token: str) -> int:
    try:
        text = base64.urlsafe_b64decode(token.encode()).decode()
    except (binascii.Error, UnicodeDecodeError):
        text = ""
    if not re.fullmatch(r"at \d+", text):
        raise invalid("Invalid page token.", param="page")
    return int(text[3:])


def _unparsable(message: str) -> StripeError:
    return invalid(message, param="query")
