from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("billing", "0016_what_others_made")]

    operations = [
        migrations.AddField(
            model_name="finding",
            name="decision_holds",
            field=models.BooleanField(
                db_default=False,
                default=False,
                help_text="A person closed it. The same facts do not open it again",
            ),
        ),
        migrations.AddField(
            model_name="finding",
            name="facts",
            field=models.TextField(
                blank=True,
                db_default="",
                default="",
                help_text="What it rests on, in a form that two reports can compare",
            ),
        ),
        migrations.AddField(
            model_name="receivedevent",
            name="was_missed",
            field=models.BooleanField(
                db_default=False, default=False, help_text="Stripe's list had it before it was delivered"
            ),
        ),
        migrations.AddField(
            model_name="reconciliation",
            name="findings",
            field=models.ManyToManyField(
                help_text="What it told of", related_name="comparisons", to="billing.finding"
            ),
        ),
    ]
