"""The settings. This is the only module that reads them from the environment. .env.example describes each variable."""

import os
from datetime import timedelta
from pathlib import Path

from django.templatetags.static import static
from django.urls import reverse_lazy
from environ import Env

from config import databases, environment, rate_limits, sign_in

BASE_DIR = Path(__file__).resolve().parent.parent
env = Env()
env_file = Path(os.environ.get("ENV_FILE", str(BASE_DIR / ".env")))
if env_file.is_file():
    env.read_env(str(env_file))
problems = environment.Problems()

DEBUG = env.bool("DEBUG", default=False)
SECRET_KEY = env.str("SECRET_KEY", default="")
SECRET_KEY_FALLBACKS: list[str] = env.list("SECRET_KEY_FALLBACKS", default=[])
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
APPROVAL_LIMITS = environment.limits(
    env.str("APPROVAL_LIMITS", default="usd=50000,eur=50000"), "APPROVAL_LIMITS", problems=problems
)
PAST_DUE_GRACE = timedelta(days=env.int("PAST_DUE_DAYS", default=14))
TRUSTED_PROXIES = env.int("TRUSTED_PROXIES", default=0)
RATE_LIMITS = rate_limits.limits(env.dict("RATE_LIMITS", default={}), problems=problems)
WEB_PROCESSES = env.int("WEB_PROCESSES", default=2)
if WEB_PROCESSES < 1:
    problems.add("WEB_PROCESSES", "must be 1 or more: how many processes of `web` run, on all machines together")

environment.check_production(
    secret_key=SECRET_KEY,
    fallbacks=SECRET_KEY_FALLBACKS,
    allowed_hosts=ALLOWED_HOSTS,
    site_url=SITE_URL,
    debug=DEBUG,
    problems=problems,
)
environment.check_stripe(STRIPE_API_KEY, STRIPE_API_BASE, STRIPE_WEBHOOK_SECRETS, debug=DEBUG, problems=problems)
EMAIL_HOST = env.str("EMAIL_HOST", default="")
EMAIL_HOST_USER = env.str("EMAIL_HOST_USER", default="")
EMAIL_HOST_PASSWORD = environment.Secret(env.str("EMAIL_HOST_PASSWORD", default=""))
EMAIL_USE_SSL = env.bool("EMAIL_USE_SSL", default=False)
EMAIL_USE_TLS = env.bool("EMAIL_USE_TLS", default=not EMAIL_USE_SSL and EMAIL_HOST not in environment.LOCAL_HOSTS)
EMAIL_PORT = env.int("EMAIL_PORT", default=465 if EMAIL_USE_SSL else 587 if EMAIL_USE_TLS else 25)
EMAIL_TIMEOUT = 10  # seconds for each answer of the mail server
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", default="") or ("" if EMAIL_HOST else "billing@localhost")
KEPT_MAIL = BASE_DIR / "var" / "mail" if DEBUG and STRIPE_API_BASE and not EMAIL_HOST else None
if KEPT_MAIL:  # nothing is sent: a page of the demo shows it
    EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
    EMAIL_FILE_PATH = str(KEPT_MAIL)
elif not EMAIL_HOST:
    EMAIL_BACKEND = "django.core.mail.backends.console.EmailBackend"
