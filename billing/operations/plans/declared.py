"""What an operation on a plan is, and such an operation while it asks Stripe.

``prepare`` checks the request under the plan's lock, ``intend`` writes our own rows in the transaction that begins it,
``ask`` makes its requests outside any transaction, ``apply`` writes what came of it in the transaction that settles it.
"""

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any, ClassVar, Self, TypeVar, cast

from django.db import transaction

from billing import clock, errors, leases
from billing.access.roles import Power
from billing.audit.actor import Actor, Kind
from billing.models import Plan, PlanOperation, PlanPrice
from billing.models.plan_operation import PlanKind
from billing.operations.engine import stored
from billing.operations.engine.declaration import Asked, Declaration, Outcome
from billing.operations.engine.steps import ASK_AGAIN_FOR, AnswerLost

Declared = TypeVar("Declared", bound=type["OnPlan"])


@dataclass(frozen=True, kw_only=True)
class OnPlan(Declaration[Plan, Plan]):
    """An operation on a plan, which is None while it is not made yet."""

    kind: ClassVar[PlanKind]  # type: ignore[assignment]  # of another table
    needs: ClassVar[Power] = Power.PLANS
    not_in_api: ClassVar[str] = "plans are the vendor's own, and made by few people"

    def prepare(self, subject: Plan, asked: Asked) -> Self:
        """Return the exact request. A plan that is not made yet has no key. Raises what refuses it."""
        return self

    def intend(self, plan: Plan) -> Plan:
        """Write the rows that it begins with, and return the plan. ``self`` is prepared."""
        return plan

    def ask(self, run: "PlanRun") -> None:
        """Ask Stripe, step by step. It can be run again from its start."""
        raise NotImplementedError

    def settle_unknown(self, run: "PlanRun") -> Outcome:
        """Find out what became of it, after its answer was lost."""
        raise NotImplementedError

    def apply(self, run: "PlanRun") -> None:
        """Write what came of it."""

    def undo(self, run: "PlanRun") -> None:
        """Take back what ``intend`` wrote and must not stay, if Stripe said no."""


REGISTRY: dict[PlanKind, type[OnPlan]] = {}


def on_plan(declared: Declared) -> Declared:
    """Register the class as what an operation of its kind is."""
    REGISTRY[declared.kind] = declared
    return declared


class PlanStep:
    """One request to Stripe, written down before it is sent and after it is answered."""

    def __init__(self, operation: PlanOperation, name: str) -> None:
        self.operation, self.name, self.key = operation, name, f"{operation.public_id}:{name}"

    def asking(self, method: str, path: str, params: dict[str, Any], api_version: str) -> tuple[str, dict[str, Any]]:
        """Return what is sent: what was written down first, whatever is passed now. Raises: AnswerLost."""
        now = clock.wall()
        new = {"path": path, "params": params, "api_version": api_version, "first_asked_at": now.isoformat()}
        with transaction.atomic(durable=True):
            steps = self._recorded()
            step = steps.setdefault(self.name, new)
            self._write(steps, lease_until=now + leases.LEASE)
        if now - datetime.fromisoformat(step["first_asked_at"]) > ASK_AGAIN_FOR:
            raise AnswerLost
        return step["path"], step["params"]

    def answered(self, *, http_status: int, request_id: str, object_id: str, error_code: str) -> None:
        answer = {"http_status": http_status, "request_id": request_id, "object_id": object_id, "error": error_code}
        with transaction.atomic(durable=True):
            steps = self._recorded()
            steps[self.name] |= answer
            self._write(steps)

    def _recorded(self) -> dict[str, Any]:
        rows = PlanOperation.objects.select_for_update().filter(pk=self.operation.pk)
        return cast(dict[str, Any], rows.values_list("steps", flat=True).get())

    def _write(self, steps: dict[str, Any], **more: Any) -> None:
        PlanOperation.objects.filter(pk=self.operation.pk).update(steps=steps, **more)
        self.operation.steps = steps


class PlanRun:
    """An operation on a plan while it asks Stripe."""

    def __init__(self, operation: PlanOperation) -> None:
        self.operation = operation
        self.id = str(operation.public_id)
        self.plan: Plan = operation.plan
        self.by = Actor(cast(Kind, operation.actor_kind), operation.actor_label, operation.actor)

    @cached_property
    def request(self) -> OnPlan:
        """What was asked for, as it was stored."""
        return stored.read(REGISTRY[PlanKind(self.operation.kind)], self.operation.request)

    def price(self, public_id: str) -> PlanPrice:
        """Return the price of the plan with this id, read now."""
        return PlanPrice.objects.select_related("plan").get(plan=self.plan, public_id=public_id)

    def step(self, name: str) -> PlanStep:
        return PlanStep(self.operation, name)


def locked(plan: Plan) -> Plan:
    """Return the plan as it is now, for whoever changes it in this transaction."""
    return Plan.objects.select_for_update().get(pk=plan.pk)


def in_progress(plan: Plan) -> errors.PlanOperationInProgress | None:
    """Return what refuses another operation on the plan, or None if each one is settled."""
    other = PlanOperation.objects.filter(plan=plan, status__in=PlanOperation.UNSETTLED).first()
    return errors.PlanOperationInProgress(other) if other else None


def is_lost(error: errors.StripeUnavailable) -> bool:
    """Return whether asking again under the same key cannot bring the answer any more."""
    return error.replayed or isinstance(error, AnswerLost)
