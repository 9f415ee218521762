"""What happens to one customer at Stripe without us: in the dashboard, on Stripe's pages, at the bank, with time.

Each ``@happens`` is a kind of step. It returns whether there was something to do it with. A step that Stripe refused
counts too.
"""

import random
from collections import Counter
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from django.conf import settings

from billing.models import PlanPrice
from tests.conftest import LocalStripe
from tests.statemachine.stage import COUPONS

DAY = 86_400
Step = Callable[["Life"], bool]
KINDS: dict[str, tuple[Step, int]] = {}
REFUSED = (HTTPStatus.BAD_REQUEST, HTTPStatus.PAYMENT_REQUIRED, HTTPStatus.NOT_FOUND)
MOST_SUBSCRIPTIONS = 3
MOST_ITEMS = 3
MOST_SCHEDULES = 2
MOST_TRIES = 20
ENDS_DELETED = 0.15
CARDS = (
    "pm_card_visa pm_card_mastercard pm_card_amex pm_card_chargeCustomerFail pm_card_authenticationRequired "
    "pm_card_createDispute pm_card_createDisputeInquiry pm_card_refundFail pm_card_pendingRefund"
).split()
FIRST_CARDS = ["pm_card_visa"] * 3 + ["pm_card_pendingRefund"] * 3 + [*CARDS, ""]


def happens(weight: int) -> Callable[[Step], Step]:
    """Register a kind of step with its weight. A kind that is rarely possible needs more weight."""

    def register(step: Step) -> Step:
        KINDS[step.__name__] = (step, weight)
        return step

    return register


class Life:
    """One customer at Stripe. The chance alone decides what happens, so the same chance makes the same life."""

    def __init__(self, stripe: LocalStripe, chance: random.Random, counted: Counter[str], *, office: str) -> None:
        self.stripe, self.chance, self.counted = stripe, chance, counted
        ours = PlanPrice.objects.filter(currency="usd").order_by("pk")
        self.prices = list(ours.values_list("stripe_price_id", "interval"))
        self.prices += [(_a_price(stripe, every), every) for every in ("month", "year")]
        self.rates = [
            stripe.post("tax_rates", display_name="Tax", percentage=7.5, inclusive=within)["id"]
            for within in ("true", "false")
        ]
        counted.update({f"step: {name}": 0 for name in [*KINDS, "customer_deleted"]} | {"lives": 1})
        card = chance.choice(FIRST_CARDS)
        paying = {"payment_method": card, "invoice_settings[default_payment_method]": card} if card else {}
        made = stripe.post(
            "customers", name="A practice", email="a@practice.example", **{"metadata[office]": office}, **paying
        )
        self.customer: str = made["id"]

    def goes_on(self) -> None:
        """Let one more thing happen."""
        names = list(KINDS)
        weights = [weight for _, weight in KINDS.values()]
        for name in self.chance.choices(names, weights, k=MOST_TRIES):
            if KINDS[name][0](self):
                self.counted[f"step: {name}"] += 1
                return

    def ends(self) -> None:
        """Let somebody delete the customer, sometimes."""
        if self.chance.random() < ENDS_DELETED:
            self.stripe.delete(f"customers/{self.customer}")
            self.counted["step: customer_deleted"] += 1

    # --- what steps use

    def has(self, path: str, **given: Any) -> list[dict[str, Any]]:
        return self.stripe.listed(path, customer=self.customer, **given)

    def one_of(self, path: str, which: Callable[[dict[str, Any]], Any] = bool, **given: Any) -> dict[str, Any]:
        """Return a random one that fits, or an empty dict."""
        found = [one for one in self.has(path, **given) if which(one)]
        return self.chance.choice(found) if found else {}

    def live(self) -> dict[str, Any]:
        return next((one for one in self.has("subscriptions") if one["status"] != "incomplete_expired"), {})

    def ask(self, method: str, path: str, **given: Any) -> dict[str, Any]:
        """Return Stripe's answer. It is empty if Stripe refused."""
        headers = {"Authorization": f"Bearer {settings.STRIPE_API_KEY}"}
        answer = self.stripe.http.request(method, f"/v1/{path}", data=given, headers=headers)
        if answer.status_code in REFUSED:
            self.counted["steps refused by Stripe"] += 1
            return {}
        return answer.raise_for_status().json()

    def does(self, path: str, **given: Any) -> bool:
        """Ask for it, and return True whatever Stripe answered."""
        self.ask("POST", path, **given)
        return True

    def passes(self, seconds: int) -> bool:
        self.stripe.advance(seconds=seconds)
        return True

    def now(self) -> int:
        return self.stripe.http.get("/_sandbox/clock").json()["now"]


