"""Each kind of finding that a rule closes: it opens, its matter is over, and it is closed without a person."""

import ast
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from billing import clock, findings, jobs, sealing
from billing.audit import actor, trail
from billing.matters import close_what_is_over
from billing.models import (
    Agreement,
    AuditEntry,
    Finding,
    Job,
    Notification,
    Office,
    Payment,
    Plan,
    PlanPrice,
    ReceivedEvent,
    Reconciliation,
)
from billing.monitoring import asking, telling
from billing.operations import compliance
from billing.operations.engine.begin import perform
from billing.operations.offices.archive import ArchiveOffice
from billing.operations.offices.contact import ChangeContact
from billing.outbox import delivery, keeping
from billing.reconciliation import begin, reconcile, runs
from billing.webhooks import inbox
from tests.append_only import rewrite
from tests.at_stripe import scheduled
from tests.conftest import ADMINISTRATOR, LocalStripe, a_person, an_office, determined, price, subscribed_office
from tests.outbox.conftest import a_wait_is_over, told_of_role

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "impatient", "optional"])
BY = actor.job("tests")
BILLING = Path(findings.__file__).parent


class Stage:
    """One Office with a subscription, and what happens around it."""

    def __init__(self, stripe: LocalStripe, operator, office, settings, monkeypatch) -> None:
        self.stripe, self.operator, self.settings, self.monkeypatch = stripe, operator, settings, monkeypatch
        self.office = subscribed_office(office, by=operator)
        self.settle()

    @property
    def customer(self) -> str:
        return self.office.payment_provider_customer_id

    def settle(self) -> None:
        self.stripe.deliver_and_apply()
        for _ in range(3):
            ReceivedEvent.objects.filter(status="waiting").update(due_at=clock.wall() - timedelta(hours=1))
            inbox.work_off()

    def lose_events(self) -> None:
        self.stripe.taken()
        ReceivedEvent.objects.all().delete()

    def compare(self, **how) -> None:
        reconcile(by=BY, reason="a test", **how)

    def a_foreign_price(self) -> str:
        product = self.stripe.post("products", name="Another")["id"]
        terms = {"product": product, "currency": "usd", "unit_amount": 900, "recurring[interval]": "month"}
        return self.stripe.post("prices", **terms)["id"]

    def subscribe(self, customer: str, price_id: str) -> str:
        asked = {"items[0][price]": price_id, "trial_period_days": 14}
        return self.stripe.post("subscriptions", customer=customer, **asked)["id"]

    def a_stranger(self, **given: str) -> str:
        return self.stripe.post("customers", name="Cedar Lane Clinic", email="billing@cedar.example", **given)["id"]


STORIES = []


def story(tells):
    """Register a story. Where it pauses, the finding is open. At its end the finding is closed."""
    STORIES.append(tells)
    return tells


@story
def drift(at: Stage) -> Iterator[None]:
    at.settings.RECONCILE_REPAIRS = False
    at.stripe.post(f"customers/{at.customer}", balance=-700)
    at.lose_events()
    at.compare()
    yield
    at.stripe.post(f"customers/{at.customer}", balance=0)
    at.lose_events()
    at.compare()


@story
def not_compared(at: Stage) -> Iterator[None]:
    own = at.customer
    Office.objects.update(payment_provider_customer_id="cus_nowhere")
    at.compare()
    yield
    Office.objects.update(payment_provider_customer_id=own, balance_due=1)
    at.stripe.post(f"customers/{own}", balance=-700)
    at.lose_events()
    at.compare()


@story
def contact_differs(at: Stage) -> Iterator[None]:
    at.stripe.post(f"customers/{at.customer}", email="another@example.com")
    at.compare()
    yield
    at.stripe.post(f"customers/{at.customer}", email=at.office.billing_email)
    at.compare()


@story
def contact_differs_and_is_sent_again(at: Stage) -> Iterator[None]:
    at.stripe.post(f"customers/{at.customer}", email="another@example.com")
    at.compare()
    yield
    perform(ChangeContact(name=at.office.name), at.office, by=at.operator, reason="as it was")


