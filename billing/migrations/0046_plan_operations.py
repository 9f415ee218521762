import importlib
import uuid

import billing.clock
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

AddIndexBeside = importlib.import_module('billing.migrations.0035_trail_reading').AddIndexBeside


class Migration(migrations.Migration):

    atomic = False
    dependencies = [
        ('billing', '0045_exports'),
    ]

    operations = [
        AddIndexBeside(
            model_name='subscription',
            index=models.Index(fields=['plan_price', 'currency', 'status', 'deleted_at', 'monthly_amount'], name='subscription_by_price'),
        ),
        migrations.CreateModel(
            name='PlanOperation',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('public_id', models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ('kind', models.CharField(max_length=40)),
                ('actor_kind', models.CharField(max_length=10)),
                ('actor_label', models.CharField(max_length=254)),
                ('reason', models.CharField(max_length=200)),
                ('request', models.JSONField(default=dict, help_text='What was asked for, in our words')),
                ('steps', models.JSONField(default=dict, help_text='Each request to Stripe as it was first sent, and its answer')),
                ('status', models.CharField(choices=[('open', 'Open'), ('succeeded', 'Succeeded'), ('declined', 'Declined'), ('rejected', 'Rejected'), ('unknown', 'Unknown'), ('abandoned', 'Abandoned')], default='open', max_length=10)),
                ('error_code', models.CharField(blank=True, max_length=60)),
                ('error_message', models.TextField(blank=True)),
                ('lease_until', models.DateTimeField()),
                ('attempts', models.PositiveIntegerField(default=1)),
                ('created_at', models.DateTimeField(default=billing.clock.wall)),
                ('settled_at', models.DateTimeField(null=True)),
                ('actor', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('plan', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='operations', to='billing.plan')),
            ],
            options={
                'verbose_name': 'operation on a plan',
                'verbose_name_plural': 'operations on plans',
                'ordering': ['-created_at', '-pk'],
                'constraints': [models.UniqueConstraint(condition=models.Q(('status__in', ['open', 'unknown'])), fields=('plan',), name='one_unsettled_operation_per_plan')],
            },
        ),
    ]
