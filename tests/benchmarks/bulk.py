"""Rows by the hundred thousand for the benchmarks of pages: made by SQL, the same on SQLite and on PostgreSQL.

With ``scale`` 1: 100,000 Offices, a million invoices, payments and audit entries, and what belongs to them.
Times are before the present moment, in whole seconds. Names and addresses are invented.
"""

from datetime import datetime, timedelta
from typing import Any

OFFICES, A_YEAR = 100_000, 365 * 24 * 3600
LEAST = 100
GRANTS = 10_000
MEMBERS = {1: "one@practice.example", 10: "ten@practice.example", GRANTS: "many@practice.example"}
"""People by to how many Offices they belong."""
A_MONTH = 30 * 24 * 3600
WORDS = (
    "Maple Oak Cedar Birch Willow Elm Aspen Harbor River Lake Summit Valley Meadow Sunrise Evergreen Prairie Canyon "
    "Bridge Garden Coastal Northern Southern Western Eastern Central Silver Golden Crystal Granite Heritage"
).split()
KINDS = "Dental Family Pediatric Cardiology Dermatology Orthopedic Eye Physical Hearing Internal".split()
ENDS = "Practice Clinic Center Group Associates Partners Care Health".split()
RARE = {7: "Élan Vital", 11: "SÜD Praxis", 13: "Straße Sieben"}
"""Names that few Offices have, each 25,000 Offices."""