@story
def contact_missing(at: Stage) -> Iterator[None]:
    stranger = at.stripe.post("customers")["id"]
    at.subscribe(stranger, price("practice-monthly").stripe_price_id)
    at.lose_events()
    at.compare(adopts=True)
    yield
    adopted = Office.objects.get(payment_provider_customer_id=stranger)
    contact = ChangeContact(name="Cedar Lane Clinic", billing_email="billing@cedar.example")
    perform(contact, adopted, by=at.operator, reason="asked by phone")


@story
def text_about_a_patient(at: Stage) -> Iterator[None]:
    stranger = at.stripe.post("customers", name="Jane Roe MRN 883122", email="billing@cedar.example")["id"]
    at.subscribe(stranger, price("practice-monthly").stripe_price_id)
    at.lose_events()
    at.compare(adopts=True)
    yield
    adopted = Office.objects.get(payment_provider_customer_id=stranger)
    perform(ChangeContact(name="Cedar Lane Clinic"), adopted, by=at.operator, reason="asked by phone")
    close_what_is_over()


@story
def events_missed(at: Stage) -> Iterator[None]:
    at.stripe.post(f"customers/{at.customer}", balance=-700)
    at.stripe.taken()
    at.stripe.advance(hours=1)
    at.compare()
    yield
    at.settle()
    at.compare()


@story
def event_parked(at: Stage) -> Iterator[None]:
    Office.objects.filter(pk=an_office("Whose customer is nowhere").pk).update(payment_provider_customer_id="cus_no")
    waits = {"alone": True, "attempts": inbox.MOST_ATTEMPTS, "created_at": clock.wall()}
    ReceivedEvent.objects.create(stripe_id="evt_1", type="customer.updated", customer_id="cus_no", **waits)
    inbox.work_off()
    yield
    inbox.replay(ReceivedEvent.objects.all())


@story
def event_parked_that_nobody_reported(at: Stage) -> Iterator[None]:
    findings.report("event_parked", "evt_1", office=None, detail="x")
    yield
    close_what_is_over()


@story
def job_failed(at: Stage) -> Iterator[None]:
    answers = [ValueError("odd")] * jobs.REPORTED_AFTER + [None]

    def work() -> None:
        if error := answers.pop(0):
            raise error

    at.monkeypatch.setattr(jobs, "KINDS", {"flaky": jobs.Kind(work, timedelta(hours=1))})
    jobs.plan_recurring()
    for _ in range(jobs.REPORTED_AFTER):
        Job.objects.filter(name="flaky").update(due_at=clock.wall())
        jobs.run_due()
    yield
    Job.objects.filter(name="flaky").update(due_at=clock.wall())
    jobs.run_due()


@story
def audit_trail_changed(at: Stage) -> Iterator[None]:
    sealing.seal()
    entries = AuditEntry.objects.filter(pk=AuditEntry.objects.latest("pk").pk)
    reason = entries.get().reason
    rewrite(entries, reason="another one")
    sealing.verify_trail()
    yield
    rewrite(entries, reason=reason)
    sealing.verify_trail()


@story
def backfill_unfinished(at: Stage) -> Iterator[None]:
    begin(by=BY, reason="a test", adopts=True)
    Reconciliation.objects.update(began_at=clock.wall() - timedelta(days=2))
    while runs.begin_or_continue():
        pass
    yield
    at.compare(adopts=True)


@story
def unknown_customer(at: Stage) -> Iterator[None]:
    stranger = at.a_stranger()
    at.settle()
    yield
    at.stripe.delete(f"customers/{stranger}")
    at.stripe.taken()
    at.compare()


@story
def unknown_customer_that_ends_its_subscription(at: Stage) -> Iterator[None]:
    one = at.subscribe(at.a_stranger(), price("practice-monthly").stripe_price_id)
    at.stripe.taken()
    at.compare()
    yield
    at.stripe.delete(f"subscriptions/{one}")
    at.stripe.taken()
    at.compare()


@story
def unknown_customer_that_an_office_has_now(at: Stage) -> Iterator[None]:
    stranger = at.a_stranger()
    at.settle()
    yield
    Office.objects.filter(pk=an_office("Cedar Lane").pk).update(payment_provider_customer_id=stranger)
    close_what_is_over()


@story
def second_customer(at: Stage) -> Iterator[None]:
    second = at.a_stranger(**{"metadata[office]": str(at.office.public_id)})
    at.stripe.taken()
    at.compare()
    yield
    at.stripe.post(f"customers/{second}", **{"metadata[office]": ""})
    at.stripe.taken()
    at.compare()


