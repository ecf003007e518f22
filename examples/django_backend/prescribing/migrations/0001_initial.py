"""The host's own tables."""

import uuid

from django.db import migrations, models


class Migration(migrations.Migration):
    """Made by ``manage.py makemigrations``."""

    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="Document",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, primary_key=True, serialize=False)),
                ("rpps", models.CharField(max_length=11)),
                ("issued_at", models.DateTimeField()),
                ("content", models.JSONField()),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("draft", "Draft"),
                            ("sending", "Sending"),
                            ("uncertain", "Uncertain"),
                            ("registered", "Registered"),
                            ("not_registered", "Not Registered"),
                            ("paper", "Paper"),
                        ],
                        default="draft",
                        max_length=16,
                    ),
                ),
                ("number", models.CharField(db_index=True, default="", max_length=64)),
            ],
        ),
        migrations.CreateModel(
            name="FeedCursor",
            fields=[
                ("consumer", models.CharField(max_length=32, primary_key=True, serialize=False)),
                ("position", models.BigIntegerField(default=0)),
            ],
        ),
        migrations.CreateModel(
            name="Session",
            fields=[
                ("rpps", models.CharField(max_length=11, primary_key=True, serialize=False)),
                ("situation", models.CharField(max_length=64)),
                ("assertion", models.BinaryField()),
            ],
        ),
    ]
