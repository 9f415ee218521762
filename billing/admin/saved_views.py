"""Views of lists that people save for themselves.

A view is the filters that are set, and its name is what is chosen in them.
Nobody types a name, and nothing that was typed is saved: neither what a list is searched for, nor the text of a filter.
"""

import copy
from typing import Any, cast
from urllib.parse import parse_qsl, urlencode

from django.contrib import messages
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ERROR_FLAG, IGNORED_PARAMS, PAGE_VAR
from django.core.exceptions import BadRequest, PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.urls import path, reverse

from billing.admin.keyed_choices import NO_SUCH, NO_VALUE, KeyedChoices
from billing.audit import trail
from billing.models import User

MOST = 20
"""How many views of one list a person can save."""
LONGEST = 1_000
NO_FILTER = {"after", "before", ERROR_FLAG, PAGE_VAR, *IGNORED_PARAMS}
"""What an address of a list says beside its filters: the page, the order, and what is searched for."""

Choice = tuple[str, list[tuple[str, str]]]
"""A choice in words, and what an address sets for it."""


class SavedViews(KeyedChoices):
    """An admin whose list shows a person's saved views, and lets them save the present one.

    ``has_own_links`` are the filters for which the list has links of its own. They are not saved alone.
    """

    has_own_links: frozenset[str] = frozenset()

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view(self.change_saved_views)
        return [path("saved-views/", view, name=f"{self._name}_saved_views"), *super().get_urls()]

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> Any:
        response = super().changelist_view(request, extra_context)
        context = getattr(response, "context_data", None) or {}
        if "cl" in context:
            words, here = self._in_words(context["cl"], query_of(request.GET))
            saved = [{**one, "is_chosen": one["query"] == here} for one in _saved(request.user, self._name)]
            context |= {
                "saved_views": saved,
                "view_here": here,
                "view_is_saved": any(one["is_chosen"] for one in saved),
                "view_in_words": words,
                "saved_views_page": reverse(f"admin:{self._name}_saved_views"),
            }
        return response

    def change_saved_views(self, request: HttpRequest) -> HttpResponse:
        """Save the view that the page had, or remove it. Repeating is a no-op."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        whole_list = reverse(f"admin:{self._name}_changelist")
        if request.method != "POST":
            return HttpResponseRedirect(whole_list)
        given, is_removed = request.POST.get("query", ""), "remove" in request.POST
        if len(given) > LONGEST:
            raise BadRequest("The address of this view is too long.")
        query, words = query_of(QueryDict(given)), ""
        if not is_removed:
            words, query = self._checked(request, query)
        view = {"query": query, "words": words}
        with transaction.atomic():
            user = User.objects.select_for_update().get(pk=cast(User, request.user).pk)
            saved = _saved(user, self._name)
            others = [one for one in saved if one["query"] != query]
            is_saved = others != saved
            if len(others) >= MOST and not is_removed:
                messages.error(request, f"You have {MOST} views of this list already. Remove one first.")
            elif is_removed == is_saved:
                user.saved_views = {**(user.saved_views or {}), self._name: others if is_removed else [*others, view]}
                user.save(update_fields=["saved_views"])
                done = "removed a view" if is_removed else f"saved the view “{words}”"
                trail.record_act(user, f"{done} of the list of {self.opts.verbose_name_plural}")
                messages.success(request, "The view is removed." if is_removed else f"The view is saved: {words}.")
        return HttpResponseRedirect(f"{whole_list}?{query}")

    def _checked(self, request: HttpRequest, query: str) -> tuple[str, str]:
        """Return the name of the view with this address, and the address. Raises: BadRequest, if it cannot be saved."""
        asked = copy.copy(request)
        asked.method, asked.GET = "GET", QueryDict(query)
        try:
            words, query = self._in_words(self.get_changelist_instance(asked), query)
        except (IncorrectLookupParameters, *NO_VALUE) as error:
            raise BadRequest(NO_SUCH) from error
        if not words:
            raise BadRequest("Only what is chosen in the filters of a list can be saved.")
        return words, query

    def _in_words(self, changelist: Any, query: str) -> tuple[str, str]:
        set_here = {name for name, _ in parse_qsl(query, keep_blank_values=True)}
        return ("", query) if set_here <= self.has_own_links else in_words(changelist, query)

    @property
    def _name(self) -> str:
        return f"{self.opts.app_label}_{self.opts.model_name}"


def query_of(given: QueryDict) -> str:
    """Return the filters that an address sets, always in the same order."""
    return urlencode(sorted((name, one) for name, values in given.lists() for one in values if name not in NO_FILTER))


def in_words(changelist: Any, query: str) -> tuple[str, str]:
    """Return what is chosen in the filters of a list at this address, such as "access: None, plan: Team".

    Beside it, return the address that sets just this. The words are "" if nothing is set, or if something is set that
    no choice of a filter sets.
    """
    named: list[str] = []
    known: list[tuple[str, str]] = []
    left_empty: set[str] = set()
    for spec in changelist.filter_specs:
        parameters = set(spec.expected_parameters())
        choices = list(spec.choices(changelist)) if parameters & set(changelist.params) else []
        for choice in choices:
            chosen = (
                _chosen_in_form(choice["form"]) if "form" in choice else _chosen_by_link(choice, choices, parameters)
            )
            if chosen:
                named.append(f"{spec.title}: {', '.join(words for words, _ in chosen)}")
                known += [one for _, sets in chosen for one in sets]
            elif "form" in choice:
                left_empty |= parameters
    given = [one for one in parse_qsl(query, keep_blank_values=True) if one[1] or one[0] not in left_empty]
    return (", ".join(named), urlencode(sorted(known))) if sorted(known) == sorted(given) else ("", query)


def _chosen_by_link(choice: Any, choices: list[Any], parameters: set[str]) -> list[Choice]:
    """Return the words of this choice, if it is the chosen one, and what its link sets for the filter.

    What all of its links set was in the address before.
    """
    if not choice.get("selected") or "display" not in choice:
        return []
    in_all = set.intersection(*(set(_set_by(one)) for one in choices))
    sets = [one for one in _set_by(choice) if one[0] in parameters and one not in in_all]
    return [(str(choice["display"]), sets)]


def _set_by(choice: Any) -> list[tuple[str, str]]:
    return parse_qsl(str(choice.get("query_string", "")).lstrip("?"), keep_blank_values=True)


def _chosen_in_form(form: Any) -> list[Choice]:
    """Return what is chosen in the drop-downs of a filter's form. A text has no choices, so it is not among them."""
    return [
        (str(words), [(name, str(value))])
        for name, field in form.fields.items()
        for value, words in getattr(field, "choices", ())
        if value and str(value) in _values(form.data.get(name))
    ]


def _values(given: Any) -> list[str]:
    return [str(one) for one in (given if isinstance(given, list | tuple) else [given])]


def _saved(user: Any, name: str) -> list[dict[str, str]]:
    return list((user.saved_views or {}).get(name, []))
