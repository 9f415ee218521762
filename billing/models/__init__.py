from billing.models.adjustment import Adjustment
from billing.models.agreement import Agreement
from billing.models.audit import AuditEntry
from billing.models.finding import Finding
from billing.models.idempotent_request import IdempotentRequest
from billing.models.invoice import Invoice, InvoicePayment, Payment
from billing.models.membership import Membership, OfficeGroupPermission, OfficeUserPermission
from billing.models.office import Office
from billing.models.operation import Operation, OperationStep
from billing.models.payment_method import PaymentMethod
from billing.models.plan import Plan, PlanPrice
from billing.models.queue import Job, Notification, RequestBudget, WorkerHeartbeat
from billing.models.received_event import ReceivedEvent
from billing.models.reconciliation import Reconciliation
from billing.models.stripe_account import StripeAccount
from billing.models.subscription import Subscription, SubscriptionChange, SubscriptionItem
from billing.models.user import User

__all__ = [
    "Adjustment",
    "Agreement",
    "AuditEntry",
    "Finding",
    "IdempotentRequest",
    "Invoice",
    "InvoicePayment",
    "Job",
    "Membership",
    "Notification",
    "Office",
    "OfficeGroupPermission",
    "OfficeUserPermission",
    "Operation",
    "OperationStep",
    "Payment",
    "PaymentMethod",
    "Plan",
    "PlanPrice",
    "ReceivedEvent",
    "Reconciliation",
    "RequestBudget",
    "StripeAccount",
    "Subscription",
    "SubscriptionChange",
    "SubscriptionItem",
    "User",
    "WorkerHeartbeat",
]
