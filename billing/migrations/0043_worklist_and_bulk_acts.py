import billing.clock
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
        ('billing', '0042_reports'),
    ]

    operations = [
        AddIndexBeside(
            model_name='office',
            index=models.Index(fields=['trial_end', 'id'], name='office_by_trial_end'),
        ),
        AddIndexBeside(
            model_name='office',
            index=models.Index(fields=['payment_method_expires', 'current_period_end'], name='office_by_expiry'),
        ),
        AddIndexBeside(
            model_name='invoice',
            index=models.Index(condition=models.Q(('amount_remaining__gt', 0), ('deleted_at', None), ('status', 'open')), fields=['office'], name='invoice_owed'),
        ),
        migrations.CreateModel(
            name='OfficeNote',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('note', 'Note'), ('call', 'Call')], default='note', max_length=10)),
                ('text', models.CharField(max_length=200)),
                ('created_at', models.DateTimeField(default=billing.clock.wall)),
                ('author', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('office', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='notes', to='billing.office')),
            ],
            options={
                'verbose_name': 'note',
                'ordering': ['-created_at', '-pk'],
                'default_permissions': ('view',),
                'indexes': [models.Index(fields=['office', 'created_at'], name='note_of_office')],
            },
        ),
        migrations.CreateModel(
            name='FollowUp',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('snoozed_until', models.DateTimeField(help_text='The worklist does not show it before then', null=True)),
                ('updated_at', models.DateTimeField(default=billing.clock.wall)),
                ('assigned_to', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('office', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='follow_up', to='billing.office')),
            ],
            options={
                'verbose_name': 'follow-up',
                'verbose_name_plural': 'worklist',
                'ordering': ['pk'],
                'default_permissions': ('view',),
            },
        ),
        migrations.CreateModel(
            name='BulkAct',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(max_length=40)),
                ('given', models.JSONField(default=dict, help_text='What the person chose for all rows, as the kind takes it')),
                ('reason', models.CharField(max_length=200)),
                ('created_at', models.DateTimeField(default=billing.clock.wall)),
                ('stopped_at', models.DateTimeField(help_text='When a person stopped it; what waited then is left out', null=True)),
                ('ended_at', models.DateTimeField(null=True)),
                ('actor', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'bulk act',
                'ordering': ['-created_at', '-pk'],
                'default_permissions': ('view',),
            },
        ),
        migrations.CreateModel(
            name='BulkRow',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('state', models.CharField(choices=[('waiting', 'waits'), ('begun', 'is being done'), ('done', 'done'), ('left_out', 'left out'), ('failed', 'failed'), ('unknown', 'outcome not known yet')], default='waiting', max_length=10)),
                ('says', models.CharField(blank=True, max_length=300)),
                ('given', models.JSONField(default=dict, help_text='What was chosen or shown for this Office alone')),
                ('settled_at', models.DateTimeField(null=True)),
                ('act', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='rows', to='billing.bulkact')),
                ('office', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='billing.office')),
                ('operation', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='billing.operation')),
            ],
            options={
                'verbose_name': 'row of a bulk act',
                'verbose_name_plural': 'rows of bulk acts',
                'ordering': ['pk'],
                'default_permissions': ('view',),
                'indexes': [models.Index(fields=['act', 'state', 'id'], name='bulk_rows_by_state')],
                'constraints': [
                    models.UniqueConstraint(fields=('act', 'office'), name='once_in_a_bulk_act'),
                    models.CheckConstraint(condition=models.Q(models.Q(('settled_at', None), ('state__in', ['waiting', 'begun'])), models.Q(models.Q(('state__in', ['waiting', 'begun']), _negated=True), ('settled_at__isnull', False)), _connector='OR'), name='bulk_row_settled_or_not'),
                ],
            },
        ),
    ]
