"""The variables of what watches the product, and whom it tells."""

from config.variables.kinds import WATCHER_TOKEN, listed, number
from config.variables.places import ALERT_ADDRESS, EMAIL_ADDRESS
from config.variables.variable import Variable

HEALTH_TOKEN = Variable(
    "HEALTH_TOKEN",
    WATCHER_TOKEN,
    "Whoever sends this as Authorization: Bearer … sees the details at /healthz. Without it, /healthz shows codes "
    "only.",
)
DISK_LEAST_FREE_MB = Variable(
    "DISK_LEAST_FREE_MB",
    number(1, 100_000_000),
    "With less free space than this, in MB, on the disk of a database file, /healthz is not well. From four times as "
    "much on, it is a warning.",
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
    "An address that gets a POST then too, with JSON: code, level, says and since.",
    example="https://alerts.vendor.example/office-billing",
)

ROWS = (HEALTH_TOKEN, DISK_LEAST_FREE_MB, ALERT_EMAILS, ALERT_WEBHOOK)
