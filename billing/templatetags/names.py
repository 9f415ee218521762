"""What the pages of the admin call the lists of rows: as the menu does. ``config.back_office`` has the names."""

import re
from collections.abc import Sequence
from typing import Any

from django import template
from django.apps import apps
from django.db.models.options import Options
from django.urls import reverse
from django.utils.text import capfirst

from config.back_office import NAMES

register = template.Library()


@register.filter
def in_menu(opts: "Options[Any]") -> str:
    """Return the name of the list of these rows."""
    return NAMES.get(opts.model_name or "", str(capfirst(opts.verbose_name_plural)))


@register.filter
def so_many(opts: "Options[Any]", count: int) -> str:
    """Return the number with the word for these rows: 1 Office, 14 Offices."""
    word = str(opts.verbose_name if count == 1 else opts.verbose_name_plural)
    return f"{count:,} {re.sub('^office', 'Office', word)}"


@register.filter
def from_overview(parts: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the path above a page: from the overview, and with the names of the menu.

    Its parts have a title and a link. Unfold begins it with the app, whose page only repeats the menu.
    """
    overview = {"title": "Overview", "link": reverse("admin:index")}
    if len(parts) < 2:
        return [*([] if [one["title"] for one in parts] == ["Overview"] else [overview]), *parts]
    lists = {str(model._meta.verbose_name_plural): in_menu(model._meta) for model in apps.get_models()}
    shown, *rest = parts[1:]
    named = {**shown, "title": lists.get(str(shown["title"]), shown["title"])}
    return [overview, named, *rest]
