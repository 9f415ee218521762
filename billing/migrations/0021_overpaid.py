from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('billing', '0020_schedules'),
    ]

    operations = [
        migrations.AddField(
            model_name='invoice',
            name='auto_advance',
            field=models.BooleanField(help_text='Stripe finalises and collects it by itself; empty if it was last seen before this was kept', null=True),
        ),
        migrations.AddField(
            model_name='invoice',
            name='overpaid',
            field=models.BigIntegerField(help_text='Paid beyond what was due, and kept as credit; empty if it was last seen before this was kept', null=True),
        ),
    ]
