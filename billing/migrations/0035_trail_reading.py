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
        ('billing', '0034_recorded_reads'),
    ]

    operations = [
        AddIndexBeside(
            model_name='auditentry',
            index=models.Index(fields=['actor_label', 'timestamp'], name='audit_of_actor'),
        ),
        AddIndexBeside(
            model_name='auditentry',
            index=models.Index(fields=['kind', 'timestamp'], name='audit_of_kind'),
        ),
        AddIndexBeside(
            model_name='auditentry',
            index=models.Index(fields=['request_id', 'office', 'id'], name='audit_of_request'),
        ),
        migrations.CreateModel(
            name='TrailReview',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('since', models.DateTimeField(verbose_name='from')),
                ('until', models.DateTimeField(verbose_name='before')),
                ('root', models.CharField(max_length=64)),
                ('note', models.CharField(max_length=200)),
                ('created_at', models.DateTimeField(default=billing.clock.wall)),
                ('person', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('seal', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='billing.auditseal')),
            ],
            options={
                'verbose_name': 'review of the trail',
                'verbose_name_plural': 'reviews of the trail',
                'ordering': ['-until', '-pk'],
                'default_permissions': ('view',),
                'constraints': [models.CheckConstraint(condition=models.Q(('since__lt', models.F('until'))), name='trail_review_of_a_period')],
            },
        ),
    ]
