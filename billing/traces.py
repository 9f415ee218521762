"""Traces for an OpenTelemetry collector, where OTEL_EXPORTER_OTLP_ENDPOINT names one. Without it this does nothing.

A span has the names of routes and of Stripe's endpoints, and no ids, addresses, queries or bodies.
Source: https://opentelemetry.io/docs/specs/semconv/http/http-spans/
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest, HttpResponse

INSTALL = "pip install --no-deps --require-hashes -r requirements-otel.txt"
Answer = Callable[[HttpRequest], HttpResponse]

_tracer: Any = None
_provider: Any = None


def start(process: str) -> None:
    """Begin to send spans of this process, ``web`` or ``worker``.

    Raises:
        ImproperlyConfigured: the packages are not installed. The text says what to type.
    """
    global _tracer, _provider  # noqa: PLW0603  one for each process
    if not settings.OTEL_EXPORTER_OTLP_ENDPOINT:
        return
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError:
        raise ImproperlyConfigured(f"OTEL_EXPORTER_OTLP_ENDPOINT: its packages are not here. Run: {INSTALL}") from None
    _provider = TracerProvider(resource=Resource.create({"service.name": f"office-billing-{process}"}))
    exporter = OTLPSpanExporter(endpoint=f"{settings.OTEL_EXPORTER_OTLP_ENDPOINT}/v1/traces")
    _provider.add_span_processor(BatchSpanProcessor(exporter))
    _tracer = _provider.get_tracer("office-billing")


def stop() -> None:
    """Send what is left, and end."""
    global _tracer, _provider  # noqa: PLW0603
    if _provider is not None:
        _provider.shutdown()
    _tracer = _provider = None


@contextmanager
def span(name: str, **attributes: str) -> Iterator[None]:
    """Trace the block. An error that passes marks the span, without its text."""
    if _tracer is None:
        yield
        return
    with _tracer.start_as_current_span(
        name, attributes=attributes, record_exception=False, set_status_on_exception=False
    ) as current:
        try:
            yield
        except Exception as error:
            current.set_attribute("error.type", str(getattr(error, "code", "") or type(error).__name__))
            raise


def traced(get_response: Answer) -> Answer:
    """Middleware that traces each request by its route."""

    def answer(request: HttpRequest) -> HttpResponse:
        return get_response(request) if _tracer is None else _answer(get_response, request)

    return answer


def _answer(get_response: Answer, request: HttpRequest) -> HttpResponse:
    from opentelemetry.propagate import extract
    from opentelemetry.trace import SpanKind

    method = request.method or ""
    with _tracer.start_as_current_span(
        method,
        context=extract({name.lower(): value for name, value in request.headers.items()}),
        kind=SpanKind.SERVER,
        record_exception=False,
    ) as current:
        response = get_response(request)
        route = request.resolver_match.route if request.resolver_match else "unknown"
        current.update_name(f"{method} {route}")
        for name, value in (("http.request.method", method), ("http.route", route)):
            current.set_attribute(name, value)
        current.set_attribute("http.response.status_code", response.status_code)
        if request_id := response.get("X-Request-ID", ""):
            current.set_attribute("billing.request_id", request_id)
        return response
