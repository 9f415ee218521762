"""Strict mode: every answer and every event is checked against the schema. A difference is a 500 that describes it."""

from stripe_sandbox.errors import StripeError
from stripe_sandbox.store import Row, Store
from stripe_sandbox.timeline import MOST_FAULTS_KEPT


def check_answer(store: Store, method: str, path: str, view: Row) -> None:
    """Check that the answer of this operation has its documented shape, and count it. Raises: a 500."""
    from stripe_sandbox.schema import conformance  # only this mode needs it

    kinds = [one["object"] for one in view["data"]] if "data" in view and "url" in view else [view["object"]]
    _note(store, "checked", kinds, conformance.response_faults(method, path, view), f"{method} {path}")


def check_error(store: Store, body: Row, path: str) -> None:
    """Check that the refusal has Stripe's form, and count it. Raises: a 500."""
    from stripe_sandbox.schema import conformance

    _note(store, "checked", ["error"], conformance.error_faults(body), f"the refusal at {path}")


def check_events(store: Store) -> None:
    """Check and count the object of each event from now on. A wrong object makes ``emit`` raise a 500."""
    from stripe_sandbox.schema import conformance

    def check(shown: Row) -> None:
        _note(store, "events", [shown["object"]], conformance.faults(shown), f"an event of {shown['id']}")

    store.check_event = check


def _note(store: Store, counted: str, kinds: list[str], faults: list[str], where: str) -> None:
    counts = store.checked[counted]
    for kind in kinds:
        counts[kind] = counts.get(kind, 0) + 1
    if faults:
        fault = f"{where}: {'; '.join(faults)}"
        store.checked["faults"] = [*store.checked["faults"][1 - MOST_FAULTS_KEPT :], fault]
        raise StripeError(500, "api_error", f"The local Stripe deviates from the schema at {fault}")