# --- subscriptions


@happens(24)
def subscribed(life: Life) -> bool:
    """Subscribe to one or more prices, with or without a trial, charged or sent, whatever the card then says."""
    if life.live() or len(life.has("subscriptions", status="all")) >= MOST_SUBSCRIPTIONS:
        return False
    return _subscribe(life)


@happens(1)
def subscribed_beside(life: Life) -> bool:
    """Subscribe although a subscription is live already, as somebody in the dashboard may."""
    if not life.live() or len(life.has("subscriptions", status="all")) >= MOST_SUBSCRIPTIONS:
        return False
    return _subscribe(life)


def _subscribe(life: Life) -> bool:
    _, every = life.chance.choice(life.prices)
    fitting = [price for price, interval in life.prices if interval == every]
    terms: dict[str, Any] = {}
    for number, price in enumerate(life.chance.sample(fitting, life.chance.choice([1, 1, 1, 2]))):
        terms |= {f"items[{number}][price]": price, f"items[{number}][quantity]": _quantity(life)}
    if days := life.chance.choice([0, 0, 0, 1, 14]):
        terms["trial_period_days"] = days
    if life.chance.random() < 0.15:
        terms |= {"collection_method": "send_invoice", "days_until_due": 14}
    return life.does("subscriptions", customer=life.customer, **terms)


def _quantity(life: Life) -> int:
    return life.chance.choice([0, 1, 1, 1, 2, 5])


@happens(4)
def seats_changed(life: Life) -> bool:
    if not (item := _item(life)):
        return False
    settle = life.chance.choice(["create_prorations", "always_invoice", "none"])
    quantity = life.chance.choice([0, 1, 2, 3, 9])
    return life.does(f"subscription_items/{item}", quantity=quantity, proration_behavior=settle)


@happens(4)
def plan_changed(life: Life) -> bool:
    """Put an item on another price, ours or one of somebody. Of several items, all keep the same interval."""
    if not (item := _item(life)):
        return False
    every = life.live()["items"]["data"][0]["price"]["recurring"]["interval"]
    has_several = len(life.live()["items"]["data"]) > 1
    fitting = [price for price, interval in life.prices if interval == every or not has_several]
    return life.does(f"subscription_items/{item}", price=life.chance.choice(fitting))


@happens(4)
def item_added(life: Life) -> bool:
    items = life.live().get("items", {"data": []})["data"]
    if not items or len(items) >= MOST_ITEMS:
        return False
    every = items[0]["price"]["recurring"]["interval"]
    price = life.chance.choice([price for price, interval in life.prices if interval == every])
    settle = life.chance.choice(["create_prorations", "none"])
    terms = {"price": price, "quantity": _quantity(life), "proration_behavior": settle}
    return life.does("subscription_items", subscription=life.live()["id"], **terms)


@happens(14)
def item_removed(life: Life) -> bool:
    items = life.live().get("items", {"data": []})["data"]
    return len(items) > 1 and (
        bool(life.ask("DELETE", f"subscription_items/{life.chance.choice(items)['id']}")) or True
    )


@happens(1)
def price_archived_or_sold_again(life: Life) -> bool:
    price, _ = life.chance.choice(life.prices)
    return life.does(f"prices/{price}", active=life.chance.choice(["true", "false"]))


@happens(2)
def collected_otherwise(life: Life) -> bool:
    """Let invoices be sent from now on, or charged."""
    if life.chance.random() < 0.6:
        return _update(life, bool, collection_method="send_invoice", days_until_due=life.chance.choice([1, 7, 30]))
    return _update(life, bool, collection_method="charge_automatically")


