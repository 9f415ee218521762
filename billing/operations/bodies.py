"""What an operation of each kind does, and how to find out whether it was done.

A body is a function that can be run again from its start. Each module of operations registers its own.
"""

from collections.abc import Callable

from billing.models import Office
from billing.operations.run import Run

Body = Callable[..., None]
Search = Callable[[Run, Office], bool]
BODIES: dict[str, Body] = {}
SEARCHES: dict[str, Search] = {}
ABOUT_CARDS: set[str] = set()
"""Kinds after which a look asks for the cards too."""


def operation_body(kind: str, *, search: Search, about_cards: bool = False) -> Callable[[Body], Body]:
    """Registers what an operation of this kind does, and how to find out whether it was done."""

    def register(body: Body) -> Body:
        BODIES[kind] = body
        SEARCHES[kind] = search
        if about_cards:
            ABOUT_CARDS.add(kind)
        return body

    return register
