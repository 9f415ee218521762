"""The pages that show the API's addresses, and what each refusal means."""

from drf_spectacular.views import SpectacularSwaggerSplitView
from rest_framework.renderers import TemplateHTMLRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from billing import problem_details


class Docs(SpectacularSwaggerSplitView):
    """The page of drf-spectacular. It answers GET and HEAD alone."""

    http_method_names = ("get", "head")
    template_name = "billing/api_document.html"


class Problems(APIView):
    """Explains the code of each refusal. The ``type`` of a refusal is its place here. It is open to all."""

    http_method_names = ("get", "head")
    schema = None
    renderer_classes = (TemplateHTMLRenderer,)

    def get(self, request: Request) -> Response:
        return Response({"explained": problem_details.explained()}, template_name="billing/api_problems.html")
