"""The settings. This is the only module that reads them from the environment. config/variables/ describes each one."""

import os
import sys
from datetime import timedelta
from pathlib import Path

from config import back_office, databases, environment, logs, sign_in
from config.journal_accounts import ACCOUNTS
from config.variables import backups, database, env_file, mail, signing_in, site, stripe, trail, watching
from config.variables.table import VARIABLES
from config.variables.variable import Values

BASE_DIR = Path(__file__).resolve().parent.parent
problems = environment.Problems()
env_file.read(BASE_DIR / ".env", VARIABLES, problems)
said = Values(os.environ, problems)

DEBUG = said[site.DEBUG]
SECRET_KEY = said[site.SECRET_KEY]
SECRET_KEY_FALLBACKS = said[site.SECRET_KEY_FALLBACKS]
ALLOWED_HOSTS: list[str] = said[site.ALLOWED_HOSTS]
SITE_URL = said[site.SITE_URL]
CORS_ALLOWED_ORIGINS = [one.lower() for one in said[site.CORS_ALLOWED_ORIGINS]]

STRIPE_API_KEY = said[stripe.STRIPE_SECRET_KEY]  # under this name dj-stripe does not see it
STRIPE_API_BASE = said[stripe.STRIPE_API_BASE]
STRIPE_PROXY = said[stripe.STRIPE_PROXY]
STRIPE_CA_BUNDLE = said[stripe.STRIPE_CA_BUNDLE]
STRIPE_WEBHOOK_SECRETS = said[stripe.STRIPE_WEBHOOK_SECRETS]
STRIPE_REQUESTS_PER_SECOND = said[stripe.STRIPE_REQUESTS_PER_SECOND]
STRIPE_REQUESTS_PER_ENDPOINT = said[stripe.STRIPE_REQUESTS_PER_ENDPOINT]
WORKER_LOOKS_AT_ONCE = said[stripe.WORKER_LOOKS_AT_ONCE]
STRIPE_KIND = "sandbox" if STRIPE_API_BASE else "stripe"
STRIPE_LIVE_MODE = environment.is_live(STRIPE_API_KEY)
BLIND_ACCESS_GRACE = timedelta(hours=said[stripe.BLIND_ACCESS_HOURS])
RECONCILE_REPAIRS = said[stripe.RECONCILE_REPAIRS]
RECONCILE_HOUR = said[stripe.RECONCILE_HOUR]
APPROVAL_LIMITS = said[stripe.APPROVAL_LIMITS]
JOURNAL_ACCOUNTS = {**ACCOUNTS, **said[stripe.JOURNAL_ACCOUNTS]}
PAST_DUE_GRACE = timedelta(days=said[stripe.PAST_DUE_DAYS])
TRUSTED_PROXIES = said[site.TRUSTED_PROXIES]
RATE_LIMITS = said[site.RATE_LIMITS]
WEB_PROCESSES = said[site.WEB_PROCESSES]
HEALTH_TOKEN = said[watching.HEALTH_TOKEN]
DISK_LEAST_FREE_MB = said[watching.DISK_LEAST_FREE_MB]
ALERT_EMAILS = said[watching.ALERT_EMAILS]
ALERT_WEBHOOK = said[watching.ALERT_WEBHOOK]

