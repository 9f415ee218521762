"""What the smoke test asks the database, whatever its form. ``python -m demo.smoke_rows SQL``, or ``… --dump``.

Prints JSON: the rows of a query, or every value of every table as text.
"""

import json
import os
import sys

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")


def main() -> None:
    django.setup()
    from django.db import connection

    with connection.cursor() as cursor:
        if sys.argv[1] != "--dump":
            cursor.execute(sys.argv[1])
            found = cursor.fetchall()
        else:
            found = []
            for table in connection.introspection.table_names(cursor):
                cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")  # noqa: S608  names of our own tables
                found += cursor.fetchall()
    print(json.dumps(found, default=str))  # noqa: T201


if __name__ == "__main__":
    main()
