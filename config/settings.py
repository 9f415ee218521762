"""The settings. This is the only module that reads them from the environment. .env.example describes each variable."""

import os
from datetime import timedelta
from pathlib import Path

from django.templatetags.static import static
from django.urls import reverse_lazy
from environ import Env

from config import databases, environment

BASE_DIR = Path(__file__).resolve().parent.parent
env = Env()
env_file = Path(os.environ.get("ENV_FILE", str(BASE_DIR / ".env")))
if env_file.is_file():
    env.read_env(str(env_file))
problems = environment.Problems()

DEBUG = env.bool("DEBUG", default=False)
SECRET_KEY = env.str("SECRET_KEY", default="")
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["127.0.0.1", "localhost"] if DEBUG else [])
SITE_URL = env.str("SITE_URL", default="http://127.0.0.1:8000" if DEBUG else "").rstrip("/")

STRIPE_API_KEY = env.str("STRIPE_SECRET_KEY", default="")  # under this name dj-stripe does not see it
STRIPE_API_BASE = env.str("STRIPE_API_BASE", default="").rstrip("/")
STRIPE_WEBHOOK_SECRETS: list[str] = env.list("STRIPE_WEBHOOK_SECRETS", default=[])
STRIPE_REQUESTS_PER_SECOND = env.int(
    "STRIPE_REQUESTS_PER_SECOND", default=80 if STRIPE_API_KEY.startswith(("sk_live_", "rk_live_")) else 20
)
if STRIPE_REQUESTS_PER_SECOND < 4:
    problems.add(
        "STRIPE_REQUESTS_PER_SECOND", "must be at least 4, because the limit is counted in quarters of a second"
    )
STRIPE_KIND = "sandbox" if STRIPE_API_BASE else "stripe"
STRIPE_LIVE_MODE = environment.is_live(STRIPE_API_KEY)
BLIND_ACCESS_GRACE = timedelta(hours=env.int("BLIND_ACCESS_HOURS", default=72))
RECONCILE_REPAIRS = env.bool("RECONCILE_REPAIRS", default=True)
RECONCILE_HOUR = env.int("RECONCILE_HOUR", default=3)
if not 0 <= RECONCILE_HOUR <= 23:
    problems.add("RECONCILE_HOUR", "0 to 23: the hour of the day, in UTC")
PAST_DUE_GRACE = timedelta(days=env.int("PAST_DUE_DAYS", default=14))

environment.check_production(
    secret_key=SECRET_KEY, allowed_hosts=ALLOWED_HOSTS, site_url=SITE_URL, debug=DEBUG, problems=problems
)
environment.check_stripe(STRIPE_API_KEY, STRIPE_API_BASE, STRIPE_WEBHOOK_SECRETS, debug=DEBUG, problems=problems)
DATABASE_NEW_KEY = environment.Secret(env.str("DATABASE_NEW_KEY", default=""))
_own_file = "sandbox" if STRIPE_API_BASE else "stripe-live" if STRIPE_LIVE_MODE else "stripe-test"
DATABASES = {
    "default": databases.database(
        env.str("DATABASE_URL", default="") or f"libsql:///var/{_own_file}.db",
        key=environment.Secret(env.str("DATABASE_KEY", default="")),
        new_key=DATABASE_NEW_KEY,
        token=environment.Secret(env.str("DATABASE_AUTH_TOKEN", default="")),
        base_dir=BASE_DIR,
        problems=problems,
    )
}
LIBSQL_SERVER_LIVE_REASON = env.str("LIBSQL_SERVER_LIVE_REASON", default="")
DATABASE_AT_REST_REASON = env.str("DATABASE_AT_REST_REASON", default="")
DATABASE_PLAIN_ON_LOOPBACK = env.bool("DATABASE_PLAIN_ON_LOOPBACK", default=False)
# of the database that manage.py move_database moves to
DATABASE_TO_KEY = environment.Secret(env.str("DATABASE_TO_KEY", default=""))
DATABASE_TO_TOKEN = environment.Secret(env.str("DATABASE_TO_TOKEN", default=""))
databases.check_live(DATABASES["default"], live=STRIPE_LIVE_MODE, reason=LIBSQL_SERVER_LIVE_REASON, problems=problems)
databases.check_database(
    DATABASES["default"],
    debug=DEBUG,
    plain_on_loopback=DATABASE_PLAIN_ON_LOOPBACK,
    problems=problems,
)
DATABASE_CAN_LOSE_COMMITS = databases.is_libsql_server(DATABASES["default"])  # at a power cut
DATABASES["impatient"] = databases.with_limits(DATABASES["default"], seconds=databases.IMPATIENT_SECONDS)
DATABASES["optional"] = databases.with_limits(DATABASES["default"], seconds=databases.OPTIONAL_SECONDS)
problems.raise_if_any()

INSTALLED_APPS = [
    "unfold",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "rest_framework",
    "knox",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "guardian",
    "auditlog",
    "djstripe",
    "billing",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "billing.audit.middleware.audit_context",
]
ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

