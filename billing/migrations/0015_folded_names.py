from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("billing", "0014_comparison_in_words"),
    ]

    operations = [
        migrations.AddField(
            model_name="office",
            name="name_folded",
            field=models.TextField(db_default="", editable=False),
        ),
        migrations.AddField(
            model_name="plan",
            name="name_folded",
            field=models.TextField(db_default="", editable=False),
        ),
        migrations.AddField(
            model_name="user",
            name="name_folded",
            field=models.TextField(db_default="", editable=False),
        ),
    ]
