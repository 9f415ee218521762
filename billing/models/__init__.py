from billing.models.access_token import AccessToken
from billing.models.adjustment import Adjustment
from billing.models.agreement import Agreement
from billing.models.approval_request import ApprovalRequest
from billing.models.audit import AuditEntry
from billing.models.backup import Backup, Hold
from billing.models.bulk_act import BulkAct, BulkRow
from billing.models.cached_value import CachedValue
from billing.models.emergency_role import EmergencyRole
from billing.models.finding import Finding
from billing.models.follow_up import FollowUp
from billing.models.idempotent_request import IdempotentRequest
from billing.models.invitation import Invitation, OneTimeLink
from billing.models.invoice import Invoice, InvoicePayment, Payment
from billing.models.known_setting import KnownSetting
from billing.models.membership import Membership, OfficeGroupPermission, OfficeUserPermission
from billing.models.notification import Notification
from billing.models.observation import Observation
from billing.models.office import Office, OfficePart
from billing.models.office_note import OfficeNote
from billing.models.operation import Operation, OperationStep
from billing.models.payment_method import PaymentMethod
from billing.models.plan import Plan, PlanPrice
from billing.models.plan_operation import PlanOperation
from billing.models.queue import Job, RequestBudget, WorkerHeartbeat
from billing.models.rate_count import RateCount
from billing.models.received_event import ReceivedEvent
from billing.models.reconciliation import Reconciliation
from billing.models.refusal_count import RefusalCount
from billing.models.report import Movement, RolledUp, RollUp
from billing.models.seal import AuditSeal, SealedEntry, SealedTile, TrailProgress
from billing.models.service import ServiceIdentity, ServiceSecret
from billing.models.stripe_account import StripeAccount
from billing.models.subscription import Subscription, SubscriptionChange, SubscriptionItem
from billing.models.suppressed_address import SuppressedAddress
from billing.models.trail_review import TrailReview
from billing.models.user import User, UserPart
from billing.models.vouching import Vouching

__all__ = [
    "AccessToken",
    "Adjustment",
    "Agreement",
    "ApprovalRequest",
    "AuditEntry",
    "AuditSeal",
    "Backup",
    "BulkAct",
    "BulkRow",
    "CachedValue",
    "EmergencyRole",
    "Finding",
    "FollowUp",
    "Hold",
    "IdempotentRequest",
    "Invitation",
    "Invoice",
    "InvoicePayment",
    "Job",
    "KnownSetting",
    "Membership",
    "Movement",
    "Notification",
    "Observation",
    "Office",
    "OfficeGroupPermission",
    "OfficeNote",
    "OfficePart",
    "OfficeUserPermission",
    "OneTimeLink",
    "Operation",
    "OperationStep",
    "Payment",
    "PaymentMethod",
    "Plan",
    "PlanOperation",
    "PlanPrice",
    "RateCount",
    "ReceivedEvent",
    "Reconciliation",
    "RefusalCount",
    "RequestBudget",
    "RollUp",
    "RolledUp",
    "SealedEntry",
    "SealedTile",
    "ServiceIdentity",
    "ServiceSecret",
    "StripeAccount",
    "Subscription",
    "SubscriptionChange",
    "SubscriptionItem",
    "SuppressedAddress",
    "TrailProgress",
    "TrailReview",
    "User",
    "UserPart",
    "Vouching",
    "WorkerHeartbeat",
]