AUTH_USER_MODEL = "billing.User"
AUTHENTICATION_BACKENDS = [
    "django.contrib.auth.backends.ModelBackend",
    "guardian.backends.ObjectPermissionBackend",
]
GUARDIAN_MONKEY_PATCH_USER = False
GUARDIAN_RAISE_403 = False
ANONYMOUS_USER_NAME: str | None = None
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]

AUDITLOG_LOGENTRY_MODEL = "billing.AuditEntry"
AUDITLOG_DISABLE_REMOTE_ADDR = True
AUDIT_REQUIRES_ACTOR = env.bool("AUDIT_REQUIRES_ACTOR", default=True)

DJSTRIPE_SUBSCRIBER_MODEL = "billing.Office"
DJSTRIPE_FOREIGN_KEY_TO_FIELD = "id"
DJSTRIPE_WEBHOOK_VALIDATION = "verify_signature"
SILENCED_SYSTEM_CHECKS = [
    "auth.W004",  # unique on Lower(email), by a constraint
    "djstripe.I006",  # webhook secrets live in the environment, never in WebhookEndpoint.secret
    "djstripe.W005",  # the same
]

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["billing.api.authentication.Tokens"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_SCHEMA_CLASS": "billing.api.schema.Schema",
    "DEFAULT_PAGINATION_CLASS": "rest_framework.pagination.LimitOffsetPagination",
    "PAGE_SIZE": 50,
    "EXCEPTION_HANDLER": "billing.api.errors.answer",
    "NUM_PROXIES": env.int("TRUSTED_PROXIES", default=0),
    "DEFAULT_THROTTLE_RATES": {"sign-in": "10/min"},
}
REST_KNOX = {
    "TOKEN_TTL": timedelta(hours=env.int("API_TOKEN_HOURS", default=10)),
    "AUTO_REFRESH": False,  # a request that only reads writes nothing
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Office Billing",
    "DESCRIPTION": "Offices, their subscriptions, and whether an Office may use the product.",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "ENUM_NAME_OVERRIDES": {"InvoiceKindEnum": "billing.models.Invoice.Kind"},
}

LANGUAGE_CODE = "en-us"
TIME_ZONE = "UTC"
USE_TZ = True
USE_I18N = True
FORMAT_MODULE_PATH = "config.formats"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

STATIC_URL = "static/"
STATIC_ROOT = env.str("STATIC_ROOT", default="") or str(BASE_DIR / "staticfiles")
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}
WHITENOISE_USE_FINDERS = DEBUG

CSRF_TRUSTED_ORIGINS = [SITE_URL] if SITE_URL.startswith("https://") else []
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_AGE = 8 * 60 * 60
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
DATA_UPLOAD_MAX_MEMORY_SIZE = 1_000_000
if not DEBUG:
    SECURE_SSL_REDIRECT = True
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SECURE_HSTS_SECONDS = 31_536_000
    SECURE_HSTS_INCLUDE_SUBDOMAINS = True
    SECURE_HSTS_PRELOAD = True
    SESSION_COOKIE_SECURE = True
    CSRF_COOKIE_SECURE = True

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": env.str("LOG_LEVEL", default="INFO")},
    # their lines carry Stripe's ids, addresses that are searched for, and the parameters of statements
    "loggers": {name: {"level": "WARNING"} for name in ("stripe", "httpx", "urllib3", "asyncio", "django.db.backends")},
}


def _in_sidebar(title: str, icon: str, model: str) -> dict[str, object]:
    return {
        "title": title,
        "icon": icon,
        "link": reverse_lazy(f"admin:billing_{model}_changelist"),
        "permission": lambda request: request.user.has_perm(f"billing.view_{model}"),
    }


UNFOLD = {
    "STYLES": [lambda request: static("billing/admin.css")],
    "SITE_TITLE": "Office Billing",
    "SITE_HEADER": "Office Billing",
    "SITE_SYMBOL": "local_hospital",
    "DASHBOARD_CALLBACK": "billing.admin.overview.overview",
    "SHOW_HISTORY": False,
    "SHOW_VIEW_ON_SITE": False,
    "SIDEBAR": {
        "show_search": True,
        "navigation": [
            {"title": title, "items": [_in_sidebar(*item) for item in items]}
            for title, items in (
                (
                    "Billing",
                    (
                        ("Offices", "local_hospital", "office"),
                        ("Subscriptions", "autorenew", "subscription"),
                        ("Invoices", "receipt_long", "invoice"),
                        ("Payments", "payments", "payment"),
                        ("Refunds and disputes", "currency_exchange", "adjustment"),
                        ("Plans", "sell", "plan"),
                    ),
                ),
                (
                    "What happened",
                    (
                        ("Findings", "flag", "finding"),
                        ("Comparisons", "balance", "reconciliation"),
                        ("Operations", "pending_actions", "operation"),
                        ("Events from Stripe", "inbox", "receivedevent"),
                        ("Jobs", "schedule", "job"),
                        ("Workers", "monitor_heart", "workerheartbeat"),
                        ("Audit trail", "history", "auditentry"),
                    ),
                ),
                ("Access", (("Users", "person", "user"), ("Memberships", "badge", "membership"))),
                ("Compliance", (("Determinations", "gavel", "agreement"),)),
            )
        ],
    },
}
