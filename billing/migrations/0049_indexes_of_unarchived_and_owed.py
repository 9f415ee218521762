import importlib

from django.contrib.postgres.operations import RemoveIndexConcurrently
from django.db import migrations, models

AddIndexBeside = importlib.import_module('billing.migrations.0035_trail_reading').AddIndexBeside


class RemoveIndexBeside(RemoveIndexConcurrently):
    """Remove an index while others write the table, or put it back. Repeating is safe: it is not one transaction."""

    def database_forwards(self, app_label, schema_editor, from_state, to_state):
        beside = 'CONCURRENTLY ' if schema_editor.connection.vendor == 'postgresql' else ''
        schema_editor.execute(f'DROP INDEX {beside}IF EXISTS {self.name}')

    def database_backwards(self, app_label, schema_editor, from_state, to_state):
        index = to_state.models[app_label, self.model_name_lower].get_index_by_name(self.name)
        AddIndexBeside(self.model_name, index).database_forwards(app_label, schema_editor, from_state, to_state)


class Migration(migrations.Migration):

    atomic = False
    dependencies = [
        ('billing', '0048_saved_views'),
    ]

    operations = [
        AddIndexBeside(
            model_name='invoice',
            index=models.Index(condition=models.Q(('amount_remaining__gt', 0), ('deleted_at', None), ('status', 'open')), fields=['status', 'deleted_at', 'office', 'collection', 'due_at', 'finalised_at', 'created_at', 'currency', 'amount_remaining'], name='invoice_owed_since'),
        ),
        AddIndexBeside(
            model_name='office',
            index=models.Index(condition=models.Q(('archived_at', None)), fields=['subscription_status', 'current_plan'], name='office_unarchived_by_status'),
        ),
        AddIndexBeside(
            model_name='office',
            index=models.Index(condition=models.Q(('archived_at__isnull', False)), fields=['archived_at'], name='office_archived'),
        ),
        RemoveIndexBeside(
            model_name='invoice',
            name='invoice_owed',
        ),
        RemoveIndexBeside(
            model_name='office',
            name='office_by_status',
        ),
    ]
