"""The variables of Stripe, and of what follows from what Stripe shows."""

from config.environment import is_live
from config.variables.kinds import ACCOUNTS, AMOUNTS, FLAG, STRIPE_KEY, WEBHOOK_SECRET, listed, number
from config.variables.places import CERTIFICATES, PROXY, SITE
from config.variables.variable import Derived, Variable

STRIPE_SECRET_KEY = Variable(
    "STRIPE_SECRET_KEY",
    STRIPE_KEY,
    "Stripe's secret or restricted key: sk_test_… or rk_test_…, and sk_live_… or rk_live_… for live mode (DEBUG off "
    "only). One database belongs to one account and mode. With a live key, nothing is charged until counsel's "
    "determination on the BAA is recorded in the admin and approved by a second person. Counsel decides that, not this "
    "software.",
    is_needed=True,
)
STRIPE_WEBHOOK_SECRETS = Variable(
    "STRIPE_WEBHOOK_SECRETS",
    listed(WEBHOOK_SECRET, "secret"),
    "The signing secret of the webhook endpoint (whsec_…). `manage.py setup_stripe --register-endpoint` prints it. "
    "That command, migrate, collectstatic, check and doctor run without it. Everything else needs it. While you "
    "replace "
    "it, put both here: the old one and the new one.",
    is_needed=True,
)
STRIPE_REQUESTS_PER_SECOND = Variable(
    "STRIPE_REQUESTS_PER_SECOND",
    number(4, 1_000),
    "How many requests a second all workers together make to Stripe, four fifths of its limit.",
    default=Derived("20, or 80 with a live key", lambda said: "80" if is_live(said[STRIPE_SECRET_KEY]) else "20"),
)
STRIPE_REQUESTS_PER_ENDPOINT = Variable(
    "STRIPE_REQUESTS_PER_ENDPOINT",
    number(1, 1_000),
    "How many requests a second all workers together make to one endpoint of Stripe, four fifths of its limit. GET "
    "/v1/customers/{id} is one endpoint, whatever the id. The workers keep to the whole, half, "
    "third, quarter and so on of STRIPE_REQUESTS_PER_SECOND: the largest of these that is not above this number.",
    default="20",
)
WORKER_LOOKS_AT_ONCE = Variable(
    "WORKER_LOOKS_AT_ONCE",
    number(1, 50),
    "At how many customers one worker looks at the same time. Each takes a thread and a database connection. More help "
    "only where Stripe answers slowly.",
    default="14",
)
STRIPE_API_BASE = Variable(
    "STRIPE_API_BASE",
    SITE,
    "The address of a local Stripe (development only). Leave it empty to use Stripe.",
    example="http://127.0.0.1:12111",
)
STRIPE_PROXY = Variable(
    "STRIPE_PROXY",
    PROXY,
    "The proxy through which requests to Stripe leave your network. HTTPS_PROXY and the like are not used for Stripe. "
    "Signing in through a provider uses them.",
    example="http://proxy.vendor.example:3128",
)
STRIPE_CA_BUNDLE = Variable(
    "STRIPE_CA_BUNDLE",
    CERTIFICATES,
    "A file with the certificates (PEM) of the authorities that are trusted for Stripe, in place of the SDK's list. It "
    "is for a proxy that opens TLS.",
    example="/etc/ssl/certs/ca-certificates.crt",
)
RECONCILE_HOUR = Variable(
    "RECONCILE_HOUR",
    number(0, 23),
    "The hour of the day (UTC) from which everything at Stripe is compared with the rows here, once a day.",
    default="3",
)
RECONCILE_REPAIRS = Variable(
    "RECONCILE_REPAIRS",
    FLAG,
    "true: what has drifted is repaired automatically. false: each difference waits as a finding for a click.",
    default="true",
)
BLIND_ACCESS_HOURS = Variable(
    "BLIND_ACCESS_HOURS",
    number(0, 8_760),
    "If Stripe cannot be asked: for how many hours after the end of the last known period an Office keeps its access.",
    default="72",
)
PAST_DUE_DAYS = Variable(
    "PAST_DUE_DAYS",
    number(0, 365),
    "For how many days an Office keeps its access after a failed payment.",
    default="14",
)
APPROVAL_LIMITS = Variable(
    "APPROVAL_LIMITS",
    AMOUNTS.or_none(),
    "How much one person may give back to an Office in 24 hours (refunds, credit notes and credit together), for each "
    "currency in minor units such as cents: usd=50000 is 500.00 USD. What is above it waits until a second person "
    "approves it. In a currency that is not named here, everything waits. With none, everything waits.",
    default="usd=50000,eur=50000",
    has_none=True,
)
JOURNAL_ACCOUNTS = Variable(
    "JOURNAL_ACCOUNTS",
    ACCOUNTS,
    "What the accountant's books call the accounts of the monthly journal, by number or by name. What is not named "
    "here is called as in config/journal_accounts.py. QuickBooks Online wants names, and Xero wants codes. "
    "docs/exports.md says what each account is for.",
    example="receivables=1200,revenue=4000,tax=2200",
)

ROWS = (
    STRIPE_SECRET_KEY,
    STRIPE_WEBHOOK_SECRETS,
    STRIPE_REQUESTS_PER_SECOND,
    STRIPE_REQUESTS_PER_ENDPOINT,
    WORKER_LOOKS_AT_ONCE,
    STRIPE_API_BASE,
    STRIPE_PROXY,
    STRIPE_CA_BUNDLE,
    RECONCILE_HOUR,
    RECONCILE_REPAIRS,
    BLIND_ACCESS_HOURS,
    PAST_DUE_DAYS,
    APPROVAL_LIMITS,
    JOURNAL_ACCOUNTS,
)
