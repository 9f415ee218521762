"""The variables of what watches the product, and whom it tells."""

from config.variables.kinds import LOG_LINES, WATCHER_TOKEN, listed, number
from config.variables.places import ALERT_ADDRESS, EMAIL_ADDRESS, FOLDER, SITE
from config.variables.site import DEBUG
from config.variables.variable import Derived, Variable

HEALTH_TOKEN = Variable(
    "HEALTH_TOKEN",
    WATCHER_TOKEN,
    "Whoever sends this as Authorization: Bearer … sees the details at /healthz. Without it, /healthz shows codes "
    "only.",
)
METRICS_TOKEN = Variable(
    "METRICS_TOKEN",
    WATCHER_TOKEN,
    "The token with which Prometheus asks /metrics. Without it there is no such page. docs/metrics.md says more.",
)
PROMETHEUS_MULTIPROC_DIR = Variable(
    "PROMETHEUS_MULTIPROC_DIR",
    FOLDER,
    "The folder in which the web and worker processes of this machine keep their counts.",
    default=Derived("var/metrics/", lambda said: ""),
)
LOG_FORMAT = Variable(
    "LOG_FORMAT",
    LOG_LINES,
    "json: each line of the log is one JSON object. text: a line for people.",
    default=Derived("json, or text while DEBUG is on", lambda said: "text" if said[DEBUG] else "json"),
)
OTEL_EXPORTER_OTLP_ENDPOINT = Variable(
    "OTEL_EXPORTER_OTLP_ENDPOINT",
    SITE,
    "An OpenTelemetry collector that takes traces over HTTP. It needs requirements-otel.txt. A trace names routes and "
    "Stripe's endpoints, and nothing that was sent.",
    example="http://127.0.0.1:4318",
)
DISK_LEAST_FREE_MB = Variable(
    "DISK_LEAST_FREE_MB",
    number(1, 100_000_000),
    "If the disk of a database file has less free space than this, in MB, the check is red and /healthz answers 503. "
    "Below "
    "four times as much it is amber.",
    default="500",
)
ALERT_EMAILS = Variable(
    "ALERT_EMAILS",
    listed(EMAIL_ADDRESS, "address"),
    "Who gets an e-mail when something stops working. Without it, each administrator does.",
    example="operations@vendor.example",
)
ALERT_WEBHOOK = Variable(
    "ALERT_WEBHOOK",
    ALERT_ADDRESS,
    "An address that gets each alert as a POST, too. The body is JSON: code, level, says and since.",
    example="https://alerts.vendor.example/office-billing",
)

ROWS = (
    HEALTH_TOKEN,
    METRICS_TOKEN,
    PROMETHEUS_MULTIPROC_DIR,
    LOG_FORMAT,
    OTEL_EXPORTER_OTLP_ENDPOINT,
    DISK_LEAST_FREE_MB,
    ALERT_EMAILS,
    ALERT_WEBHOOK,
)
