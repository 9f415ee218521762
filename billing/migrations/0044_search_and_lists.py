import django.db.models.deletion
from django.conf import settings
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class AddIndexBeside(AddIndexConcurrently):
    """Add an index while others write the table. Repeating is safe, as this migration is not one transaction."""

    def database_forwards(self, app_label, schema_editor, from_state, to_state):
        connection = schema_editor.connection
        if connection.vendor == 'postgresql':
            # one that was not finished stays as an invalid index with this name
            schema_editor.execute(f'DROP INDEX CONCURRENTLY IF EXISTS {self.index.name}')
            super().database_forwards(app_label, schema_editor, from_state, to_state)
            return
        model = to_state.apps.get_model(app_label, self.model_name)
        with connection.cursor() as cursor:
            there = connection.introspection.get_constraints(cursor, model._meta.db_table)
        if self.index.name not in there:
            schema_editor.add_index(model, self.index)

    def database_backwards(self, app_label, schema_editor, from_state, to_state):
        schema_editor.execute(f'DROP INDEX IF EXISTS {self.index.name}')


class Migration(migrations.Migration):

    atomic = False
    dependencies = [
        ('billing', '0043_worklist_and_bulk_acts'),
    ]

    operations = [
        AddIndexBeside(
            model_name='adjustment',
            index=models.Index(fields=['created_at', 'id'], name='adjustment_by_time'),
        ),
        AddIndexBeside(
            model_name='finding',
            index=models.Index(fields=['found_at', 'id'], name='finding_by_time'),
        ),
        AddIndexBeside(
            model_name='invoice',
            index=models.Index(fields=['number'], name='invoice_by_number', opclasses=['varchar_pattern_ops']),
        ),
        AddIndexBeside(
            model_name='notification',
            index=models.Index(fields=['created_at', 'id'], name='notification_by_time'),
        ),
        AddIndexBeside(
            model_name='office',
            index=models.Index(fields=['subscription_status', 'name', 'id'], name='office_of_status'),
        ),
        AddIndexBeside(
            model_name='office',
            index=models.Index(fields=['current_period_end', 'id'], name='office_by_period_end'),
        ),
        AddIndexBeside(
            model_name='office',
            index=models.Index(fields=['balance_due', 'id'], name='office_by_balance'),
        ),
        AddIndexBeside(
            model_name='office',
            index=models.Index(fields=['cancel_at'], name='office_by_end'),
        ),
        AddIndexBeside(
            model_name='office',
            index=models.Index(fields=['current_plan', 'name', 'id'], name='office_by_plan'),
        ),
        AddIndexBeside(
            model_name='operation',
            index=models.Index(fields=['created_at', 'id'], name='operation_by_time'),
        ),
        AddIndexBeside(
            model_name='payment',
            index=models.Index(fields=['created_at', 'id'], name='payment_by_time'),
        ),
        AddIndexBeside(
            model_name='paymentmethod',
            index=models.Index(fields=['last4'], name='card_by_last_digits'),
        ),
        AddIndexBeside(
            model_name='receivedevent',
            index=models.Index(fields=['received_at', 'id'], name='event_by_time'),
        ),
        AddIndexBeside(
            model_name='receivedevent',
            index=models.Index(fields=['type', 'received_at', 'id'], name='event_of_type_by_time'),
        ),
        AddIndexBeside(
            model_name='subscription',
            index=models.Index(fields=['created_at', 'id'], name='subscription_by_time'),
        ),
        migrations.CreateModel(
            name='OfficePart',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('part', models.CharField(max_length=64)),
                ('of_name', models.BooleanField()),
                ('subject', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='search_parts', to='billing.office')),
            ],
            options={
                'abstract': False,
                'default_permissions': (),
                'indexes': [models.Index(fields=['part', 'subject'], name='office_by_part', opclasses=['varchar_pattern_ops', 'int8_ops'])],
                'constraints': [models.UniqueConstraint(fields=('subject', 'part'), name='office_part_once')],
            },
        ),
        migrations.CreateModel(
            name='UserPart',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('part', models.CharField(max_length=64)),
                ('of_name', models.BooleanField()),
                ('subject', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='search_parts', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'abstract': False,
                'default_permissions': (),
                'indexes': [models.Index(fields=['part', 'subject'], name='user_by_part', opclasses=['varchar_pattern_ops', 'int8_ops'])],
                'constraints': [models.UniqueConstraint(fields=('subject', 'part'), name='user_part_once')],
            },
        ),
        migrations.AddField(
            model_name='office',
            name='searched_as',
            field=models.CharField(db_default='', editable=False, max_length=64),
        ),
        migrations.AddField(
            model_name='user',
            name='searched_as',
            field=models.CharField(db_default='', editable=False, max_length=64),
        ),
    ]
