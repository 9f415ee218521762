"""Filling values into the words of the pages for Offices, where each stands in them as ``{}``."""

from django import template

register = template.Library()


@register.filter("filled")
def filled_by(text: str, value: object) -> str:
    return text.format(value)


@register.simple_tag
def filled(text: str, *values: object) -> str:
    return text.format(*values)
