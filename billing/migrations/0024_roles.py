import billing.clock
from django.db import migrations, models

MORE = {"administrator": ("operator", "finance", "auditor"), "operator": ("finance", "auditor")}
"""What each role of before is beside itself, so that whoever has it may do as much as before."""


def leave_people_what_they_can_do(apps, schema_editor):
    """Give everybody the roles into which theirs was split, and ask a person to review them.

    The rights of the groups are written after each migrate.
    """
    User, Group = apps.get_model("billing", "User"), apps.get_model("auth", "Group")
    told = []
    for user in User.objects.filter(groups__name__in=MORE).distinct().order_by("email"):
        had = set(user.groups.values_list("name", flat=True))
        added = sorted({more for name in had for more in MORE.get(name, ())} - had)
        if not added:
            continue
        user.groups.add(*(Group.objects.get_or_create(name=name)[0] for name in added))
        record(apps, user, added)
        active = "" if user.is_active and user.is_staff else " (cannot sign in to the admin)"
        told.append(f"{user.email}{active}: was {', '.join(sorted(had))}; is also {', '.join(added)}.")
    if told:
        report("roles_to_review", "\n".join([SAYS, *told]), apps)


SAYS = (
    "The roles operator and administrator were split. Everybody has the roles that leave them what they could do. Take "
    "away what a person does not need: under Access, Users."
)


def report(kind, detail, apps):
    apps.get_model("billing", "Finding").objects.get_or_create(
        kind=kind, subject="roles", resolved_at=None, defaults={"severity": "warning", "detail": detail}
    )


def record(apps, user, added):
    ContentType = apps.get_model("contenttypes", "ContentType")
    kind, _ = ContentType.objects.get_or_create(app_label="billing", model="user")
    now = billing.clock.wall()
    apps.get_model("billing", "AuditEntry").objects.create(
        content_type=kind,
        object_pk=str(user.pk),
        object_id=user.pk,
        object_repr=user.email,
        action=1,
        changes={"groups": {"type": "m2m", "operation": "add", "objects": added}},
        kind="change",
        actor_kind="job",
        actor_label="migrate",
        reason="the roles were split",
        timestamp=now,
        billing_at=now,
    )


class Migration(migrations.Migration):
    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
        ('billing', '0023_outbox'),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="office",
            options={
                "ordering": ["name", "pk"],
                "permissions": [
                    ("view_billing", "May see this Office's billing"),
                    ("see_details", "May see e-mail addresses, the last digits of cards and ids at Stripe"),
                    ("open_documents", "May open this Office's invoices at Stripe"),
                    ("preview_billing", "May ask Stripe what something would cost"),
                    ("manage_billing", "May change what is billed to this Office, and how"),
                    ("open_portal", "May open Stripe's portal for this Office"),
                    ("operate_billing", "May do what only the vendor may do to an Office"),
                    ("give_back", "May give money or credit back"),
                    ("approve_requests", "May approve what another person asked for"),
                    ("manage_members", "May change who belongs to this Office"),
                    ("read_trail", "May read the audit trail of this Office"),
                    ("export_billing", "May export records"),
                ],
            },
        ),
        migrations.AlterField(
            model_name="membership",
            name="ended_at",
            field=models.DateTimeField(
                blank=True, help_text="It gives nothing from then on. It can be set in advance.", null=True
            ),
        ),
        migrations.RunPython(leave_people_what_they_can_do, migrations.RunPython.noop),
    ]