environment.check_mail(
    host=EMAIL_HOST,
    user=EMAIL_HOST_USER,
    password=EMAIL_HOST_PASSWORD,
    sender=DEFAULT_FROM_EMAIL,
    use_tls=EMAIL_USE_TLS,
    use_ssl=EMAIL_USE_SSL,
    debug=DEBUG,
    problems=problems,
)
REQUIRE_SECOND_FACTOR = env.bool("REQUIRE_SECOND_FACTOR", default=True)
SECRETS_KEYS = sign_in.secrets_keys(
    env.list("SECRETS_KEYS", default=[]), secret_key=SECRET_KEY, debug=DEBUG, problems=problems
)
sign_in.check_second_factor(REQUIRE_SECOND_FACTOR, debug=DEBUG, problems=problems)
OIDC = sign_in.Provider(
    issuer=env.str("OIDC_ISSUER", default="").rstrip("/"),
    client_id=env.str("OIDC_CLIENT_ID", default=""),
    client_secret=environment.Secret(env.str("OIDC_CLIENT_SECRET", default="")),
    name=env.str("OIDC_NAME", default="your organization"),
    groups_claim=env.str("OIDC_GROUPS_CLAIM", default="groups"),
    roles=sign_in.roles(env.list("OIDC_ROLES", default=[]), problems=problems),
    second_factor=frozenset(env.list("OIDC_SECOND_FACTOR", default=["mfa"])),
    email_domains=tuple(env.list("OIDC_EMAIL_DOMAINS", default=[])),
)
OIDC.check(debug=DEBUG, problems=problems)
STAFF_IDLE = sign_in.lasts(env.int("STAFF_IDLE_MINUTES", default=15), "STAFF_IDLE_MINUTES", "minutes", problems)
OFFICE_IDLE = sign_in.lasts(env.int("OFFICE_IDLE_MINUTES", default=60), "OFFICE_IDLE_MINUTES", "minutes", problems)
SESSION_LASTS = sign_in.lasts(env.int("SESSION_HOURS", default=12), "SESSION_HOURS", "hours", problems)
AUDIT_SEAL_PUBLIC_KEYS: list[str] = env.list("AUDIT_SEAL_PUBLIC_KEYS", default=[])  # of earlier keys
AUDIT_SEAL_KEY, AUDIT_ENTRY_KEYS = environment.audit_keys(
    seal=environment.Secret(env.str("AUDIT_SEAL_KEY", default="")),
    public=AUDIT_SEAL_PUBLIC_KEYS,
    entries=[environment.Secret(key) for key in env.list("AUDIT_ENTRY_KEYS", default=[])],
    secret_key=SECRET_KEY,
    debug=DEBUG,
    problems=problems,
)
AUDIT_HEADS_FILE = env.str("AUDIT_HEADS_FILE", default="")
VENDOR_TIME_ZONE = environment.time_zone(
    env.str("VENDOR_TIME_ZONE", default="UTC"), "VENDOR_TIME_ZONE", problems=problems
)
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
    "unfold.contrib.filters",
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
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "allauth.usersessions",
    "axes",
    "djstripe",
    "billing",  # before auditlog, whose commands it refuses
    "auditlog",
]
MIDDLEWARE = [
    "config.headers.limited",  # first, so that no answer is without them
    "django.middleware.security.SecurityMiddleware",
    "billing.error_pages.refuse_nul",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "billing.limits.middleware.RateLimited",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "billing.sign_in.lasting.SessionLimits",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "axes.middleware.AxesMiddleware",
    "billing.access.request_context.audit_context",
    "billing.access.masking.middleware",
    "billing.sign_in.gate.SecondFactorGate",
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
    "axes.backends.AxesStandaloneBackend",  # first: it refuses before a password is looked at
    "django.contrib.auth.backends.ModelBackend",
    "guardian.backends.ObjectPermissionBackend",
    "billing.access.emergency.EmergencyRoles",
]
GUARDIAN_MONKEY_PATCH_USER = False
GUARDIAN_RAISE_403 = False
ANONYMOUS_USER_NAME: str | None = None
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"billing.access.password_rules.{rule}"}
    for rule in ("LongEnough", "NotAboutOneself", "NotBreached", "HardToGuess")
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "account_login"

