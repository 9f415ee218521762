"""The variables of signing in."""

from config.sign_in import ROLES
from config.variables.kinds import FERNET_KEY, FLAG, PASSWORD, TEXT, WORD, listed, number
from config.variables.places import HOST, ISSUER
from config.variables.variable import Variable

REQUIRE_SECOND_FACTOR = Variable(
    "REQUIRE_SECOND_FACTOR",
    FLAG,
    "The vendor's staff reach nothing before a second factor was set up and used. It can be off only while DEBUG is "
    "on.",
    default="true",
)
STAFF_IDLE_MINUTES = Variable(
    "STAFF_IDLE_MINUTES",
    number(2, 1_440),
    "After how many minutes without a request a session of the vendor's staff ends. At least 2, because a page warns "
    "one minute before.",
    default="15",
)
OFFICE_IDLE_MINUTES = Variable(
    "OFFICE_IDLE_MINUTES", number(2, 1_440), "The same for the people of an Office.", default="60"
)
OFFICE_PAGES = Variable(
    "OFFICE_PAGES",
    FLAG,
    "Offices have pages of their own at /billing/. Off, these answer 404: your own product shows them their billing.",
    default="true",
)
SESSION_HOURS = Variable(
    "SESSION_HOURS", number(1, 720), "How many hours after the sign-in a session ends in any case.", default="12"
)
API_TOKEN_HOURS = Variable(
    "API_TOKEN_HOURS", number(1, 8_760), "How long an API token is valid at most, in hours.", default="10"
)
SECRETS_KEYS = Variable(
    "SECRETS_KEYS",
    listed(FERNET_KEY, "key"),
    "The keys that encrypt secrets in the database, such as those of authenticator apps. Needed with DEBUG off. Keep a "
    "copy in another place. Make one:\n"
    'python -c "from cryptography.fernet import Fernet; print(Fernet.generate_key().decode())"\n'
    "The newest comes first. docs/operations.md says how a key is replaced.",
    is_needed=True,
)
OIDC_ISSUER = Variable(
    "OIDC_ISSUER",
    ISSUER,
    "Staff can sign in through the vendor's OpenID Connect provider. Set OIDC_ISSUER, OIDC_CLIENT_ID, "
    "OIDC_CLIENT_SECRET and OIDC_ROLES, or none of them. At the provider, allow the address "
    "<SITE_URL>/account/oidc/staff/login/callback/. The ID token must have the address, email_verified and the groups. "
    "This is the provider's address.",
    example="https://sign-in.vendor.example",
)
OIDC_CLIENT_ID = Variable("OIDC_CLIENT_ID", WORD, "What the provider calls this site.")
OIDC_CLIENT_SECRET = Variable("OIDC_CLIENT_SECRET", PASSWORD, "The secret that the provider gave to this site.")
OIDC_ROLES = Variable(
    "OIDC_ROLES",
    ROLES,
    "Which of the provider's groups gives which role here: role=group, with commas between. A role can be there "
    "several times. At each sign-in, a person gets and loses these roles as their groups say.",
    example="operator=billing-operators,administrator=billing-administrators",
)
OIDC_NAME = Variable("OIDC_NAME", TEXT, "What the sign-in page calls the provider.", default="your organization")
OIDC_GROUPS_CLAIM = Variable("OIDC_GROUPS_CLAIM", WORD, "The claim that lists the groups.", default="groups")
OIDC_SECOND_FACTOR = Variable(
    "OIDC_SECOND_FACTOR",
    listed(WORD, "value").or_none(),
    "With which values of the claims amr or acr the provider says that a second factor was used. With none, staff also "
    "use a second factor here.",
    default="mfa",
    has_none=True,
)
OIDC_EMAIL_DOMAINS = Variable(
    "OIDC_EMAIL_DOMAINS",
    listed(HOST, "domain"),
    "Domains whose addresses count as verified, although the provider does not say email_verified. Only for a provider "
    "where nobody chooses an address by themselves.",
    example="vendor.example",
)

ROWS = (
    REQUIRE_SECOND_FACTOR,
    STAFF_IDLE_MINUTES,
    OFFICE_IDLE_MINUTES,
    OFFICE_PAGES,
    SESSION_HOURS,
    API_TOKEN_HOURS,
    SECRETS_KEYS,
    OIDC_ISSUER,
    OIDC_CLIENT_ID,
    OIDC_CLIENT_SECRET,
    OIDC_ROLES,
    OIDC_NAME,
    OIDC_GROUPS_CLAIM,
    OIDC_SECOND_FACTOR,
    OIDC_EMAIL_DOMAINS,
)
