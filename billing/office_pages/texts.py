"""The words of these pages, in one place. Labels of forms and names of roles stand with their fields."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Texts:
    """The words, in English. A text with ``{}`` takes the value that stands there."""

    back: str = "Back without a change"
    to_the_office: str = "Back to the billing of {}"
    billing: str = "Billing"
    questions: str = "Do you have a question about your billing? Write to"
    no_patients: str = "Please do not write about patients."

    choose: str = "Your Offices"
    choose_says: str = "You belong to more than one Office. Choose the one whose billing you want to see."
    no_office: str = "You do not belong to an Office. An owner of your Office can invite you."
    needs_second_factor: str = "These Offices require a second factor. Set one up to see their billing:"
    office_needs_second_factor: str = "This Office requires a second factor. Set one up to see its billing."
    set_up: str = "Set up a second factor"
    other_offices: str = "Your other Offices"

    refused: str = "You are not allowed to do this"
    refused_says: str = "Nothing was changed. An owner of your Office can give you a role that allows it."

    next_charge: str = "Next charge"
    next_charge_on: str = "On {}. Stripe calculates the exact amount."
    nothing_next: str = "No charge is planned."
    show_next: str = "Show the next invoice"
    next_invoice: str = "The next invoice"

    payment_method: str = "Payment method"
    no_method: str = "No payment method is on file."
    valid_until: str = "valid until {}"
    charged: str = "used for payments"
    add_card: str = "Add a card"
    change_card: str = "Change the card"
    card_says: str = "Cards are entered on a page of Stripe, which opens next. The new card is charged from then on."
    complete: str = "Complete the first payment at Stripe"

    what_can_be_done: str = "What you can do"
    change: str = "Change plan or seats"
    cancel: str = "Cancel the subscription"
    keep: str = "Take the cancellation back"
    start_again: str = "To subscribe, ask the vendor of the software."

    invoices: str = "Invoices"
    no_invoices: str = "There is no invoice yet."
    only_newest: str = "These are the {} newest invoices. Ask the vendor of the software for older ones."
    draft: str = "Draft"
    pdf: str = "PDF"
    pdf_of: str = "PDF of {}"
    to_pay: str = "{} to pay"
    pay: str = "Pay {}"
    at_stripe: str = "Pay or confirm it on a page of Stripe"
    at_stripe_says: str = "If your bank wants you to confirm the payment, or you want to pay in another way:"
    what_is_charged_changed: str = "What would be charged has changed meanwhile. Please look at it again."
    pay_of: str = "Pay {} for {}"

    viewer: str = "You can see the billing and change nothing. An owner of your Office can give you another role."

    change_says: str = "You see the exact cost before anything is charged. If the payment is declined, nothing changes."
    plan: str = "Plan"
    plan_not_offered: str = "This plan is not sold now, or it is not in your currency. Choose one from the list."
    seats: str = "Seats"
    seats_help: str = "For a plan with one price for the whole Office, this is 1."
    settle: str = "The rest of this period"
    settle_now: str = "Charge or credit the difference now"
    settle_later: str = "Settle the difference with the next invoice"
    show_cost: str = "Show what it costs"
    confirm_charge: str = "Confirm and charge {}"
    confirm_change: str = "Confirm the change"
    before_after: str = "Before and after"
    what: str = "What"
    before: str = "Before"
    after: str = "After"
    charged_now: str = "Charged today"
    with_next: str = "With the next invoice"
    with_next_on: str = "With the next invoice, on {}"
    nothing_charged: str = "Nothing is charged or credited."
    discount: str = "Discount"
    tax: str = "Tax"
    tax_within: str = "Tax included in the total"
    total: str = "Total"
    is_charged: str = "Charged"
    kept_as_credit: str = "Charged (the total is negative and is kept as credit)"
    put_off: str = "Charged (too little, so it is put off until the next invoice)"
    afterwards: str = "Afterwards: {}."
    lacks_card: str = "This would be charged now, but no payment method is on file. Add a card first."
    changed: str = "The subscription is changed."

    cancel_says: str = "No money moves now. You can take the cancellation back until the subscription has ended."
    loses: str = "What you lose"
    cancelled: str = "The subscription is canceled."
    already_cancelled: str = "The subscription is canceled already."
    not_what_was_seen: str = "What you lose has changed since you saw it. Read it again, and then confirm."

    keep_says: str = "The subscription no longer ends. Nothing is charged now. It renews at the end of the paid period."
    keep_button: str = "Let it renew"
    kept: str = "The cancellation is taken back."

    pay_title: str = "Pay invoice {}"
    pay_says: str = "{} is charged now to {}. If the payment is declined, the invoice stays open."
    paid: str = "The invoice is paid."
    nothing_to_pay: str = "There is nothing left to pay on this invoice."

    members: str = "Members"
    members_link: str = "Members of this Office"
    you: str = "you"
    since: str = "since {}"
    until: str = "until {}"
    remove: str = "Remove"
    remove_of: str = "Remove {}"
    remove_says: str = "{} will no longer see the billing of {}. You can invite them again later."
    removed: str = "The membership is ended."
    invite: str = "Invite a person"
    invite_says: str = "They get an e-mail with a link. They become a member when they accept."
    email: str = "E-mail address"
    role: str = "Role"
    roles: str = "A viewer sees the billing. A manager also changes it. An owner also invites and removes people."
    send: str = "Send the invitation"
    sent: str = "The invitation is on its way."
    invitations: str = "Open invitations"
    withdraw: str = "Withdraw"
    withdraw_of: str = "Withdraw the invitation to {}"
    withdrawn: str = "The invitation is withdrawn."

    nothing_begun: str = "Stripe did not answer. Nothing was changed: try again in a moment."


ENGLISH = Texts()
INVOICE_STATUS: dict[str, str] = {
    "draft": "not final yet",
    "open": "open",
    "paid": "paid",
    "void": "void: nothing is owed",
    "uncollectible": "written off",
}
"""Stripe's words for the status of an invoice, as an Office reads them."""
