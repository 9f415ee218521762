"""The variables of the mail server."""

from config.environment import LOCAL_HOSTS
from config.variables.kinds import DAYS, FLAG, MOMENT, PASSWORD, TEXT, listed, number
from config.variables.places import EMAIL_ADDRESS, MAIL_SERVER, SENDER
from config.variables.variable import Derived, Values, Variable

EMAIL_HOST = Variable(
    "EMAIL_HOST",
    MAIL_SERVER,
    "The mail server (SMTP) that sends invitations and links for a new password. It must be set unless DEBUG is on. "
    "With DEBUG on and without it, nothing is sent: a worker prints each e-mail, or keeps it for the page /demo/mail/ "
    "if there is a local Stripe.",
    example="smtp.vendor.example",
    is_needed=True,
)
DEFAULT_FROM_EMAIL = Variable(
    "DEFAULT_FROM_EMAIL",
    SENDER,
    "Who sends: an address, or a name with an address, such as Vendor Billing <billing@vendor.example>. Needed with "
    "EMAIL_HOST.",
    default=Derived(
        "billing@localhost without EMAIL_HOST", lambda said: "" if said[EMAIL_HOST] else "billing@localhost"
    ),
    example="billing@vendor.example",
    is_needed=True,
)
EMAIL_HOST_USER = Variable(
    "EMAIL_HOST_USER",
    TEXT,
    "The name for signing in at the mail server. Leave it and the password empty if the mail server wants no sign-in.",
)
EMAIL_HOST_PASSWORD = Variable("EMAIL_HOST_PASSWORD", PASSWORD, "The password for it.")
EMAIL_USE_SSL = Variable("EMAIL_USE_SSL", FLAG, "TLS from the start (port 465).", default="false")


def _use_tls(said: Values) -> str:
    return "false" if said[EMAIL_USE_SSL] or said[EMAIL_HOST] in LOCAL_HOSTS else "true"


def _port(said: Values) -> str:
    return "465" if said[EMAIL_USE_SSL] else "587" if said[EMAIL_USE_TLS] else "25"


EMAIL_USE_TLS = Variable(
    "EMAIL_USE_TLS",
    FLAG,
    "STARTTLS (port 587). This or EMAIL_USE_SSL must be on, unless the mail server is at an address of this machine. "
    "The certificate is verified. If your own authority signed it, SSL_CERT_FILE names a file with its certificate.",
    default=Derived("true, unless EMAIL_USE_SSL is on or the mail server is at an address of this machine", _use_tls),
)
EMAIL_PORT = Variable(
    "EMAIL_PORT",
    number(1, 65_535),
    "The port of the mail server.",
    default=Derived("587, 465 or 25, as it fits", _port),
)
SUPPORT_EMAIL = Variable(
    "SUPPORT_EMAIL",
    EMAIL_ADDRESS,
    "The address for questions of an Office's people about their billing. The e-mails to them and the pages at "
    "/billing/ name it, and replies to notices go there. Empty: the e-mails say that nobody reads replies.",
    example="billing-help@vendor.example",
)
OFFICE_MAIL_SINCE = Variable(
    "OFFICE_MAIL_SINCE",
    MOMENT,
    "From this moment on, Offices get e-mails about what happens to their billing: docs/mail.md. Empty: they get none. "
    "Set it to the moment when you switch Stripe's own e-mails off, and not to an earlier one.",
    example="2026-12-01T09:00Z",
)
PAYMENT_REMINDER_DAYS = Variable(
    "PAYMENT_REMINDER_DAYS",
    DAYS,
    "On which days an Office is told of a payment that failed. Day 1 is the day when it failed. Reminders end when it "
    "is paid.",
    default="1,5,10",
)
STAFF_DIGEST_EMAILS = Variable(
    "STAFF_DIGEST_EMAILS",
    listed(EMAIL_ADDRESS, "address"),
    "Who gets one e-mail each morning with what waits for staff. Nobody, if it is empty or if nothing waits.",
    example="billing-team@vendor.example",
)

ROWS = (
    EMAIL_HOST,
    DEFAULT_FROM_EMAIL,
    EMAIL_HOST_USER,
    EMAIL_HOST_PASSWORD,
    EMAIL_USE_SSL,
    EMAIL_USE_TLS,
    EMAIL_PORT,
    SUPPORT_EMAIL,
    OFFICE_MAIL_SINCE,
    PAYMENT_REMINDER_DAYS,
    STAFF_DIGEST_EMAILS,
)