@story
def second_customer_that_was_deleted(at: Stage) -> Iterator[None]:
    second = at.a_stranger(**{"metadata[office]": str(at.office.public_id)})
    at.stripe.taken()
    at.compare()
    yield
    at.stripe.delete(f"customers/{second}")
    at.stripe.taken()
    at.compare()


@story
def customer_not_linked(at: Stage) -> Iterator[None]:
    at.a_stranger(**{"metadata[office]": str(an_office("Without a customer").public_id)})
    at.stripe.taken()
    at.compare()
    yield
    found = Finding.objects.get(kind="customer_not_linked")
    Office.objects.filter(pk=found.office_id).update(payment_provider_customer_id=found.subject)
    at.compare()


@story
def customer_deleted(at: Stage) -> Iterator[None]:
    at.stripe.delete(f"customers/{at.customer}")
    at.settle()
    yield
    perform(ArchiveOffice(), Office.objects.get(pk=at.office.pk), by=at.operator, reason="closed")
    close_what_is_over()


@story
def unknown_price(at: Stage) -> Iterator[None]:
    (item,) = at.stripe.listed("subscription_items", subscription=at.office.payment_provider_subscription_id)
    at.stripe.post(f"subscription_items/{item['id']}", price=at.a_foreign_price(), proration_behavior="none")
    at.settle()
    yield
    own = price("practice-monthly").stripe_price_id
    at.stripe.post(f"subscription_items/{item['id']}", price=own, proration_behavior="none")
    at.settle()


@story
def unknown_price_of_a_subscription_that_ends(at: Stage) -> Iterator[None]:
    one = at.subscribe(at.customer, at.a_foreign_price())
    at.settle()
    yield
    at.stripe.delete(f"subscriptions/{one}")
    at.settle()


@story
def unknown_price_that_becomes_ours(at: Stage) -> Iterator[None]:
    foreign = at.a_foreign_price()
    at.subscribe(at.customer, foreign)
    at.settle()
    yield
    terms = {"currency": "usd", "unit_amount": 900, "interval": "month"}
    with trail.acting(BY, reason="a test"):
        PlanPrice.objects.create(plan=Plan.objects.all()[0], code="adopted", stripe_price_id=foreign, **terms)
    close_what_is_over()


@story
def unknown_price_that_nobody_reported(at: Stage) -> Iterator[None]:
    """Whatever left it open: the rule about our own rows closes it."""
    findings.report("unknown_price", at.office.payment_provider_subscription_id, office=at.office, detail="x")
    yield
    close_what_is_over()


@story
def second_live_subscription(at: Stage) -> Iterator[None]:
    one = at.subscribe(at.customer, price("seats-monthly").stripe_price_id)
    at.settle()
    yield
    at.stripe.delete(f"subscriptions/{one}")
    at.settle()


@story
def second_live_subscription_that_nobody_reported(at: Stage) -> Iterator[None]:
    findings.report("second_live_subscription", str(at.office.public_id), office=at.office, detail="x")
    yield
    close_what_is_over()


@story
def drafts_wait(at: Stage) -> Iterator[None]:
    key = at.office.payment_provider_subscription_id
    at.stripe.post(f"subscriptions/{key}", **{"pause_collection[behavior]": "keep_as_draft"})
    at.stripe.advance(days=32)
    at.stripe.post(f"subscriptions/{key}", pause_collection="")
    at.settle()
    yield
    [draft] = at.stripe.listed("invoices", status="draft")
    at.stripe.post(f"invoices/{draft['id']}/pay")
    at.settle()
    close_what_is_over()


@story
def archived_and_billed(at: Stage) -> Iterator[None]:
    Office.objects.filter(pk=at.office.pk).update(archived_at=clock.wall())
    at.stripe.post(f"customers/{at.customer}", description="seen again")
    at.settle()
    yield
    at.stripe.delete(f"subscriptions/{at.office.subscriptions.get().stripe_id}")
    at.settle()
    close_what_is_over()


@story
def schedule(at: Stage) -> Iterator[None]:
    one = scheduled(at.stripe, at.customer)["id"]
    at.settle()
    yield
    at.stripe.post(f"subscription_schedules/{one}/cancel")
    at.settle()


