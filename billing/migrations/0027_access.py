from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    """Tokens of people move to a table of our own, so people get new ones. The old table stays, empty, as knox's."""

    dependencies = [
        ("billing", "0025_services"),
        ("billing", "0026_sign_in"),
        ("knox", "0009_extend_authtoken_field"),
    ]

    operations = [
        migrations.AddField(
            model_name="user",
            name="access_number",
            field=models.PositiveIntegerField(
                db_default=0,
                default=0,
                editable=False,
                help_text="Sessions and API tokens hold only while it stays the same.",
            ),
        ),
        migrations.CreateModel(
            name="AccessToken",
            fields=[
                ("digest", models.CharField(max_length=128, primary_key=True, serialize=False)),
                ("token_key", models.CharField(db_index=True, max_length=25)),
                ("created", models.DateTimeField(auto_now_add=True)),
                ("expiry", models.DateTimeField(blank=True, null=True)),
                (
                    "scope",
                    models.CharField(
                        choices=[("read", "look only"), ("operate", "whatever the person may do")], max_length=10
                    ),
                ),
                ("access_number", models.PositiveIntegerField()),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=models.CASCADE, related_name="auth_token_set", to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
            options={"abstract": False},
        ),
        migrations.RunSQL("DELETE FROM knox_authtoken", migrations.RunSQL.noop),
    ]