ACCOUNT_ADAPTER = "billing.sign_in.adapters.Account"
ACCOUNT_DEFAULT_HTTP_PROTOCOL = "http" if SITE_URL.startswith("http://") else "https"
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = False  # an address that nobody has here gets no mail
ACCOUNT_EMAIL_VERIFICATION = "none"  # nobody signs up: an administrator gave the address
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SESSION_REMEMBER = False
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD: str | None = None
ACCOUNT_RATE_LIMITS = {"login": False}  # the limit of signing in has it, in config/rate_limits.py
AXES_HANDLER = "billing.limits.lockout.Lockout"
AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = timedelta(minutes=15)
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_USERNAME_CALLABLE = "billing.limits.lockout.account_of"
AXES_CLIENT_IP_CALLABLE = "billing.limits.lockout.network_for_axes"
AXES_LOCKOUT_CALLABLE = "billing.sign_in.views.locked_out"
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False
AXES_RESET_ON_SUCCESS = True  # of the account from this network
AXES_DISABLE_ACCESS_LOG = True  # the audit trail has it
AXES_ENABLE_ADMIN = False
AXES_VERBOSE = False
MFA_ADAPTER = "billing.sign_in.adapters.SecondFactor"
MFA_FORMS = {
    "activate_totp": "billing.sign_in.forms.EnrolAppForm",
    "add_webauthn": "billing.sign_in.forms.AddKeyForm",
    "edit_webauthn": "billing.sign_in.forms.RenameKeyForm",
}
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_RECOVERY_CODES_SHOW_ONCE = True
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_TOTP_ISSUER = "Office Billing"
MFA_TOTP_TOLERANCE = 1  # the clock of a phone may be 30 seconds off
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = DEBUG
SOCIALACCOUNT_ADAPTER = "billing.sign_in.provider.StaffProvider"
SOCIALACCOUNT_LOGIN_ON_GET = False
SOCIALACCOUNT_PROVIDERS = OIDC.for_allauth()

CACHES = {  # allauth: which codes were used, and how many were wrong. All processes must know it, so it is a table
    "default": {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "billing_cachedvalue",
        "OPTIONS": {"MAX_ENTRIES": 100_000},
    }
}

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
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "billing.api.authentication.Tokens",
        "billing.api.authentication.ServiceTokens",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated", "billing.api.limits.InScope"],
    "DEFAULT_THROTTLE_CLASSES": ["billing.api.limits.Limited"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["billing.api.parsing.Json"],
    "DEFAULT_SCHEMA_CLASS": "billing.api.schema.Schema",
    "DEFAULT_PAGINATION_CLASS": "billing.api.paging.Pages",
    "EXCEPTION_HANDLER": "billing.api.errors.answer",
    "NUM_PROXIES": TRUSTED_PROXIES,
}
KNOX_TOKEN_MODEL = "billing.AccessToken"  # noqa: S105  the name of a model
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
SESSION_COOKIE_AGE = int(SESSION_LASTS.total_seconds())
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
    # a browser takes a cookie of such a name only from this host, over HTTPS, and for all its paths
    SESSION_COOKIE_NAME = "__Host-session"
    CSRF_COOKIE_NAME = "__Host-csrf"

DEFAULT_EXCEPTION_REPORTER_FILTER = "config.error_pages.WithoutWhatWasTyped"
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": env.str("LOG_LEVEL", default="INFO")},
    # their lines carry Stripe's ids, addresses that are searched for, and the parameters of statements
    "loggers": {
        name: {"level": "WARNING"} for name in ("stripe", "httpx", "urllib3", "asyncio", "fido2", "django.db.backends")
    }
    | {"axes": {"level": "ERROR"}},  # the audit trail has each failure
}


def _in_sidebar(title: str, icon: str, model: str) -> dict[str, object]:
    return {
        "title": title,
        "icon": icon,
        "link": reverse_lazy(f"admin:billing_{model}_changelist"),
        "permission": lambda request: request.user.has_perm(f"billing.view_{model}"),
    }


UNFOLD = {
    "STYLES": [lambda request: static("billing/admin.css"), lambda request: static("billing/idle.css")],
    "SCRIPTS": [lambda request: static("billing/idle.js")],
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
                        ("Requests for approval", "approval_delegation", "approvalrequest"),
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
                        ("E-mails", "mail", "notification"),
                        ("Jobs", "schedule", "job"),
                        ("Workers", "monitor_heart", "workerheartbeat"),
                        ("Audit trail", "history", "auditentry"),
                        ("Reviews of the trail", "fact_check", "trailreview"),
                    ),
                ),
                (
                    "Access",
                    (
                        ("Users", "person", "user"),
                        ("Invitations", "person_add", "invitation"),
                        ("Memberships", "badge", "membership"),
                        ("Emergency roles", "emergency", "emergencyrole"),
                        ("Services", "smart_toy", "serviceidentity"),
                    ),
                ),
                ("Compliance", (("Determinations", "gavel", "agreement"), ("Vouchings", "group", "vouching"))),
            )
        ],
    },
}
