"""Who acts: a person, a service (such as Stripe's webhooks, or a program that asks the API) or a job."""

from dataclasses import dataclass
from typing import Any, Literal

from billing.models import ServiceIdentity, User

Kind = Literal["person", "service", "job"]


@dataclass(frozen=True, slots=True)
class Actor:
    """``identity`` is set for a program that asks the API with its own token. It has only what its scopes name."""

    kind: Kind
    label: str
    user: User | None = None
    identity: ServiceIdentity | None = None


def person(user: Any) -> Actor:
    return Actor("person", user.email, user)


def service(name: str) -> Actor:
    return Actor("service", name)


def identity(row: ServiceIdentity) -> Actor:
    return Actor("service", row.name, identity=row)


def of(caller: Any) -> Actor:
    """Return the actor for whoever asked the API: a person or a program."""
    return identity(caller) if isinstance(caller, ServiceIdentity) else person(caller)


def job(name: str) -> Actor:
    return Actor("job", name)