@story
def schedule_that_the_comparison_finds_canceled(at: Stage) -> Iterator[None]:
    one = scheduled(at.stripe, at.customer)["id"]
    at.lose_events()
    at.compare()
    yield
    at.stripe.post(f"subscription_schedules/{one}/cancel")
    at.lose_events()
    at.compare()


@story
def schedule_that_manages_a_subscription(at: Stage) -> Iterator[None]:
    own = at.office.payment_provider_subscription_id
    one = at.stripe.post("subscription_schedules", from_subscription=own)["id"]
    at.settle()
    yield
    at.stripe.post(f"subscription_schedules/{one}/release")
    at.settle()


@story
def schedule_of_a_subscription_that_is_canceled(at: Stage) -> Iterator[None]:
    own = at.office.payment_provider_subscription_id
    at.stripe.post("subscription_schedules", from_subscription=own)
    at.settle()
    yield
    at.stripe.delete(f"subscriptions/{own}")
    at.settle()


@story
def schedule_of_a_customer_that_is_deleted(at: Stage) -> Iterator[None]:
    scheduled(at.stripe, at.customer)
    at.settle()
    yield
    at.stripe.delete(f"customers/{at.customer}")
    at.settle()


@story
def schedule_that_nobody_reported(at: Stage) -> Iterator[None]:
    findings.report("schedule", "sub_sched_gone", office=at.office, detail="x")
    yield
    close_what_is_over()


@story
def not_for_sale_at_stripe(at: Stage) -> Iterator[None]:
    own = price("practice-monthly").stripe_price_id
    at.stripe.post(f"prices/{own}", active="false")
    at.settle()
    yield
    at.stripe.post(f"prices/{own}", active="true")
    at.settle()


@story
def not_for_sale_at_stripe_nor_here(at: Stage) -> Iterator[None]:
    at.stripe.post(f"prices/{price('practice-monthly').stripe_price_id}", active="false")
    at.settle()
    yield
    PlanPrice.objects.filter(code="practice-monthly").update(active_until=clock.wall())
    close_what_is_over()


def a_price_in_shillings(at: Stage) -> PlanPrice:
    """It was typed when five shillings were still sent as 5. Stripe's price is right: somebody mended it there."""
    product = price("practice-monthly").plan.stripe_product_id
    terms = {"currency": "ugx", "unit_amount": 500, "recurring[interval]": "month"}
    made = at.stripe.post("prices", product=product, **terms)["id"]
    at.settle()
    with trail.acting(BY, reason="a test"):
        plan = price("practice-monthly").plan
        ours = {"currency": "ugx", "unit_amount": 5, "interval": "month"}
        return PlanPrice.objects.create(plan=plan, code="shillings", stripe_price_id=made, **ours)


@story
def price_differs(at: Stage) -> Iterator[None]:
    a_price_in_shillings(at)
    at.compare()
    assert "0.05 UGX a month here, 5 UGX a month at Stripe" in Finding.objects.get(kind="price_differs").detail
    assert PlanPrice.objects.get(code="shillings").unit_amount == 5  # nothing is multiplied blindly
    yield
    PlanPrice.objects.filter(code="shillings").update(active_until=clock.wall())
    close_what_is_over()


@story
def price_differs_until_the_next_comparison(at: Stage) -> Iterator[None]:
    a_price_in_shillings(at)
    at.compare()
    yield
    PlanPrice.objects.filter(code="shillings").update(unit_amount=500)
    at.compare()


@story
def fraud_warning(at: Stage) -> Iterator[None]:
    payment = Payment.objects.get().stripe_id
    at.stripe.control(f"charges/{payment}/fraud_warning")
    at.settle()
    yield
    at.stripe.post("refunds", charge=payment)
    at.settle()


@story
def dispute(at: Stage) -> Iterator[None]:
    at.stripe.control(f"charges/{Payment.objects.get().stripe_id}/dispute")
    at.settle()
    yield
    (one,) = at.stripe.listed("disputes")
    at.stripe.post(f"disputes/{one['id']}/close")
    at.settle()


@story
def determination_lapsed(at: Stage) -> Iterator[None]:
    at.settings.STRIPE_LIVE_MODE = True
    compliance.report_lapse()
    yield
    another = actor.person(a_person("another@vendor.example", group=ADMINISTRATOR))
    determined(at.operator, another)
    compliance.report_lapse()


