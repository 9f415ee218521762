"""The page on which the API's addresses can be read and tried."""

from drf_spectacular.views import SpectacularSwaggerSplitView


class Docs(SpectacularSwaggerSplitView):
    """The page of drf-spectacular, which can only be read."""

    http_method_names = ("get", "head")
    template_name = "billing/api_document.html"
