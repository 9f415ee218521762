"""An operation while it asks Stripe, and its steps, each written down before it is sent.

Each request has a key of its own (``<operation>:<step>``) and keeps its first parameters, so that Stripe answers a
repeated one with the first answer. Source: https://docs.stripe.com/api/idempotent_requests
"""

from datetime import timedelta
from functools import cached_property
from typing import Any, cast

from django.db import transaction
from django.db.models import F

from billing import clock, errors, leases
from billing.audit.actor import Actor, Kind
from billing.models import Office, Operation, OperationStep
from billing.operations.engine import registry, stored
from billing.operations.engine.declaration import AtStripe

ASK_AGAIN_FOR = timedelta(hours=20)


class AnswerLost(errors.StripeUnavailable):
    """Asking again under the same key cannot bring the answer any more."""


class Step:
    """One request to Stripe: written down before it is sent and after it is answered."""

    def __init__(self, operation: Operation, name: str) -> None:
        self.operation = operation
        self.name = name
        self.key = f"{operation.public_id}:{name}"

    def asking(self, method: str, path: str, params: dict[str, Any], api_version: str) -> tuple[str, dict[str, Any]]:
        """The path and parameters to send: those that were written down first, whatever is passed now.

        Raises: AnswerLost.
        """
        now = clock.wall()
        with transaction.atomic(durable=True):
            row, first = OperationStep.objects.get_or_create(
                key=self.key,
                defaults={
                    "operation": self.operation,
                    "name": self.name,
                    "method": method,
                    "path": path,
                    "params": params,
                    "api_version": api_version,
                    "first_asked_at": now,
                    "last_asked_at": now,
                },
            )
            Operation.objects.filter(pk=self.operation.pk).update(lease_until=now + leases.LEASE)
            if not first:
                OperationStep.objects.filter(pk=row.pk).update(asked=F("asked") + 1, last_asked_at=now)
        if now - row.first_asked_at > ASK_AGAIN_FOR:
            raise AnswerLost
        return row.path, row.params

    def intend(self, method: str, path: str, params: dict[str, Any], api_version: str) -> None:
        """These parameters are what it will be asked with, whatever is passed then; nothing is asked yet."""
        now = clock.wall()
        OperationStep.objects.create(
            key=self.key,
            operation=self.operation,
            name=self.name,
            method=method,
            path=path,
            params=params,
            api_version=api_version,
            first_asked_at=now,
            last_asked_at=now,
            asked=0,
        )

    def recorded(self) -> dict[str, Any]:
        """The parameters that were written down, or nothing where it was never meant to be asked."""
        return OperationStep.objects.filter(key=self.key).values_list("params", flat=True).first() or {}

    def answered(self, *, http_status: int, request_id: str, object_id: str, error_code: str) -> None:
        with transaction.atomic(durable=True):
            OperationStep.objects.filter(key=self.key).update(
                answered_at=clock.wall(),
                http_status=http_status,
                stripe_request_id=request_id,
                object_id=object_id,
                error_code=error_code,
            )


class Run:
    """An operation while it asks Stripe. ``shown_once`` is for the person who asked alone, and is stored nowhere."""

    def __init__(self, operation: Operation) -> None:
        self.operation = operation
        self.id = str(operation.public_id)
        self.office: Office = operation.office
        self.by = Actor(cast(Kind, operation.actor_kind), operation.actor_label, operation.actor)
        self.named: dict[str, set[str]] = {}
        self.shown_once = ""

    @cached_property
    def request(self) -> AtStripe[Any, Any]:
        """What was asked for, as it was stored."""
        return stored.read(registry.at_stripe(self.operation.kind), self.operation.request)

    def look_at(self, **named: str) -> None:
        """The look afterwards also fetches this: ``invoices=``, ``payments=`` …, as ``look`` names it."""
        for kind, stripe_id in named.items():
            self.named.setdefault(kind, set()).update({stripe_id} - {""})

    def step(self, name: str) -> Step:
        return Step(self.operation, name)

    def was_asked(self, name: str) -> bool:
        """The step was sent before, and what is sent now is what was sent then."""
        return OperationStep.objects.filter(key=self.step(name).key).exists()
