"""python -m tests.config.main_job FOLDER: the main job on the database of the environment, then copies and pages.

An Office is subscribed at the local Stripe, and an administrator opens each list and page of the admin. Backups go into
the folder, and the pages into its pages.html. Every logger says all that it can, with each statement. Then it says
"done", and waits with the database open.
"""

import logging
import sys
from pathlib import Path
from typing import Any

import django
from django.conf import settings


def main(folder: Path) -> None:
    from django.contrib import admin
    from django.db import connection
    from django.test import Client
    from django.test.utils import setup_test_environment

    from billing.audit import actor
    from tests.conftest import ADMINISTRATOR, LocalStripe, a_person, an_office, stocked, subscribed_office
    from tests.encrypted_files import OFFICE

    setup_test_environment(debug=True)
    for name in ("", "django.db.backends", "stripe", "httpx", "urllib3", "asyncio"):  # the settings hold these back
        logging.getLogger(name).setLevel(logging.DEBUG)
    stripe = stocked(LocalStripe(settings.STRIPE_API_BASE))
    person = a_person("administrator@vendor.example", group=ADMINISTRATOR)
    subscribed_office(an_office(OFFICE), by=actor.person(person))
    stripe.deliver_and_apply()

    staff = Client()
    staff.force_login(person)
    with (folder / "pages.html").open("wb") as pages:
        for model in (None, *admin.site._registry):
            for path in _paths(model):
                pages.write(staff.get(path, follow=True).content)

    with connection.cursor() as cursor:
        cursor.execute("VACUUM INTO %s", [str(folder / "vacuumed.db")])
    _back_up(connection, folder / "backup.db")
    print("done", flush=True)  # noqa: T201
    sys.stdin.read()


def _paths(model: Any) -> list[str]:
    if model is None:
        return ["/admin/"]
    here = f"/admin/{model._meta.app_label}/{model._meta.model_name}/"
    first = model.objects.first()
    return [here, f"{here}{first.pk}/change/"] if first else [here]


def _back_up(connection: Any, place: Path) -> None:
    """By SQLite's backup API, into a file with the same key."""
    copy = connection.Database.connect(str(place))
    if key := connection.settings_dict["PASSWORD"]:
        copy.execute(f"PRAGMA key = \"x'{key}'\"")
    connection.connection.backup(copy)
    copy.close()


if __name__ == "__main__":
    django.setup()
    main(Path(sys.argv[1]))
