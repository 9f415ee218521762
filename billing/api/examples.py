"""An example of each body that a front end meets first. All names and numbers are invented."""

from typing import Any

from billing.api.amounts import shown
from billing.models.statuses import InvoiceStatus, PaymentStatus, SubscriptionStatus
from billing.money import Money

OFFICE = "0b9f4a52-6a3e-4d0c-9a55-3f1f0d6a7c11"
PRICE = "6c1d2f7e-0c58-4a9b-8f57-2b9b1c4e9d20"
INVOICE = "f3f0b1de-52d7-4f0a-9a6f-7b5a8d0e4c33"
AS_OF = "2026-12-28T09:00:00Z"
LATER = "2027-02-28T09:00:00Z"
PAYMENT = "a2c5e8f1-93b4-47d6-8c0e-5d7f1b3a9e44"


def usd(cents: int) -> Any:
    return shown(Money(cents, "usd"))


OF: dict[str, Any] = {
    "SignIn": {"email": "owner@maple-street.example", "password": "seven wild geese over a lake"},
    "Token": {
        "token": "5f0c3a…",
        "expires": "2027-01-28T09:00:00Z",
        "scope": "operate",
    },
    "Office": {
        "id": OFFICE,
        "name": "Maple Street Practice",
        "billing_email": "billing@maple-street.example",
        "time_zone": "America/New_York",
        "locale": "en",
        "currency": "usd",
        "subscription_status": SubscriptionStatus.ACTIVE.value,
        "credit_balance": usd(0),
        "archived_at": None,
    },
    "Entitlement": {"access": "full", "reason": SubscriptionStatus.ACTIVE.value, "until": "2027-01-28T09:00:00Z"},
    "PlanPrice": {
        "id": PRICE,
        "plan": "Team",
        "code": "team-monthly",
        "currency": "usd",
        "unit_amount": usd(4900),
        "interval": "month",
        "interval_count": 1,
        "per_seat": True,
    },
    "Subscribe": {"price": PRICE, "quantity": 16, "reason": "asked for on the phone"},
    "Change": {"quantity": 17, "as_of": AS_OF, "reason": "one seat more"},
    "Cancel": {"at_period_end": True, "reason": "closing the practice"},
    "Invoice": {
        "id": INVOICE,
        "number": "MAPLE-0004",
        "status": InvoiceStatus.OPEN.value,
        "stays_a_draft": False,
        "kind": "cycle",
        "collection": "charge_automatically",
        "currency": "usd",
        "subtotal": usd(78400),
        "discount": usd(0),
        "tax": usd(0),
        "tax_within": usd(0),
        "total": usd(78400),
        "amount_paid": usd(0),
        "amount_remaining": usd(78400),
        "paid_elsewhere": usd(0),
        "overpaid": usd(0),
        "credited_before_payment": usd(0),
        "credited_after_payment": usd(0),
        "attempt_count": 1,
        "next_payment_attempt": "2026-12-31T09:00:00Z",
        "period_start": "2026-12-28T09:00:00Z",
        "period_end": "2027-01-28T09:00:00Z",
        "created_at": "2026-12-28T09:00:00Z",
        "finalised_at": "2026-12-28T10:00:00Z",
        "due_at": None,
        "paid_at": None,
        "voided_at": None,
        "uncollectible_at": None,
    },
    "Payment": {
        "id": PAYMENT,
        "invoice": INVOICE,
        "status": PaymentStatus.FAILED.value,
        "currency": "usd",
        "amount": usd(78400),
        "amount_refunded": usd(0),
        "refundable": usd(0),
        "disputed": False,
        "paid_with": "visa …4242",
        "card_brand": "visa",
        "card_last4": "4242",
        "failure": {
            "code": "insufficient_funds",
            "says": "There is not enough money on the card.",
            "next_step": "Use another card, or try again later.",
        },
        "created_at": "2026-12-28T10:00:00Z",
        "adjustments": [],
    },
    "Problem": {
        "type": "https://billing.example/api/v1/problems/#card_declined",
        "title": "The payment was declined, or there is nothing to charge",
        "status": 402,
        "code": "card_declined",
        "detail": "The card was declined: there is not enough money on it.",
        "request_id": "3f2b8c1d9e4a4c7f8b6d5e2a1c0f9b7d",
        "decline_code": "insufficient_funds",
        "next_step": "Use another card, or try again later.",
    },
    "Refund": {"amount": 4900, "as_of": AS_OF, "reason": "duplicate"},
    "PreviewRefund": {"amount": 4900, "reason": "duplicate"},
    "Start": {"price": "team-monthly", "quantity": 16},
    "CreatePaymentLink": {"price": "team-monthly", "quantity": 16},
    "PreviewChange": {"quantity": 17},
    "CancelOnDate": {"at": LATER, "as_of": AS_OF, "reason": "closing"},
    "PreviewCancelOnDate": {"at": LATER},
    "TrialEnd": {"at": LATER, "as_of": AS_OF, "reason": "agreed"},
    "PreviewTrialEnd": {"at": LATER},
    "Restart": {"credit": "now", "as_of": AS_OF, "reason": "agreed"},
    "PreviewRestart": {"credit": "now"},
    "PauseCollection": {"invoices_become": "void", "until": LATER, "reason": "agreed"},
    "Discount": {"code": "SPRING", "as_of": AS_OF},
    "PreviewDiscount": {"code": "SPRING"},
    "RemoveDiscount": {"as_of": AS_OF},
    "CardForm": {},
    "Pay": {"reason": "office_asked"},
    "Charge": {"charge": "training", "amount": 25000, "as_of": AS_OF, "reason": "agreed"},
    "PreviewCharge": {"charge": "training", "amount": 25000},
    "CreditNote": {"amount": 4900, "to": "balance", "as_of": AS_OF, "reason": "goodwill"},
    "PreviewCreditNote": {"amount": 4900, "to": "balance", "reason": "goodwill"},
    "Credit": {"amount": 2500, "as_of": AS_OF, "reason": "goodwill"},
    "PreviewCredit": {"amount": 2500},
    "Contact": {"name": "Maple Street Practice", "locale": "en", "reason": "office_asked"},
    "Reason": {"reason": "office_asked"},
    "Approve": {"as_of": AS_OF},
    "Decision": {"reason": "agreed"},
    "NewMember": {"email": "nora@maple-street.example", "role": "viewer"},
    "ChangedMember": {"role": "manager"},
    "RequiredOfMembers": {"required_of_members": True},
    "ChangePassword": {"current": "seven wild geese over a lake", "new": "eleven quiet herons by the pond"},
}
