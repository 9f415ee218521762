"""By which fields a list is searched for a name, as ``search_fields`` takes them, and how it is done at scale.

What ``billing.search`` finds by an index is asked there. Only other fields are searched letter by letter.
"""

from collections.abc import Callable
from typing import Any

from django.db.models import Q, QuerySet
from django.http import HttpRequest

from billing import search
from billing.access.masking import is_masked_for
from billing.admin.lookups import BoundedLookups
from billing.models import Office, User

NAME = ("name_folded__finds", "name")
OFFICE = ("office__name_folded__finds", "office__name")
"""Folded; and by its letters, as a version that folds no names may have written the row just now."""
NUMBERS: dict[str, Callable[[str], Q]] = {"number": search.numbered, "invoice__number": search.of_invoices}
PERSON = "user__email"


class SearchedAdmin(BoundedLookups):
    """A list that is searched by the parts of names and addresses, and by numbers, where it has them."""

    search_help_text: str | None

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        fields = set(self.get_search_fields(request))
        indexed = fields & {*NAME, *OFFICE, *NUMBERS, PERSON}
        if not search_term.strip() or not indexed or (fields >= set(NAME) and self.model not in (Office, User)):
            return super().get_search_results(request, queryset, search_term)
        details = not is_masked_for(request.user)
        condition = Q(pk__in=[])
        for number in NUMBERS.keys() & fields:
            condition |= NUMBERS[number](search_term)
        if fields >= set(NAME):
            condition |= search.named(self.model, search_term, details=details)
        if fields >= set(OFFICE):
            condition |= search.of_offices(search_term, details=details)
        if PERSON in fields:
            people = User.objects.filter(search.named(User, search_term, details=details))
            condition |= Q(user__in=people.values("pk"))
        others = fields - indexed - {"email", "billing_email"}
        if others:
            condition |= _letter_by_letter(others, search_term)
        return queryset.filter(condition), False


def _letter_by_letter(fields: set[str], text: str) -> Q:
    """Return the condition that each word is a part of one of these fields."""
    found = Q()
    for word in text.split():
        found &= Q(*((f"{name}__icontains", word) for name in sorted(fields)), _connector=Q.OR)
    return found
