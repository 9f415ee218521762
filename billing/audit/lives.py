"""How long the rows of each table are kept, and what ends them. docs/trail.md shows this table.

Evidence is kept for six years at least, and the database refuses to delete it, whoever asks. The trail alone is retired
after that, because it grows with each act and names people. Other evidence is kept for ever, by decision: it is a few
rows for each act, holds no text that was typed but reasons and notes, and what is left of the trail refers to it.
"""

from dataclasses import dataclass

EVIDENCE_YEARS = 6


@dataclass(frozen=True, slots=True)
class Life:
    """``models`` are their labels, or an app with all of its tables. ``ended_by`` is a job, a command, or words."""

    what: str
    models: str
    kept: str
    ended_by: str


EVIDENCE = f"{EVIDENCE_YEARS} years at least"
FOR_EVER = "for ever"
OFFICE = "as long as its Office, which is never deleted"
PRODUCT = "as long as the product is used"
NOTHING = "nothing"
LIVES = (
    Life("The audit trail", "billing.AuditEntry", EVIDENCE, "`manage.py retire_audit`"),
    Life("Seals, and the hash of each entry", "billing.AuditSeal billing.SealedEntry", PRODUCT, NOTHING),
    Life("The tiles of their tree, which follow from them", "billing.SealedTile", PRODUCT, NOTHING),
    Life("Reviews of the trail", "billing.TrailReview", FOR_EVER, NOTHING),
    Life(
        "Refusals that came again, not yet in the trail",
        "billing.RefusalCount",
        "20 minutes",
        "the worker, which puts their number into it",
    ),
    Life("Operations and their requests", "billing.Operation billing.OperationStep", FOR_EVER, NOTHING),
    Life("Text typed into an operation", "", "7 days after it settled", "job `forget-request-texts`"),
    Life("Findings, open and resolved", "billing.Finding", FOR_EVER, NOTHING),
    Life("Determinations and vouchings", "billing.Agreement billing.Vouching", FOR_EVER, NOTHING),
    Life("Requests for approval, emergency roles", "billing.ApprovalRequest billing.EmergencyRole", FOR_EVER, NOTHING),
    Life("Events of Stripe that were settled", "billing.ReceivedEvent", "90 days", "job `purge-events`"),
    Life(
        "Comparisons that ended",
        "billing.Reconciliation billing.Reconciliation_findings",
        "400 days",
        "job `purge-comparisons`",
    ),
    Life("Bulk acts that ended", "billing.BulkAct billing.BulkRow", "400 days", "job `purge-bulk-acts`"),
    Life("E-mails that were sent or given up", "billing.Notification", "90 days", "job `purge-mail`"),
    Life("Addresses on the suppression list, as digests", "billing.SuppressedAddress", PRODUCT, "staff"),
    Life("One-time links that expired", "billing.OneTimeLink", "90 days", "job `purge-mail`"),
    Life(
        "Idempotency-Keys with their answers", "billing.IdempotentRequest", "a day", "job `forget-idempotent-requests`"
    ),
    Life("API tokens that expired", "billing.AccessToken", "to their end", "job `forget-lapsed-access`"),
    Life("Sessions", "sessions.Session usersessions.UserSession", "to their end", "job `forget-lapsed-access`"),
    Life("Counts of requests", "billing.RateCount", "2 hours", "job `forget-rate-counts`"),
    Life("Failed tries to sign in", "axes", "15 minutes", "job `forget-failed-sign-ins`"),
    Life("Jobs", "billing.Job", "until they are done; recurring ones stay", "whatever runs them"),
    Life("Which backups were made, and holds after a restore", "billing.Backup billing.Hold", PRODUCT, NOTHING),
    Life("Heartbeats of workers", "billing.WorkerHeartbeat", "a day", "each worker"),
    Life("What was last seen of Stripe: a row for each subject", "billing.Observation", PRODUCT, NOTHING),
    Life("The cache of codes that were used", "billing.CachedValue", "to their end", "Django, when the table is full"),
    Life(
        "The pace of requests, how far the trail was verified, and digests of settings",
        "billing.RequestBudget billing.TrailProgress billing.KnownSetting",
        PRODUCT,
        NOTHING,
    ),
    Life(
        "What belongs to an Office, also notes on it",
        "billing.Office billing.Subscription billing.SubscriptionItem billing.SubscriptionChange billing.Invoice "
        "billing.InvoicePayment billing.Payment billing.Adjustment billing.PaymentMethod billing.Membership "
        "billing.OfficeNote billing.FollowUp billing.Invitation "
        "billing.OfficeUserPermission billing.OfficeGroupPermission billing.ServiceIdentity_offices",
        OFFICE,
        NOTHING,
    ),
    Life(
        "Movements of MRR and rolled-up figures, which follow from it",
        "billing.Movement billing.RolledUp billing.RollUp",
        PRODUCT,
        NOTHING,
    ),
    Life(
        "The parts by which names are searched, which follow from them",
        "billing.OfficePart billing.UserPart",
        PRODUCT,
        NOTHING,
    ),
    Life("Stripe's objects as dj-stripe stores them", "djstripe", OFFICE, NOTHING),
    Life(
        "People, and how they sign in",
        "billing.User billing.User_groups billing.User_user_permissions account mfa socialaccount",
        "as long as the trail names them",
        NOTHING,
    ),
    Life("Services", "billing.ServiceIdentity billing.ServiceSecret", "as long as the trail names them", NOTHING),
    Life(
        "Plans and operations on them, and our account at Stripe",
        "billing.Plan billing.PlanPrice billing.PlanOperation billing.StripeAccount",
        PRODUCT,
        NOTHING,
    ),
    Life("Roles and kinds of rows", "auth contenttypes guardian", PRODUCT, NOTHING),
    Life("Django's own log of the admin, which nothing writes", "admin", PRODUCT, NOTHING),
)


def as_table() -> str:
    """Return the table as docs/trail.md shows it."""
    rows = [f"| {one.what} | {one.kept} | {one.ended_by} |" for one in LIVES]
    return "\n".join(["| | kept | ended by |", "|---|---|---|", *rows])


def life_of(label: str) -> list[Life]:
    """Return what says how long the rows of this model are kept: one, or the table is not complete."""
    return [one for one in LIVES if {label, label.partition(".")[0]} & set(one.models.split())]