@happens(3)
def taxed(life: Life) -> bool:
    return _update(life, bool, **{"default_tax_rates[0]": life.chance.choice(life.rates)})


@happens(5)
def cancelled_at_period_end(life: Life) -> bool:
    return _update(life, lambda one: not one["cancel_at"], cancel_at_period_end="true")


@happens(4)
def cancelled_on_a_date(life: Life) -> bool:
    return _update(life, lambda one: not one["cancel_at"], cancel_at=life.now() + life.chance.randint(1, 45) * DAY)


@happens(24)
def cancellation_taken_back(life: Life) -> bool:
    return _update(life, lambda one: one["cancel_at_period_end"], cancel_at_period_end="false") or _update(
        life, lambda one: one["cancel_at"], cancel_at=""
    )


@happens(2)
def cancelled_now(life: Life) -> bool:
    return bool(one := life.live()) and bool(life.ask("DELETE", f"subscriptions/{one['id']}") or True)


@happens(5)
def paused(life: Life) -> bool:
    terms = {"pause_collection[behavior]": life.chance.choice(["keep_as_draft", "void", "mark_uncollectible"])}
    if life.chance.random() < 0.5:
        terms["pause_collection[resumes_at]"] = str(life.now() + life.chance.randint(1, 40) * DAY)
    return _update(life, lambda one: not one["pause_collection"], **terms)


@happens(20)
def collected_again(life: Life) -> bool:
    return _update(life, lambda one: one["pause_collection"], pause_collection="")


@happens(14)
def trial_moved(life: Life) -> bool:
    end = life.chance.choice(["now", life.now() + life.chance.randint(1, 20) * DAY])
    return _update(life, lambda one: one["status"] == "trialing", trial_end=end)


@happens(4)
def coupon_given(life: Life) -> bool:
    coupon = life.chance.choice(list(COUPONS))
    return _update(life, lambda one: not one["discounts"], **{"discounts[0][coupon]": coupon})


@happens(10)
def coupon_taken(life: Life) -> bool:
    return _update(life, lambda one: one["discounts"], discounts="")


@happens(3)
def item_discounted(life: Life) -> bool:
    """Give an item a discount, or take it off."""
    if not (item := _item(life)):
        return False
    coupon = {"discounts[0][coupon]": life.chance.choice(list(COUPONS))}
    return life.does(f"subscription_items/{item}", **life.chance.choice([coupon, coupon, {"discounts": ""}]))


@happens(4)
def subscription_scheduled(life: Life) -> bool:
    """Let a subscription start by itself later, whether or not another one is there. It may end by itself too."""
    if len(life.has("subscription_schedules")) >= MOST_SCHEDULES:
        return False
    price, _ = life.chance.choice(life.prices)
    phase = {
        "phases[0][items][0][price]": price,
        "phases[0][items][0][quantity]": _quantity(life),
        "phases[0][duration][interval]": "month",
    }
    terms = {"start_date": life.now() + life.chance.randint(1, 40) * DAY, "end_behavior": _end_behaviour(life)}
    return life.does("subscription_schedules", customer=life.customer, **terms, **phase)


@happens(5)
def change_scheduled(life: Life) -> bool:
    """Let a schedule manage the active subscription: other seats from the next period on, and then perhaps its end."""
    one = life.live()
    if not one or one["status"] != "active" or one["schedule"] or one["cancel_at"]:
        return False
    schedule = life.ask("POST", "subscription_schedules", from_subscription=one["id"])
    if not schedule:
        return True
    [now] = schedule["phases"]
    phases: dict[str, Any] = {"phases[0][start_date]": now["start_date"], "phases[0][end_date]": now["end_date"]}
    for number, item in enumerate(now["items"]):
        for at, quantity in enumerate((item["quantity"], _quantity(life))):
            phases[f"phases[{at}][items][{number}][price]"] = item["price"]
            phases[f"phases[{at}][items][{number}][quantity]"] = quantity
    phases["phases[1][duration][interval]"] = one["items"]["data"][0]["price"]["recurring"]["interval"]
    return life.does(f"subscription_schedules/{schedule['id']}", **phases, end_behavior=_end_behaviour(life))


