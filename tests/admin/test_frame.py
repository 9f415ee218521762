"""The frame of the admin: its colours, its names, its landmarks, and what the keyboard reaches."""

import re
from html.parser import HTMLParser

import pytest
from django.contrib import admin
from django.urls import reverse

from config.back_office import COLORS, NAMES, UNFOLD
from tests.admin.test_offices import signed_in

LISTS = {model._meta.model_name: model for model in admin.site._registry}
IN_MENU = {
    item["model"]: item for group in UNFOLD["SIDEBAR"]["navigation"] for item in group["items"] if "model" in item
}
WHITE = "#ffffff"
TEXTS = [
    (("primary", "600"), WHITE),  # links, and white on a button
    (("primary", "600"), ("base", "50")),
    (("primary", "600"), ("base", "100")),
    (("primary", "500"), ("base", "800")),  # links in dark
    (("primary", "500"), ("base", "900")),
    (("base", "500"), WHITE),  # muted
    (("base", "500"), ("base", "50")),
    (("base", "500"), ("base", "100")),
    (("base", "400"), ("base", "800")),  # muted in dark
    (("base", "400"), ("base", "900")),
    (("base", "600"), ("base", "100")),
    (("base", "300"), ("base", "800")),
]


@pytest.fixture
def staff(operator, auditor):
    """One person who may do and see what operators and auditors may."""
    operator.user.groups.add(*auditor.user.groups.all())
    return operator.user


class Page(HTMLParser):
    """The tags of a page in their order, and the text of its title and of its first heading."""

    def __init__(self, html):
        super().__init__()
        self.tags, self.texts, self.inside = [], {"title": "", "h1": ""}, []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag in self.texts and not self.texts[tag]:
            self.inside.append(tag)

    def handle_endtag(self, tag):
        if tag in self.inside:
            self.inside.remove(tag)

    def handle_data(self, data):
        for tag in self.inside:
            self.texts[tag] += data


def told(text):
    return " ".join(text.split())


def luminance(colour):
    """Source: https://www.w3.org/TR/WCAG22/#dfn-relative-luminance"""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (one / 12.92 if one <= 0.04045 else ((one + 0.055) / 1.055) ** 2.4 for one in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize(("text", "behind"), TEXTS)
def test_a_text_can_be_read_on_what_is_behind_it(text, behind):
    given = [one if isinstance(one, str) else COLORS[one[0]][one[1]] for one in (text, behind)]

    low, high = sorted(luminance(one) for one in given)

    assert (high + 0.05) / (low + 0.05) >= 4.5


def test_each_list_is_in_the_menu():
    assert set(LISTS) <= set(NAMES)


@pytest.mark.django_db
@pytest.mark.parametrize("model", LISTS)
def test_a_list_is_called_the_same_in_the_menu_the_tab_and_the_path(stripe, auditor, model):
    shown = Page(signed_in(auditor.user).get(reverse(f"admin:billing_{model}_changelist")).content.decode())

    assert told(shown.texts["title"]) == f"{IN_MENU[model]['title']} · Office Billing"
    assert re.sub(r" \d+ results?.*", "", told(shown.texts["h1"]).replace("chevron_right", " › ")) == (
        f"Overview › {IN_MENU[model]['title']}"
    )


@pytest.mark.django_db
def test_the_tab_of_the_first_page_is_called_overview(stripe, auditor):
    shown = Page(signed_in(auditor.user).get(reverse("admin:index")).content.decode())

    assert told(shown.texts["title"]) == "Overview · Office Billing"
    assert told(shown.texts["h1"]) == "Overview"


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["change", "contact", "timeline", "effective_access"])
def test_the_tab_of_a_page_about_an_office_names_it(stripe, staff, office, name):
    shown = Page(signed_in(staff).get(reverse(f"admin:billing_office_{name}", args=[office.pk])).content.decode())

    assert office.name in shown.texts["title"]
    assert told(shown.texts["title"]).endswith(" · Office Billing")


@pytest.mark.django_db
@pytest.mark.parametrize("page", ["index", "billing_office_changelist", "billing_office_add", "billing_office_change"])
def test_the_first_thing_that_the_keyboard_reaches_leads_to_the_content(stripe, staff, office, page):
    address = reverse(f"admin:{page}", args=[office.pk] if page.endswith("_change") else [])
    tags = Page(signed_in(staff).get(address).content.decode()).tags

    reached = [attrs for tag, attrs in tags if tag in ("a", "button", "input", "select")]

    assert reached[0]["href"] == "#page-content"
    assert [attrs["id"] for tag, attrs in tags if tag == "main"] == ["page-content"]
    assert len([tag for tag, _ in tags if tag == "header"]) == 1


@pytest.mark.django_db
@pytest.mark.parametrize("page", ["index", "billing_office_changelist", "billing_office_change"])
def test_what_a_click_opens_the_keyboard_opens(stripe, staff, office, page):
    address = reverse(f"admin:{page}", args=[office.pk] if page.endswith("_change") else [])
    tags = Page(signed_in(staff).get(address).content.decode()).tags

    clicked = [(tag, attrs) for tag, attrs in tags if "x-on:click" in attrs]
    by_mouse_only = [(tag, attrs) for tag, attrs in clicked if tag != "button" and not attrs.get("href")]

    assert clicked
    assert [attrs.get("id") for _, attrs in by_mouse_only] in (
        [],
        ["changelist-filter-close"],  # beside the filters; Escape closes them too
    )


@pytest.mark.django_db
def test_a_menu_says_whether_it_is_open_and_what_it_opens(stripe, staff, subscribed):
    address = reverse("admin:billing_office_change", args=[subscribed.pk])
    tags = Page(signed_in(staff).get(address).content.decode()).tags
    ids = {attrs["id"] for _, attrs in tags if "id" in attrs}

    menus = [attrs for tag, attrs in tags if tag == "button" and "aria-expanded" in attrs]

    assert len(menus) >= 3  # of acts, of the account, and of the tabs
    assert {one["aria-expanded"] for one in menus} == {"false"}
    assert {one["aria-controls"] for one in menus} <= ids
