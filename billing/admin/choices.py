"""What staff choose from a list instead of typing it: time zones, and languages of invoices."""

import zoneinfo
from typing import Any

from django import forms
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from unfold.widgets import UnfoldAdminSelect2Widget, UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

USUAL_ZONES = {
    "America/New_York": "New York (Eastern)",
    "America/Chicago": "Chicago (Central)",
    "America/Denver": "Denver (Mountain)",
    "America/Phoenix": "Phoenix (Mountain, no summer time)",
    "America/Los_Angeles": "Los Angeles (Pacific)",
    "America/Anchorage": "Anchorage (Alaska)",
    "Pacific/Honolulu": "Honolulu (Hawaii)",
    "America/Puerto_Rico": "Puerto Rico (Atlantic)",
    "UTC": "UTC",
}
LANGUAGES = {
    "en": "English",
    "es": "Spanish",
    "es-419": "Spanish (Latin America)",
    "pt-BR": "Portuguese (Brazil)",
    "fr-CA": "French (Canada)",
    "bg": "Bulgarian",
    "cs": "Czech",
    "da": "Danish",
    "de": "German",
    "el": "Greek",
    "en-GB": "English (United Kingdom)",
    "et": "Estonian",
    "fi": "Finnish",
    "fil": "Filipino",
    "fr": "French",
    "hr": "Croatian",
    "hu": "Hungarian",
    "id": "Indonesian",
    "it": "Italian",
    "ja": "Japanese",
    "ko": "Korean",
    "lt": "Lithuanian",
    "lv": "Latvian",
    "ms": "Malay",
    "mt": "Maltese",
    "nb": "Norwegian",
    "nl": "Dutch",
    "pl": "Polish",
    "pt": "Portuguese",
    "ro": "Romanian",
    "ru": "Russian",
    "sk": "Slovak",
    "sl": "Slovenian",
    "sv": "Swedish",
    "th": "Thai",
    "tr": "Turkish",
    "vi": "Vietnamese",
    "zh": "Chinese",
    "zh-HK": "Chinese (Hong Kong)",
    "zh-TW": "Chinese (Taiwan)",
}
"""The languages of Stripe's invoices. Source: https://docs.stripe.com/invoicing/customize#supported-languages"""


def zone_choices(present: str = "") -> list[Any]:
    """Return the zones in two groups, the usual ones first. The ``present`` one stays, also if it does not exist."""
    others = [(one, one.replace("_", " ")) for one in sorted(zoneinfo.available_timezones() - set(USUAL_ZONES))]
    usual = list(USUAL_ZONES.items())
    known = {value for value, _ in usual + others}
    own = [("Now", [(present, present)])] if present and present not in known else []
    return [*own, ("Usual", usual), ("All others", others)]


def language_choices(present: str = "") -> list[tuple[str, str]]:
    """Return the languages, the usual ones first. The ``present`` one stays, also if it is not in the list."""
    own = [(present, present)] if present and present not in LANGUAGES else []
    return [*own, *LANGUAGES.items()]


class ZoneField(forms.ChoiceField):
    """A list in which one can search."""

    def __init__(self, **kwargs: Any) -> None:
        wrong = {"invalid_choice": "There is no such time zone. Choose one of the list."}
        super().__init__(
            choices=zone_choices, label="Time zone", widget=UnfoldAdminSelect2Widget, error_messages=wrong, **kwargs
        )


class LanguageField(forms.ChoiceField):
    def __init__(self, **kwargs: Any) -> None:
        super().__init__(choices=language_choices, label="Language", widget=UnfoldAdminSelectWidget, **kwargs)


class SuggestingWidget(UnfoldAdminTextInputWidget):
    """A text field that suggests values with a word on each. Any other text can be typed."""

    suggested: tuple[tuple[str, str], ...] | list[tuple[str, str]] = ()

    def render(self, name: str, value: Any, attrs: dict[str, Any] | None = None, renderer: Any = None) -> SafeString:
        if not self.suggested:
            return super().render(name, value, attrs, renderer)
        listed = f"suggested_{name}"
        field = super().render(name, value, {**(attrs or {}), "list": listed}, renderer)
        options = format_html_join("", '<option value="{}">{}</option>', self.suggested)
        return format_html('{}<datalist id="{}">{}</datalist>', field, listed, options)
