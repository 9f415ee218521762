from django.db import migrations


def rename(apps, schema_editor):
    """Django writes a permission's name once, when it makes the permission."""
    permissions = apps.get_model("auth", "Permission").objects.filter(content_type__app_label="billing")
    permissions.filter(codename="manage_billing").update(name="May change what is billed to this Office, and how")


class Migration(migrations.Migration):
    dependencies = [("auth", "0012_alter_user_first_name_max_length"), ("billing", "0008_adjustments")]

    operations = [
        migrations.AlterModelOptions(
            name="office",
            options={
                "ordering": ["name", "pk"],
                "permissions": [
                    ("view_billing", "May see this Office's billing"),
                    ("manage_billing", "May change what is billed to this Office, and how"),
                ],
            },
        ),
        migrations.RunPython(rename, migrations.RunPython.noop),
    ]
