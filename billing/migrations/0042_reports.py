import billing.clock
import django.db.models.deletion
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
        ('billing', '0041_read_as'),
    ]

    operations = [
        AddIndexBeside(
            model_name='adjustment',
            index=models.Index(fields=['kind', 'created_at'], name='adjustment_by_kind'),
        ),
        AddIndexBeside(
            model_name='office',
            index=models.Index(fields=['archived_at', 'subscription_status', 'current_plan'], name='office_by_status'),
        ),
        AddIndexBeside(
            model_name='office',
            index=models.Index(fields=['subscription_status', 'past_due_since'], name='office_by_past_due'),
        ),
        AddIndexBeside(
            model_name='payment',
            index=models.Index(fields=['status', 'created_at', 'id'], name='payment_of_status_by_time'),
        ),
        AddIndexBeside(
            model_name='subscription',
            index=models.Index(fields=['status', 'deleted_at', 'currency', 'monthly_amount'], name='subscription_by_revenue'),
        ),
        migrations.CreateModel(
            name='RollUp',
            fields=[
                ('report', models.CharField(max_length=12, primary_key=True, serialize=False)),
                ('through', models.DateTimeField(help_text='Up to which moment of the billing clock')),
                ('made_at', models.DateTimeField(default=billing.clock.wall)),
            ],
            options={
                'default_permissions': (),
            },
        ),
        migrations.CreateModel(
            name='RolledUp',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('report', models.CharField(choices=[('mrr', 'Mrr'), ('collections', 'Collections')], max_length=12)),
                ('since', models.DateField(help_text='The first day, in UTC')),
                ('part', models.CharField(max_length=12)),
                ('currency', models.CharField(max_length=3)),
                ('n', models.PositiveIntegerField(default=0, help_text='How many rows it is the sum of')),
                ('amount', models.BigIntegerField(help_text='Minor units')),
            ],
            options={
                'default_permissions': (),
                'constraints': [models.UniqueConstraint(fields=('report', 'since', 'part', 'currency'), name='rolled_up_once')],
            },
        ),
        migrations.CreateModel(
            name='Movement',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('at', models.DateTimeField()),
                ('kind', models.CharField(choices=[('adopted', 'Adopted'), ('new', 'New'), ('expansion', 'Expansion'), ('reactivation', 'Reactivation'), ('contraction', 'Contraction'), ('churn', 'Churn')], max_length=12)),
                ('currency', models.CharField(max_length=3)),
                ('amount', models.BigIntegerField(help_text='Minor units a month; below zero if MRR was lost')),
                ('change', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='movement', to='billing.subscriptionchange')),
                ('office', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='movements', to='billing.office')),
            ],
            options={
                'verbose_name': 'movement of MRR',
                'verbose_name_plural': 'movements of MRR',
                'ordering': ['-at', '-pk'],
                'default_permissions': ('view',),
                'indexes': [
                    models.Index(fields=['at', 'id'], name='movement_by_time'),
                    models.Index(fields=['kind', 'at'], name='movement_by_kind'),
                ],
            },
        ),
    ]
