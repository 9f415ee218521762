"""What a page about an error shows while DEBUG is on. With DEBUG off there is no such page."""

from typing import Any

from django.http import HttpRequest
from django.views.debug import SafeExceptionReporterFilter


class WithoutWhatWasTyped(SafeExceptionReporterFilter):
    """Django's own filter, which hides settings that look like secrets. This one also hides what a form sent."""

    def get_post_parameters(self, request: HttpRequest | None) -> dict[str, Any]:
        return {} if request is None else dict.fromkeys(request.POST, self.cleansed_substitute)