@happens(14)
def schedule_called_off(life: Life) -> bool:
    one = life.one_of("subscription_schedules", lambda one: one["status"] in ("not_started", "active"))
    how = life.chance.choice(["release", "release", "cancel"])
    return bool(one) and life.does(f"subscription_schedules/{one['id']}/{how}")


def _end_behaviour(life: Life) -> str:
    return life.chance.choice(["release", "cancel"])


def _update(life: Life, where: Callable[[dict[str, Any]], Any], **given: Any) -> bool:
    one = life.live()
    return bool(one and where(one)) and life.does(f"subscriptions/{one['id']}", **given)


def _item(life: Life) -> str:
    """Return a random item of the live subscription, or an empty text."""
    one = life.live()
    return life.chance.choice(one["items"]["data"])["id"] if one else ""


def _a_price(stripe: LocalStripe, interval: str) -> str:
    """Make a price that is none of our plans."""
    terms = {"currency": "usd", "unit_amount": 7_500, "product_data[name]": "Typed by somebody"}
    return stripe.post("prices", **terms, **{"recurring[interval]": interval})["id"]


# --- invoices


@happens(2)
def billed_once(life: Life) -> bool:
    """Make a one-off invoice, in some currency: a draft, or one that is charged or sent at once."""
    terms: dict[str, Any] = {"auto_advance": "true", "currency": life.chance.choice(["usd", "usd", "eur", "jpy"])}
    if sent := life.chance.random() < 0.4:
        terms |= {"collection_method": "send_invoice", "days_until_due": 7}
    if not (draft := _draft(life, **terms)):
        return True
    if life.chance.random() < 0.7:
        life.ask("POST", f"invoices/{draft}/finalize")
        life.ask("POST", f"invoices/{draft}/{'send' if sent else 'pay'}")
    return True


@happens(1)
def draft_deleted(life: Life) -> bool:
    """Delete a waiting draft, or one that was just made."""
    waits = life.one_of("invoices", lambda one: not one["parent"], status="draft")
    draft = waits["id"] if waits else _draft(life)
    return bool(draft) and (bool(life.ask("DELETE", f"invoices/{draft}")) or True)


@happens(14)
def open_invoice_settled(life: Life) -> bool:
    what = life.chance.choice(["pay", "pay", "void", "mark_uncollectible"])
    return bool(one := life.one_of("invoices", status="open")) and life.does(f"invoices/{one['id']}/{what}")


@happens(12)
def paid_outside_of_stripe(life: Life) -> bool:
    one = life.one_of("invoices", status="open")
    return bool(one) and life.does(f"invoices/{one['id']}/pay", paid_out_of_band="true")


@happens(12)
def paid_by_another_payment(life: Life) -> bool:
    """Pay an open invoice with a payment that was made by itself."""
    if not (one := life.one_of("invoices", lambda one: one["amount_remaining"] > 0, status="open")):
        return False
    terms = {"customer": life.customer, "amount": one["amount_remaining"], "currency": one["currency"]}
    paid = life.ask("POST", "payment_intents", **terms, payment_method="pm_card_visa", confirm="true")
    return bool(paid) and life.does(f"invoices/{one['id']}/attach_payment", payment_intent=paid["id"])