environment.check_production(
    secret_key=SECRET_KEY,
    fallbacks=SECRET_KEY_FALLBACKS,
    allowed_hosts=ALLOWED_HOSTS,
    site_url=SITE_URL,
    debug=DEBUG,
    problems=problems,
)
environment.check_stripe(
    STRIPE_API_KEY,
    STRIPE_API_BASE,
    STRIPE_WEBHOOK_SECRETS,
    debug=DEBUG,
    needs_secrets=environment.command(sys.argv) not in environment.WITHOUT_WEBHOOK_SECRETS,
    problems=problems,
)
EMAIL_HOST = said[mail.EMAIL_HOST]
EMAIL_HOST_USER = said[mail.EMAIL_HOST_USER]
EMAIL_HOST_PASSWORD = said[mail.EMAIL_HOST_PASSWORD]
EMAIL_USE_SSL = said[mail.EMAIL_USE_SSL]
EMAIL_USE_TLS = said[mail.EMAIL_USE_TLS]
EMAIL_PORT = said[mail.EMAIL_PORT]
EMAIL_TIMEOUT = 10  # seconds for each answer of the mail server
DEFAULT_FROM_EMAIL = said[mail.DEFAULT_FROM_EMAIL]
SUPPORT_EMAIL = said[mail.SUPPORT_EMAIL]
OFFICE_MAIL_SINCE = said[mail.OFFICE_MAIL_SINCE]
PAYMENT_REMINDER_DAYS = said[mail.PAYMENT_REMINDER_DAYS]
STAFF_DIGEST_EMAILS = said[mail.STAFF_DIGEST_EMAILS]
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
REQUIRE_SECOND_FACTOR = said[signing_in.REQUIRE_SECOND_FACTOR]
SECRETS_KEYS = sign_in.secrets_keys(
    said[signing_in.SECRETS_KEYS], secret_key=SECRET_KEY, debug=DEBUG, problems=problems
)
sign_in.check_second_factor(REQUIRE_SECOND_FACTOR, debug=DEBUG, problems=problems)
OIDC = sign_in.Provider(
    issuer=said[signing_in.OIDC_ISSUER],
    client_id=said[signing_in.OIDC_CLIENT_ID],
    client_secret=said[signing_in.OIDC_CLIENT_SECRET],
    name=said[signing_in.OIDC_NAME],
    groups_claim=said[signing_in.OIDC_GROUPS_CLAIM],
    roles=said[signing_in.OIDC_ROLES],
    second_factor=frozenset(said[signing_in.OIDC_SECOND_FACTOR]),
    email_domains=tuple(said[signing_in.OIDC_EMAIL_DOMAINS]),
)
OIDC.check(debug=DEBUG, problems=problems)
STAFF_IDLE = timedelta(minutes=said[signing_in.STAFF_IDLE_MINUTES])
OFFICE_IDLE = timedelta(minutes=said[signing_in.OFFICE_IDLE_MINUTES])
OFFICE_PAGES = said[signing_in.OFFICE_PAGES]
SESSION_LASTS = timedelta(hours=said[signing_in.SESSION_HOURS])
AUDIT_SEAL_PUBLIC_KEYS = said[trail.AUDIT_SEAL_PUBLIC_KEYS]  # of earlier keys
AUDIT_SEAL_KEY, AUDIT_ENTRY_KEYS = environment.audit_keys(
    seal=said[trail.AUDIT_SEAL_KEY],
    entries=said[trail.AUDIT_ENTRY_KEYS],
    secret_key=SECRET_KEY,
    debug=DEBUG,
    problems=problems,
)
AUDIT_HEADS_FILE = said[trail.AUDIT_HEADS_FILE]
AUDIT_REQUIRES_ACTOR = said[trail.AUDIT_REQUIRES_ACTOR]
VENDOR_TIME_ZONE = said[trail.VENDOR_TIME_ZONE]
DATABASE_NEW_KEY = said[database.DATABASE_NEW_KEY]
DATABASES = {
    "default": databases.database(
        said[database.DATABASE_URL],
        key=said[database.DATABASE_KEY],
        new_key=DATABASE_NEW_KEY,
        token=said[database.DATABASE_AUTH_TOKEN],
        base_dir=BASE_DIR,
        problems=problems,
    )
}
LIBSQL_SERVER_LIVE_REASON = said[database.LIBSQL_SERVER_LIVE_REASON]
DATABASE_AT_REST_REASON = said[database.DATABASE_AT_REST_REASON]
DATABASE_PLAIN_ON_LOOPBACK = said[database.DATABASE_PLAIN_ON_LOOPBACK]
# of the database that manage.py move_database moves to
DATABASE_TO_KEY = said[database.DATABASE_TO_KEY]
DATABASE_TO_TOKEN = said[database.DATABASE_TO_TOKEN]
API_TOKEN_LASTS = timedelta(hours=said[signing_in.API_TOKEN_HOURS])
STATIC_ROOT = said[site.STATIC_ROOT] or str(BASE_DIR / "staticfiles")
LOG_LEVEL = said[site.LOG_LEVEL]
OTEL_EXPORTER_OTLP_ENDPOINT = said[watching.OTEL_EXPORTER_OTLP_ENDPOINT]
databases.check_live(DATABASES["default"], live=STRIPE_LIVE_MODE, reason=LIBSQL_SERVER_LIVE_REASON, problems=problems)
databases.check_database(
    DATABASES["default"],
    debug=DEBUG,
    plain_on_loopback=DATABASE_PLAIN_ON_LOOPBACK,
    problems=problems,
)
DATABASE_CAN_LOSE_COMMITS = databases.is_libsql_server(DATABASES["default"])  # at a power cut
METRICS_TOKEN = said[watching.METRICS_TOKEN]
METRICS_FOLDER = environment.metrics_folder(
    said[watching.PROMETHEUS_MULTIPROC_DIR] or str(BASE_DIR / "var" / "metrics"),
    is_used=bool(METRICS_TOKEN) and environment.command(sys.argv) in ("", "worker"),  # others count for nobody
    problems=problems,
)
DATABASES["impatient"] = databases.with_limits(DATABASES["default"], seconds=databases.IMPATIENT_SECONDS)
DATABASES["optional"] = databases.with_limits(DATABASES["default"], seconds=databases.OPTIONAL_SECONDS)
BACKUP_KEYS = said[backups.BACKUP_KEYS]
BACKUP_KEEP = said[backups.BACKUP_KEEP]
BACKUP_KEEP_DAYS = said[backups.BACKUP_KEEP_DAYS]
BACKUPS_ELSEWHERE_REASON = said[backups.BACKUPS_ELSEWHERE_REASON]
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
    "billing.monitoring.probes.readiness",  # before what redirects, and what looks at the host
    "billing.traces.traced",
    "billing.access.request_context.identified",  # early, so that no line of the log is without the id
    "django.middleware.security.SecurityMiddleware",
    "config.cors.shared",
    "billing.error_pages.refuse_nul",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "config.compression.Compressed",
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
    "billing.access.held_permissions.ReadAtOnce",  # before the three that keep what it reads
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
    "DATETIME_INPUT_FORMATS": ["%Y-%m-%dT%H:%M:%S%z", "%Y-%m-%dT%H:%M:%S.%f%z"],  # RFC 3339: no time without its zone
    "DEFAULT_SCHEMA_CLASS": "billing.api.schema.Schema",
    "DEFAULT_PAGINATION_CLASS": "billing.api.paging.NewestFirst",
    "EXCEPTION_HANDLER": "billing.api.errors.answer",
    "NUM_PROXIES": TRUSTED_PROXIES,
}
KNOX_TOKEN_MODEL = "billing.AccessToken"  # noqa: S105  the name of a model
REST_KNOX = {
    "TOKEN_TTL": API_TOKEN_LASTS,
    "AUTO_REFRESH": False,  # a request that only reads writes nothing
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Office Billing",
    "DESCRIPTION": "Offices, their subscriptions, and whether an Office may use the product.",
    "VERSION": "1",
    "OAS_VERSION": "3.1.0",
    "SERVERS": [{"url": "/", "description": "Where this document comes from"}],
    "SERVE_INCLUDE_SCHEMA": False,
    "ENFORCE_NON_BLANK_FIELDS": True,
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "billing.api.document.complete",
    ],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    # deep links: each address would be a link inside a button. Highlighting: its colours are too weak to read
    "SWAGGER_UI_SETTINGS": {"deepLinking": False, "syntaxHighlight": {"activated": False}},
    "ENUM_NAME_OVERRIDES": {"InvoiceKindEnum": "billing.models.Invoice.Kind"},
}

LANGUAGE_CODE = "en-us"
TIME_ZONE = "UTC"
USE_TZ = True
USE_I18N = True
FORMAT_MODULE_PATH = "config.formats"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

STATIC_URL = "static/"
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
SESSION_ENGINE = "billing.sign_in.stored_sessions"
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
LOGGING = logs.configuration(
    form=said[watching.LOG_FORMAT],
    level=LOG_LEVEL,
    secrets=(*said.secrets(VARIABLES.values()), environment.Secret(DATABASES["default"].get("PASSWORD") or "")),
)

UNFOLD = back_office.UNFOLD
