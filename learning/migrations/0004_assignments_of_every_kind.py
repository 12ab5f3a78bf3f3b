import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


def fill_person(apps, schema_editor):
    """An assignment of a role is of the person who has the role, from the day it was given."""
    Assignment = apps.get_model("learning", "Assignment")
    for row in Assignment.objects.select_related("role_assignment").iterator():
        row.person_id = row.role_assignment.person_id
        row.assigned_on = row.role_assignment.starts_on
        row.ended_on = row.role_assignment.ends_on
        row.save(update_fields=["person_id", "assigned_on", "ended_on"])


class Migration(migrations.Migration):
    dependencies = [
        ("learning", "0003_plan_reason_rules"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]
    operations = [
        migrations.RenameModel("PathAssignment", "Assignment"),
        migrations.AddField(
            "assignment",
            "person",
            models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="assignments",
                to=settings.AUTH_USER_MODEL,
                verbose_name="person",
            ),
        ),
        migrations.AddField(
            "assignment", "assigned_on", models.DateField(default=django.utils.timezone.localdate, verbose_name="assigned")
        ),
        migrations.AddField("assignment", "ended_on", models.DateField(blank=True, null=True, verbose_name="ended")),
        migrations.RunPython(fill_person, migrations.RunPython.noop),
        # On PostgreSQL a table cannot be altered in the transaction that filled it.
    ]
