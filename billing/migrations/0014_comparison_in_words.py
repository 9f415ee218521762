from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("billing", "0013_heal_edited_migrations")]

    operations = [
        migrations.AlterModelOptions(
            name="reconciliation",
            options={"ordering": ["-began_at", "-pk"], "verbose_name": "comparison"},
        ),
    ]
