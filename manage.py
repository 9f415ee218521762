#!/usr/bin/env python
import os
import sys


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import execute_from_command_line

    from billing.moving.mark import DatabaseMoved

    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as wrong:
        print(wrong, file=sys.stderr)  # noqa: T201
        sys.exit(2 if sys.argv[1:2] == ["doctor"] else 1)  # as doctor says that something is red
    except DatabaseMoved as moved:
        sys.exit(f"This command is refused: {moved}")


if __name__ == "__main__":
    main()
