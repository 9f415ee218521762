"""Our static files on pages that tell of an error: they are shown also where the files were not collected."""

from django import template
from django.conf import settings
from django.templatetags.static import static

register = template.Library()


@register.simple_tag
def own_file(path: str) -> str:
    """Return the address of the file. Without a list of collected files, it is the address that the file had then."""
    try:
        return static(path)
    except ValueError:  # the list lacks it
        return f"{settings.STATIC_URL}{path}"
