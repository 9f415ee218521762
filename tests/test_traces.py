"""Traces go to a collector over OTLP, with names of routes and endpoints and nothing of what was sent."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.test import Client
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from billing import errors, traces
from billing.stripe_api import client

pytestmark = pytest.mark.django_db
PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
"""The example of the W3C. Source: https://www.w3.org/TR/trace-context/#examples-of-http-traceparent-headers"""


class Collector:
    def __init__(self) -> None:
        self.bodies: list[bytes] = []
        collector = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                collector.bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self.server = HTTPServer(("127.0.0.1", 0), Handler)

    def spans(self):
        """Return the spans that came, after what is left was sent."""
        traces.stop()
        came = [ExportTraceServiceRequest.FromString(body) for body in self.bodies]
        return [one for each in came for of in each.resource_spans for scope in of.scope_spans for one in scope.spans]


@pytest.fixture
def collector(settings) -> Iterator[Collector]:
    found = Collector()
    thread = threading.Thread(target=found.server.serve_forever)
    thread.start()
    settings.OTEL_EXPORTER_OTLP_ENDPOINT = f"http://127.0.0.1:{found.server.server_port}"
    traces.start("web")
    yield found
    traces.stop()
    found.server.shutdown()
    thread.join()
    found.server.server_close()


def attributes_of(span):
    return {one.key: one.value.string_value or one.value.int_value for one in span.attributes}


def test_a_request_is_traced_by_its_route_and_continues_the_trace_of_whoever_asks(collector, office):
    answer = Client().get(f"/api/v1/offices/{office.public_id}/?link=a-secret-link", headers={"traceparent": PARENT})

    [span] = collector.spans()
    assert span.name == "GET api/v1/offices/<uuid:public_id>/"
    assert span.trace_id.hex() == "0af7651916cd43dd8448eb211c80319c"
    assert attributes_of(span)["http.response.status_code"] == answer.status_code == 401
    assert attributes_of(span)["billing.request_id"] == answer["X-Request-ID"]
    assert not any(str(office.public_id).encode() in body or b"a-secret-link" in body for body in collector.bodies)


def test_a_request_to_stripe_is_a_span_without_the_id(collector, stripe):
    with pytest.raises(errors.StripeRejected):
        client.get("/v1/customers/cus_0123456789abcdef")

    span = collector.spans()[-1]
    assert span.name == "GET /v1/customers/{id}"
    assert attributes_of(span)["error.type"]
    assert not any(b"cus_0123456789abcdef" in body for body in collector.bodies)


def test_without_a_collector_nothing_is_traced(settings):
    traces.start("web")

    assert traces._tracer is None


def test_without_the_packages_the_start_says_what_to_install(settings, monkeypatch):
    settings.OTEL_EXPORTER_OTLP_ENDPOINT = "http://127.0.0.1:4318"
    monkeypatch.setitem(__import__("sys").modules, "opentelemetry.sdk.trace", None)

    with pytest.raises(ImproperlyConfigured, match=r"-r requirements-otel\.txt"):
        traces.start("web")
