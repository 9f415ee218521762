"""The variables of the site itself."""

from config.rate_limits import RATES
from config.variables.kinds import FLAG, LEVEL, PASSWORD, listed, number
from config.variables.places import FOLDER, HOST, SITE
from config.variables.variable import Derived, Variable

SECRET_KEY = Variable(
    "SECRET_KEY",
    PASSWORD,
    "Django's secret: at least 50 random characters. Make it:\n"
    'python -c "import secrets; print(secrets.token_urlsafe(64))"',
    is_needed=True,
)
SECRET_KEY_FALLBACKS = Variable(
    "SECRET_KEY_FALLBACKS",
    listed(PASSWORD, "key"),
    "While SECRET_KEY is replaced: the other keys that still count. docs/operations.md has the steps.",
)
DEBUG = Variable(
    "DEBUG",
    FLAG,
    "true only on a developer's machine. When it is off, http, weak secrets and a local Stripe are refused.",
    default="false",
)
ALLOWED_HOSTS = Variable(
    "ALLOWED_HOSTS",
    listed(HOST, "host"),
    "The host names of this site.",
    default=Derived("127.0.0.1,localhost with DEBUG on", lambda said: "127.0.0.1,localhost" if said[DEBUG] else ""),
    example="billing.vendor.example",
    is_needed=True,
)
SITE_URL = Variable(
    "SITE_URL",
    SITE,
    "The public address of this site. It begins with https:// unless DEBUG is on, and its host is one of "
    "ALLOWED_HOSTS. Webhook addresses are made from it.",
    default=Derived("http://127.0.0.1:8000 with DEBUG on", lambda said: "http://127.0.0.1:8000" if said[DEBUG] else ""),
    example="https://billing.vendor.example",
    is_needed=True,
)
CORS_ALLOWED_ORIGINS = Variable(
    "CORS_ALLOWED_ORIGINS",
    listed(SITE, "address"),
    "The origins whose pages may read the API in a browser: scheme, host, and the port if it is not the usual one. "
    "They send a token: cookies are never taken from another origin. Empty: none.",
    example="https://app.vendor.example",
)
TRUSTED_PROXIES = Variable(
    "TRUSTED_PROXIES",
    number(0, 20),
    "How many of your own proxies are in front of this site. X-Forwarded-For is trusted only that far. If it is 0 "
    "behind a proxy, everybody seems to come from the proxy's address, and the limit for signing in counts all people "
    "together.",
    default="0",
)
RATE_LIMITS = Variable(
    "RATE_LIMITS",
    RATES,
    "How often one caller may ask: limits that differ from config/rate_limits.py, with commas between them, each as a "
    "number of requests, a slash, and second, minute or hour. The limits are sign-in, operations, at-stripe, exports, "
    "entitlement, services, reads, visitors and wrong-tokens.",
    example="entitlement=12000/minute,services=12000/minute",
)
WEB_PROCESSES = Variable(
    "WEB_PROCESSES",
    number(1, 10_000),
    "How many processes of `web` run, on all machines together. Each lets through its share of entitlement, services, "
    "reads and visitors. It is the --workers of the Procfile, multiplied by the machines.",
    default="2",
)
STATIC_ROOT = Variable(
    "STATIC_ROOT",
    FOLDER,
    "The folder where `manage.py collectstatic` puts the files of the admin's pages, and where the web server finds "
    "them.",
    default=Derived("staticfiles/", lambda said: ""),
)
LOG_LEVEL = Variable("LOG_LEVEL", LEVEL, "What is logged: this and what is worse.", default="INFO")

ROWS = (
    SECRET_KEY,
    SECRET_KEY_FALLBACKS,
    DEBUG,
    ALLOWED_HOSTS,
    SITE_URL,
    CORS_ALLOWED_ORIGINS,
    TRUSTED_PROXIES,
    RATE_LIMITS,
    WEB_PROCESSES,
    STATIC_ROOT,
    LOG_LEVEL,
)
