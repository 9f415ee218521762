"""The page that shows the API's addresses."""

from drf_spectacular.views import SpectacularSwaggerSplitView


class Docs(SpectacularSwaggerSplitView):
    """The page of drf-spectacular. It answers GET and HEAD alone."""

    http_method_names = ("get", "head")
    template_name = "billing/api_document.html"
