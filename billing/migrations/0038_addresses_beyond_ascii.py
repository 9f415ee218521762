from typing import Any

from django.db import IntegrityError, migrations, transaction


def write_in_one_form(apps: Any, schema_editor: Any) -> None:
    """Write letters beyond ASCII small, as ``billing.folding.fold_address`` does from now on.

    Two rows whose addresses would be the same stay as they are. The one in small letters is the one that is found.
    """
    using = schema_editor.connection.alias
    for name in ("User", "Invitation"):
        rows = apps.get_model("billing", name)._default_manager.using(using)
        for pk, email in list(rows.values_list("pk", "email")):
            folded = _folded(email)
            if folded == email:
                continue
            try:
                with transaction.atomic(using=using):
                    rows.filter(pk=pk, email=email).update(email=folded)
            except IntegrityError:
                continue


def _folded(email: str) -> str:
    import unicodedata

    def small(text: str) -> str:
        return "".join(one if one.isascii() else one.lower() for one in text)

    return unicodedata.normalize("NFC", small(unicodedata.normalize("NFC", email)))


class Migration(migrations.Migration):
    dependencies = [
        ("billing", "0037_determination_terms"),
    ]

    operations = [
        migrations.RunPython(write_in_one_form, migrations.RunPython.noop),
    ]
