"""A database that ran 0011 or 0012 before they were edited gets what it lacks, and loses what it has too much.

0011 got the column ``seen_to`` when it was on main already, and 0012 the removal of the index ``event_claim``.
Whether a database ran them before or after that is not written down anywhere, so its tables are looked at; where
they are right, nothing is done.

The healed column keeps a default in the database, since a version that does not know the column still runs
meanwhile and begins comparisons. What it fills in is true of a comparison under way too: of its page no Office
counts as looked at, so the page is read once more, which does no harm.
"""

from django.db import migrations

SEEN_TO = {
    "postgresql": """jsonb DEFAULT '[]'::jsonb NOT NULL""",
    "sqlite": """text DEFAULT '[]' NOT NULL CHECK ((JSON_VALID("seen_to") OR "seen_to" IS NULL))""",
}


def heal(apps, schema_editor):
    connection = schema_editor.connection
    look = connection.introspection
    with connection.cursor() as cursor:
        columns = {one.name for one in look.get_table_description(cursor, "billing_reconciliation")}
        indexes = look.get_constraints(cursor, "billing_receivedevent")
    if "seen_to" not in columns:
        definition = SEEN_TO[connection.vendor]
        schema_editor.execute(f'ALTER TABLE "billing_reconciliation" ADD COLUMN "seen_to" {definition}', params=None)
    if "event_claim" in indexes:
        schema_editor.execute('DROP INDEX "event_claim"')


class Migration(migrations.Migration):
    dependencies = [("billing", "0012_event_indexes")]

    operations = [migrations.RunPython(heal, migrations.RunPython.noop)]