@happens(5)
def credit_note_issued(life: Life) -> bool:
    """Credit a part of what is owed, or give it back to the card or the balance."""
    invoice = life.one_of("invoices", lambda one: one["status"] in ("open", "paid") and one["total"] > 100)
    if not invoice:
        return False
    amount = life.chance.choice([100, invoice["total"] // 3])
    back = {} if invoice["status"] == "open" else {life.chance.choice(["refund_amount", "credit_amount"]): amount}
    return life.does("credit_notes", invoice=invoice["id"], amount=amount, **back)


def _draft(life: Life, **terms: Any) -> str:
    """Make a draft with one line. Returns its id, or an empty text if Stripe refuses it."""
    made = life.ask("POST", "invoices", customer=life.customer, **terms)
    if not made:
        return ""
    line = {"amount": life.chance.randint(1_000, 9_000), "currency": made["currency"]}
    life.ask("POST", "invoiceitems", customer=life.customer, invoice=made["id"], **line)
    return made["id"]


# --- money back


@happens(10)
def refunded(life: Life) -> bool:
    """Refund a payment in part or in whole."""
    paid = life.one_of(
        "charges", lambda one: one["status"] == "succeeded" and not one["refunded"] and not one["disputed"]
    )
    if not paid:
        return False
    left = paid["amount"] - paid["amount_refunded"]
    return life.does("refunds", charge=paid["id"], amount=life.chance.choice([left, left // 2 or left, min(left, 700)]))


@happens(24)
def refund_settled(life: Life) -> bool:
    waits = [one for charge in life.has("charges") for one in life.stripe.listed("refunds", charge=charge["id"])]
    waits = [one for one in waits if one["status"] == "pending"]
    if waits:
        life.stripe.control(f"refunds/{life.chance.choice(waits)['id']}/settle")
    return bool(waits)


@happens(5)
def disputed(life: Life) -> bool:
    """Let the bank dispute a payment, sometimes as an inquiry only."""
    paid = life.one_of(
        "charges", lambda one: one["status"] == "succeeded" and not one["refunded"] and not one["disputed"]
    )
    if paid:
        life.stripe.control(f"charges/{paid['id']}/dispute", inquiry=life.chance.random() < 0.3)
    return bool(paid)


@happens(20)
def dispute_answered(life: Life) -> bool:
    for charge in life.has("charges"):
        for one in life.stripe.listed("disputes", charge=charge["id"]) if charge["disputed"] else []:
            if one["status"] in ("needs_response", "warning_needs_response"):
                if life.chance.random() < 0.3:
                    return life.does(f"disputes/{one['id']}/close")
                text = life.chance.choice(["winning_evidence", "losing_evidence", "a letter"])
                return life.does(f"disputes/{one['id']}", **{"evidence[uncategorized_text]": text})
    return False


@happens(1)
def balance_changed(life: Life) -> bool:
    amount = life.chance.choice([-5_000, -700, 1_200, 25_000])
    return life.does(f"customers/{life.customer}/balance_transactions", amount=amount, currency="usd")


# --- the customer and its cards


@happens(2)
def default_card_changed(life: Life) -> bool:
    made = life.ask("POST", f"payment_methods/{life.chance.choice(CARDS)}/attach", customer=life.customer)
    default = {"invoice_settings[default_payment_method]": made.get("id", "")}
    return bool(made) and life.does(f"customers/{life.customer}", **default)


@happens(1)
def card_taken_off(life: Life) -> bool:
    return bool(one := life.one_of("payment_methods")) and life.does(f"payment_methods/{one['id']}/detach")


@happens(1)
def card_renewed(life: Life) -> bool:
    """Let its network renew a card. Nobody asked for it."""
    if one := life.one_of("payment_methods"):
        life.stripe.control(f"payment_methods/{one['id']}/renew", exp_month=life.chance.randint(1, 12), exp_year=2040)
    return bool(one)


@happens(1)
def card_will_refuse(life: Life) -> bool:
    outcome = life.chance.choice(["decline", "authenticate"])
    life.stripe.control("charges", outcome=outcome, next=life.chance.randint(1, 2), customer=life.customer)
    return True


@happens(2)
def renamed(life: Life) -> bool:
    return life.does(f"customers/{life.customer}", name=life.chance.choice(["A practice", "Another practice"]))


# --- time


@happens(2)
def hours_passed(life: Life) -> bool:
    return life.passes(life.chance.choice([3_601, 6 * 3_600, DAY]))


@happens(2)
def days_passed(life: Life) -> bool:
    return life.passes(life.chance.randint(2, 16) * DAY)


@happens(3)
def a_month_passed(life: Life) -> bool:
    return life.passes(32 * DAY)