@story
def check_failed(at: Stage) -> Iterator[None]:
    at.stripe.control("settings", date_seconds=3600)
    asking.ask()
    telling.check()
    yield
    at.stripe.control("settings", date_seconds=0)
    asking.ask()
    telling.check()


@story
def determination_to_renew(at: Stage) -> Iterator[None]:
    at.settings.STRIPE_LIVE_MODE = True
    another = actor.person(a_person("another@vendor.example", group=ADMINISTRATOR))
    row = determined(at.operator, another)
    Agreement.objects.filter(pk=row.pk).update(terms_review_by=clock.wall().date() - timedelta(days=1))
    compliance.report_lapse()
    yield
    determined(at.operator, another)
    compliance.report_lapse()


@story
def mail_waits(at: Stage) -> Iterator[None]:
    told_of_role()
    kept = at.settings.EMAIL_BACKEND
    at.settings.EMAIL_BACKEND, at.settings.EMAIL_PORT = "django.core.mail.backends.smtp.EmailBackend", 1
    for _ in range(findings.MAIL_REPORTED_AFTER):
        delivery.work_off()
        a_wait_is_over()
    yield
    at.settings.EMAIL_BACKEND = kept
    delivery.work_off()
    close_what_is_over()


@story
def mail_parked(at: Stage) -> Iterator[None]:
    told_of_role()
    Notification.objects.update(context={}, attempts=delivery.MOST_ATTEMPTS)  # it cannot be made
    delivery.work_off()
    yield
    keeping.send_again(Notification.objects.get(), by=at.operator)


@story
def mail_unknown(at: Stage) -> Iterator[None]:
    told_of_role()
    Notification.objects.update(state="sending", lease_until=clock.wall())
    delivery.work_off()
    yield
    Notification.objects.update(state="sent")  # by the worker that was only slow
    close_what_is_over()


def kind_of(tells) -> str:
    return max((kind for kind in findings.KINDS if tells.__name__.startswith(kind)), key=len)


@pytest.mark.parametrize("tells", STORIES, ids=lambda one: one.__name__)
def test_it_closes_by_itself_when_its_matter_is_over(stripe, operator, office, settings, monkeypatch, tells):
    told = tells(Stage(stripe, operator, office, settings, monkeypatch))
    about = Finding.objects.filter(kind=kind_of(tells))

    next(told)
    assert about.get().resolved_at is None
    assert next(told, "ended") == "ended"

    assert about.get().resolved_at is not None
    assert about.get().resolution != ""


BEGUN = [one for one in STORIES if not one.__name__.endswith("nobody_reported")]
"""The others tell of a matter that was over from the beginning."""


@pytest.mark.parametrize("tells", BEGUN, ids=lambda one: one.__name__)
def test_it_stays_open_until_then(stripe, operator, office, settings, monkeypatch, tells):
    next(tells(Stage(stripe, operator, office, settings, monkeypatch)))

    close_what_is_over()

    assert Finding.objects.get(kind=kind_of(tells)).resolved_at is None


def test_every_kind_that_a_rule_closes_has_a_story():
    assert {kind_of(one) for one in STORIES} == {name for name, kind in findings.KINDS.items() if kind.by_rule}


def test_a_kind_that_no_rule_closes_is_closed_by_a_person():
    assert all(kind.by_rule or kind.by_person for kind in findings.KINDS.values())
    assert not any(kind.is_over and not kind.by_rule for kind in findings.KINDS.values())


def test_every_report_in_the_code_is_of_a_kind_in_the_table_and_every_kind_is_reported():
    reported = {kind for file in BILLING.rglob("*.py") for kind in kinds_reported_in(file)}

    assert reported == set(findings.KINDS)


def kinds_reported_in(file: Path) -> Iterator[str]:
    """Yield the first argument of each call of ``report``, by its text or by the constant that it names."""
    tree = ast.parse(file.read_text())
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and getattr(node.func, "id", getattr(node.func, "attr", "")) == "report":
            yield value_of(node.args[0], file)


def value_of(node: ast.expr, file: Path) -> str:
    if isinstance(node, ast.Constant):
        return str(node.value)
    assert isinstance(node, ast.Name | ast.Attribute)
    name = node.id if isinstance(node, ast.Name) else node.attr
    module = __import__(".".join(file.relative_to(BILLING.parent).with_suffix("").parts), fromlist=[name])
    return str(getattr(module, name))
