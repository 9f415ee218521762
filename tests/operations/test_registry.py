"""What every operation has: a walk over the registry, so that a new one cannot lack any of it."""

import inspect
import re
from typing import Any

import pytest
from django.contrib.admin import site
from django.urls import URLPattern, URLResolver

from billing import operations
from billing.admin.acts import OperationAct
from billing.admin.acts.pages import ActsAdmin
from billing.api.operations import OperationView, TellingView
from billing.api.urls import urlpatterns
from billing.models.operation import Kind
from billing.operations.engine.declaration import AtStripe, Declaration, Moves, Previewed
from billing.operations.engine.registry import REGISTRY
from tests.operations.test_lost_answers import LOST
from tests.operations.test_permissions import MAY
from tests.statemachine import rules


def in_the_api() -> set[type[Declaration[Any, Any]]]:
    return {one for one in (declared_at(entry) for entry in addresses(urlpatterns)) if one}


def addresses(entries: list[Any]) -> list[URLPattern]:
    return [one for entry in entries for one in (addresses(entry.url_patterns) if _leads_on(entry) else [entry])]


def _leads_on(entry: Any) -> bool:
    return isinstance(entry, URLResolver)


def declared_at(address: URLPattern) -> Any:
    view: Any = getattr(address.callback, "cls", None)
    begins = isinstance(view, type) and issubclass(view, (OperationView, TellingView))
    return getattr(address.callback, "view_initkwargs", {}).get("declared") if begins else None


def in_the_admin() -> set[type[Declaration[Any, Any]]]:
    admins = [one for one in site._registry.values() if isinstance(one, ActsAdmin)]
    acts = [act for one in admins for act in one.acts if isinstance(act, OperationAct)]
    return {one for act in acts for one in (act.declared, *act.or_declared)}


def test_every_kind_is_declared():
    assert operations.subscriptions
    assert set(REGISTRY) == set(Kind)


@pytest.mark.parametrize("declared", REGISTRY.values(), ids=str)
class TestEachOperation:
    def test_says_what_it_is(self, declared):
        assert declared.kind.label
        assert inspect.getdoc(declared).splitlines()[0].rstrip("*").endswith(".")

    def test_says_what_was_done(self, declared):
        same = [one for one in REGISTRY.values() if one.done == declared.done]
        assert same == [declared]
        assert declared.done[0].islower()
        assert not declared.done.endswith(".")

    def test_has_a_preview_where_money_moves(self, declared):
        moves = declared.money in (Moves.NOW, Moves.BACK)
        assert issubclass(declared, Previewed) or not moves or declared.no_preview_because

    def test_is_in_the_api_or_says_why_not(self, declared):
        assert (declared in in_the_api()) is not bool(declared.not_in_api)

    def test_is_in_the_admin_or_says_why_not(self, declared):
        assert (declared in in_the_admin()) is not bool(declared.not_in_admin)

    def test_has_a_row_in_the_permission_table(self, declared):
        assert declared in MAY

    def test_has_a_lost_answer_that_is_found_out(self, declared):
        assert (declared in LOST) is issubclass(declared, AtStripe)

    def test_is_asked_for_by_the_state_machine(self, declared):
        asked = "".join(inspect.getsource(act) for act, _ in rules.ASKED.values())
        on_invoices = {kind for kind, _ in rules.ON_INVOICES.values()}
        assert re.search(rf"\b{declared.__name__}\b", asked) or declared in on_invoices
