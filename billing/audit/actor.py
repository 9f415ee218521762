"""Who acts: a person, a service (such as Stripe's webhooks) or a job."""

from dataclasses import dataclass
from typing import Any, Literal

from billing.models import User

Kind = Literal["person", "service", "job"]


@dataclass(frozen=True, slots=True)
class Actor:
    kind: Kind
    label: str
    user: User | None = None


def person(user: Any) -> Actor:
    return Actor("person", user.email, user)


def service(name: str) -> Actor:
    return Actor("service", name)


def job(name: str) -> Actor:
    return Actor("job", name)