def name_of(number: int) -> str:
    if rare := RARE.get(number % 25_000):
        return f"{rare} {number}"
    parts = WORDS[number % 30], KINDS[number // 30 % 10], ENDS[number // 300 % 8]
    return f"{' '.join(parts)} {number}"


def status_of(number: int) -> str:
    """Return the status of an Office's subscription. Three in a hundred are past due, seven have none."""
    match number % 100:
        case 0 | 1 | 2:
            return "past_due"
        case 3 | 4:
            return "trialing"
        case part if part < 13:
            return "canceled"
        case part if part < 20:
            return ""
    return "active"


class Bulk:
    def __init__(self, scale: float) -> None:
        from django.db import connection
        from django.utils import timezone

        self.connection = connection
        self.is_postgres = connection.vendor == "postgresql"
        self.offices = max(int(OFFICES * scale), LEAST)
        self.grants = self.offices * GRANTS // OFFICES
        self.now: datetime = timezone.now().replace(microsecond=0)
        self.moved: list[Any] = []

    def ago(self, seconds: str) -> str:
        """Return the expression for a moment so many seconds before now."""
        if self.is_postgres:
            return f"TIMESTAMPTZ '{self.now.isoformat()}' - ({seconds}) * INTERVAL '1 second'"
        return f"strftime('%Y-%m-%d %H:%M:%S', '{self.now:%Y-%m-%d %H:%M:%S}', (-({seconds})) || ' seconds')"

    def digits(self, number: str, width: int) -> str:
        if self.is_postgres:
            return f"lpad(({number})::text, {width}, '0')"
        return f"printf('%0{width}d', {number})"

    def uuid(self, number: str) -> str:
        return self.digits(number, 32)

    def fill(self, model: Any, count: int, *, where: str = "TRUE", **given: str) -> None:
        """Add rows, each column an expression of ``n`` from 1 to ``count``. Other columns have their defaults."""
        meta = model._meta
        values = {"id": "n", **given}
        for field in meta.concrete_fields:
            if field.column in values or field.null or field.has_db_default():
                continue
            if field.name == "public_id":
                values[field.column] = self.uuid("n")
            elif field.has_default() or field.empty_strings_allowed:
                values[field.column] = self._literal(field.get_db_prep_save(field.get_default(), self.connection))
        columns = [field for field in meta.concrete_fields if field.column in values]
        selected = ", ".join(
            f"CAST({values[field.column]} AS {field.cast_db_type(self.connection)})"
            if self.is_postgres
            else values[field.column]
            for field in columns
        )
        named = ", ".join(f'"{field.column}"' for field in columns)
        numbers = (
            f"SELECT n FROM generate_series(1::bigint, {count}) AS numbers(n)"
            if self.is_postgres
            else f"WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {count}) "
            "SELECT n FROM numbers"
        )
        with self.connection.cursor() as cursor:
            cursor.execute(
                f'INSERT INTO "{meta.db_table}" ({named}) SELECT {selected} FROM ({numbers}) AS made WHERE {where}'
            )
        self.moved.append(model)

    def _literal(self, value: Any) -> str:
        value = getattr(value, "obj", value)  # psycopg's wrapper of JSON
        if isinstance(value, bool):
            return str(value).upper()
        if isinstance(value, dict | list):
            return f"'{'{}' if value == {} else '[]'}'"
        return str(value) if isinstance(value, int) else f"'{value}'"

    def finish(self) -> None:
        from django.core.management.color import no_style

        with self.connection.cursor() as cursor:
            for statement in self.connection.ops.sequence_reset_sql(no_style(), self.moved):
                cursor.execute(statement)
            if self.is_postgres:  # as it does by itself; on SQLite nothing of ours does it
                cursor.execute("ANALYZE")


def make(scale: float) -> Bulk:
    """Make all rows in an empty database."""
    from django.contrib.contenttypes.models import ContentType

    from billing import models
    from billing.audit import actor, trail

    bulk = Bulk(scale)
    count, ago = bulk.offices, bulk.ago
    with trail.acting(actor.job("benchmark")):
        plans = [models.Plan.objects.create(code=code, name=code.title()) for code in ("solo", "team", "clinic")]
        for number, plan in enumerate(plans):
            models.PlanPrice.objects.create(
                plan=plan,
                code=f"{plan.code}-monthly",
                currency="usd",
                unit_amount=4_900 * (number + 1),
                interval="month",
            )
    price = f"n % 3 + {models.PlanPrice.objects.order_by('pk')[0].pk}"
    _offices(bulk, plans)

    has_one = "n % 100 NOT BETWEEN 13 AND 19"
    status = (
        "CASE WHEN n % 100 < 3 THEN 'past_due' WHEN n % 100 < 5 THEN 'trialing' WHEN n % 100 < 13 THEN 'canceled' "
        "ELSE 'active' END"
    )
    began = ago(f"{A_YEAR} + n % 86400")
    until = ago(f"(n * 7919) % {A_MONTH} - {A_MONTH}")
    bulk.fill(
        models.Subscription,
        count,
        where=has_one,
        office_id="n",
        stripe_id=f"'sub_Bench' || {bulk.digits('n', 9)}",
        ticket="1",
        status=status,
        plan_price_id=price,
        quantity="n % 20 + 1",
        currency="'usd'",
        monthly_amount="4900 * (n % 3 + 1) * (n % 20 + 1)",
        created_at=began,
        started_at=began,
        ended_at=f"CASE WHEN n % 100 BETWEEN 5 AND 12 THEN {ago('n % 20000000')} ELSE NULL END",
        current_period_start=ago(f"(n * 7919) % {A_MONTH}"),
        current_period_end=until,
        trial_end=f"CASE WHEN n % 100 IN (3, 4) THEN {until} ELSE NULL END",
    )
    bulk.fill(
        models.SubscriptionItem,
        count,
        where=has_one,
        subscription_id="n",
        stripe_id=f"'si_Bench' || {bulk.digits('n', 9)}",
        price_id="'price_Bench'",
        plan_price_id=price,
        quantity="n % 20 + 1",
        currency="'usd'",
        unit_amount="4900 * (n % 3 + 1)",
        interval="'month'",
        interval_count="1",
        monthly_amount="4900 * (n % 3 + 1) * (n % 20 + 1)",
    )
    for turn in (0, 1):  # it began, and then some months later seats came
        amount = "4900 * (n % 3 + 1) * (n % 20 + 1)"
        after = amount if turn else f"{amount} / 2"
        bulk.fill(
            models.SubscriptionChange,
            count,
            where=has_one,
            id=f"n + {turn * count}",
            subscription_id="n",
            office_id="n",
            at=ago(f"{A_YEAR} + n % 86400") if not turn else ago(f"(n * 7919) % {A_YEAR}"),
            status_before="'active'" if turn else "''",
            status_after="'active'",
            price_before_id=price if turn else "NULL",
            price_after_id=price,
            quantity_after="n % 20 + 1",
            mrr_before=f"{amount} / 2" if turn else "0",
            mrr_after=after,
            currency="'usd'",
        )
    _money(bulk)
    bulk.fill(
        models.PaymentMethod,
        count,
        where="n % 100 <> 4",
        office_id="n",
        stripe_id=f"'pm_Bench' || {bulk.digits('n', 9)}",
        ticket="1",
        brand="'visa'",
        last4=bulk.digits("(n * 7) % 10000", 4),
        expires=f"CASE WHEN n % 97 = 0 THEN '{bulk.now:%Y-%m}' ELSE '2031-04' END",
        is_default="TRUE",
    )
    bulk.fill(
        models.Operation,
        count,
        office_id="n",
        kind="'change_plan'",
        actor_kind="'person'",
        actor_label="'person' || (n % 200) || '@vendor.example'",
        reason="'a reason of some length'",
        status="'done'",
        lease_until=ago("n * 60"),
        created_at=ago("n * 60"),
        settled_at=ago("n * 60"),
    )
    bulk.fill(
        models.ReceivedEvent,
        5 * count,
        stripe_id=f"'evt_Bench' || {bulk.digits('n', 9)}",
        type="'invoice.paid'",
        object_id=f"'in_Bench' || {bulk.digits('n', 9)}",
        customer_id=f"'cus_Bench' || {bulk.digits(f'(n - 1) % {count} + 1', 9)}",
        created_at=ago("n * 5"),
        received_at=ago("n * 5"),
        due_at=ago("n * 5"),
        settled_at=ago("n * 5"),
        status="'done'",
        attempts="1",
    )
    bulk.fill(
        models.Notification,
        count,
        kind="'payment_failed'",
        dedupe_key="'bench:' || n",
        recipient="'billing' || n || '@practice.example'",
        state="'sent'",
        created_at=ago("n * 300"),
        due_at=ago("n * 300"),
        sent_at=ago("n * 300"),
    )
    bulk.fill(
        models.Finding,
        max(count // 100, 10),
        kind="'amounts_differ'",
        subject="'office ' || n",
        office_id="n",
        detail="'The amounts here and at Stripe differ.'",
        found_at=ago("n * 600"),
        resolved_at="CASE WHEN n % 10 = 0 THEN NULL ELSE " + ago("n * 300") + " END",
        facts="''",
    )
    _people(bulk)
    entries, office = 10 * count, ContentType.objects.get_for_model(models.Office).pk
    first = models.AuditEntry.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    about = f"(n * 7919) % {count} + 1"
    who = "CASE WHEN n % 10 = 0 THEN 'person' || ((n / 10) % 200) || '@vendor.example' ELSE 'Stripe webhooks' END"
    bulk.fill(
        models.AuditEntry,
        entries,
        id=f"n + {first}",
        timestamp=ago(f"({entries} - n) * {A_YEAR / entries}"),
        billing_at=ago(f"({entries} - n) * {A_YEAR / entries}"),
        kind="CASE WHEN n % 100 = 0 THEN 'refusal' WHEN n % 10 = 0 THEN 'act' ELSE 'change' END",
        action="1",
        content_type_id=str(office),
        object_pk=about,
        object_id=about,
        object_repr="'Practice'",
        changes="'{}'",
        changes_text="''",
        actor_kind="CASE WHEN n % 10 = 0 THEN 'person' ELSE 'service' END",
        actor_label=who,
        office_id=about,
        reason="'a reason of some length'",
        request_id="'request-' || (n / 10)",
        what="CASE WHEN n % 10 = 0 THEN 'did something' ELSE '' END",
    )
    bulk.finish()
    return bulk


def _offices(bulk: Bulk, plans: list[Any]) -> None:
    from billing.folding import fold
    from billing.models import Office

    def office(n: int) -> Office:
        name, status = name_of(n), status_of(n)
        due = 4_900 * (n % 3 + 1) * (n % 20 + 1) if status == "past_due" else 0
        ends = bulk.now + timedelta(seconds=A_MONTH - (n * 7919) % A_MONTH)
        return Office(
            pk=n,
            name=name,
            name_folded=fold(name),
            billing_email=f"billing{n}@practice{n % 1000}.example",
            currency="usd",
            created_at=bulk.now - timedelta(seconds=A_YEAR + n % 86400),
            archived_at=bulk.now if n % 1_000 == 20 else None,
            confirmed_at=bulk.now,
            reconciled_at=bulk.now,
            payment_provider_customer_id=f"cus_Bench{n:09}",
            payment_provider_subscription_id=f"sub_Bench{n:09}" if status else "",
            subscription_status=status,
            current_plan=plans[n % 3] if status else None,
            quantity=n % 20 + 1 if status else 0,
            current_period_start=ends - timedelta(seconds=A_MONTH) if status else None,
            current_period_end=ends if status else None,
            trial_end=ends if status == "trialing" else None,
            cancel_at=ends if status == "active" and n % 50 == 33 else None,
            past_due_since=bulk.now - timedelta(seconds=(n * 7919) % (40 * 86400)) if due else None,
            balance_due=due,
            payment_method_brand="" if n % 100 == 4 else "visa",
            payment_method_last4="" if n % 100 == 4 else f"{n * 7 % 10000:04}",
            payment_method_expires="" if n % 100 == 4 else f"{bulk.now:%Y-%m}" if n % 97 == 0 else "2031-04",
        )

    for start in range(1, bulk.offices + 1, 5_000):
        Office.objects.bulk_create(office(n) for n in range(start, min(start + 5_000, bulk.offices + 1)))
    bulk.moved.append(Office)


def _money(bulk: Bulk) -> None:
    """Ten invoices and payments of each Office, a month apart, the oldest first. The newest of who owes is open."""
    from billing.models import Adjustment, Invoice, InvoicePayment, Payment

    count, ago = bulk.offices, bulk.ago
    number = f"(n - 1) % {count} + 1"
    months = f"(9 - (n - 1) / {count})"
    made = ago(f"{months} * {A_MONTH} + ((n * 7919) % {A_MONTH})")
    amount = f"4900 * (({number}) % 3 + 1) * (({number}) % 20 + 1)"
    is_open = f"({months} = 0 AND ({number}) % 100 < 3)"
    bulk.fill(
        Invoice,
        10 * count,
        office_id=number,
        subscription_id=f"CASE WHEN ({number}) % 100 BETWEEN 13 AND 19 THEN NULL ELSE {number} END",
        stripe_id=f"'in_Bench' || {bulk.digits('n', 9)}",
        ticket="1",
        payment_intent_id=f"'pi_Bench' || {bulk.digits('n', 9)}",
        number=f"'BENCH' || {bulk.digits(number, 6)} || '-' || {bulk.digits(f'10 - {months}', 4)}",
        status=f"CASE WHEN {is_open} THEN 'open' ELSE 'paid' END",
        kind="'cycle'",
        currency="'usd'",
        subtotal=amount,
        total=amount,
        amount_paid=f"CASE WHEN {is_open} THEN 0 ELSE {amount} END",
        amount_remaining=f"CASE WHEN {is_open} THEN {amount} ELSE 0 END",
        overpaid="0",
        auto_advance="TRUE",
        attempt_count="1",
        next_payment_attempt=f"CASE WHEN {is_open} THEN {ago('n % 300000 - 300000')} ELSE NULL END",
        created_at=made,
        finalised_at=made,
        paid_at=f"CASE WHEN {is_open} THEN NULL ELSE {made} END",
        reconciled_at=ago("0"),
    )
    bulk.fill(
        Payment,
        10 * count,
        office_id=number,
        invoice_id="n",
        stripe_id=f"'ch_Bench' || {bulk.digits('n', 9)}",
        ticket="1",
        payment_intent_id=f"'pi_Bench' || {bulk.digits('n', 9)}",
        status=f"CASE WHEN {is_open} THEN 'failed' ELSE 'succeeded' END",
        currency="'usd'",
        amount=amount,
        decline_code=f"CASE WHEN {is_open} THEN 'insufficient_funds' ELSE '' END",
        card_brand="'visa'",
        card_last4=bulk.digits(f"(({number}) * 7) % 10000", 4),
        created_at=made,
    )
    bulk.fill(
        InvoicePayment,
        count,
        id="n",
        invoice_id=f"n + {9 * count}",
        stripe_id=f"'inpay_Bench' || {bulk.digits('n', 9)}",
        payment_intent_id=f"'pi_Bench' || {bulk.digits(f'n + {9 * count}', 9)}",
        status="CASE WHEN n % 100 < 3 THEN 'open' ELSE 'paid' END",
        amount_paid="100",
        is_default="TRUE",
    )
    bulk.fill(
        Adjustment,
        count // 10,
        office_id="n",
        payment_id="n",
        invoice_id="n",
        kind="CASE WHEN n % 500 = 0 THEN 'dispute' ELSE 'refund' END",
        stripe_id=f"'re_Bench' || {bulk.digits('n', 9)}",
        ticket="1",
        status="'succeeded'",
        currency="'usd'",
        amount="100",
        created_at=ago("n * 3000"),
    )


def _people(bulk: Bulk) -> None:
    """A member of each fifth Office, and people who belong to one, to ten and to ten thousand."""
    from django.contrib.auth.models import Permission

    from billing.access import roles
    from billing.folding import fold
    from billing.models import Membership, OfficeUserPermission, User

    first = User.objects.bulk_create(
        User(email=f"member{n}@practice.example", name=f"Invented Person {n}", name_folded=fold(f"Invented Person {n}"))
        for n in range(bulk.offices // 5)
    )
    members = [(user, 5 * n + 1, "owner") for n, user in enumerate(first)]
    for grants, email in MEMBERS.items():
        person = User.objects.bulk_create([User(email=email)])[0]
        members += [(person, 10 * n + 2, "viewer") for n in range(min(grants, bulk.grants))]
    Membership.objects.bulk_create(
        (Membership(user=user, office_id=office, role=role) for user, office, role in members), batch_size=5_000
    )
    wanted = {
        role: Permission.objects.filter(
            content_type__app_label="billing",
            content_type__model="office",
            codename__in=roles.permissions_of(roles.OFFICE[role]),
        )
        for role in ("owner", "viewer")
    }
    OfficeUserPermission.objects.bulk_create(
        (
            OfficeUserPermission(user=user, content_object_id=office, permission=permission)
            for user, office, role in members
            for permission in wanted[role]
        ),
        batch_size=5_000,
    )
