"""A contest ends by itself when somebody withdraws the piece meanwhile; nobody decided it."""

from django.db import migrations, models

STATES = [
    ("open", "Being looked at"),
    ("kept", "Stands as it was"),
    ("corrected", "Corrected"),
    ("removed", "Withdrawn"),
    ("overtaken", "Withdrawn meanwhile"),
    ("taken_back", "Taken back"),
]
NAME = "competencies_decided_contest_says_by_whom"


def says_by_whom(*undecided):
    return models.CheckConstraint(
        condition=models.Q(state__in=list(undecided))
        | models.Q(decided_at__isnull=False, decided_by__isnull=False),
        name=NAME,
    )


def without_overtaken(apps, schema_editor):
    """Before this there was no such state; the person sees that it is no longer open."""
    apps.get_model("competencies", "Contest").objects.filter(state="overtaken").update(state="taken_back")


class Migration(migrations.Migration):
    dependencies = [("competencies", "0013_corrections_stand_for")]
    operations = [
        migrations.AlterField(
            model_name="contest",
            name="state",
            field=models.CharField(choices=STATES, default="open", max_length=12, verbose_name="state"),
        ),
        migrations.RemoveConstraint(model_name="contest", name=NAME),
        migrations.AddConstraint(
            model_name="contest", constraint=says_by_whom("open", "taken_back", "overtaken")
        ),
        migrations.RunPython(migrations.RunPython.noop, without_overtaken),
    ]
