"""Every operation, by its kind."""

from typing import Any, TypeVar

from billing.models.operation import Kind
from billing.operations.engine.declaration import AtStripe, Declaration

Declared = TypeVar("Declared", bound=type[Declaration[Any, Any]])

REGISTRY: dict[Kind, type[Declaration[Any, Any]]] = {}


def operation(declared: Declared) -> Declared:
    """Register the class as what an operation of its kind is."""
    if declared.kind in REGISTRY:
        raise ValueError(f"{declared.kind} is declared twice")
    REGISTRY[declared.kind] = declared
    return declared


def at_stripe(kind: str) -> type[AtStripe[Any, Any]]:
    """The declaration of an operation that is stored."""
    found = REGISTRY[Kind(kind)]
    if not issubclass(found, AtStripe):
        raise TypeError(f"{kind} asks nothing of Stripe, so no operation of it is stored")
    return found
