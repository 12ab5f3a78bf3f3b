"""Who is asked onto a panel may decline."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("competencies", "0014_overtaken_contests")]
    operations = [
        migrations.AddField(
            model_name="panelrating",
            name="declined_at",
            field=models.DateTimeField(blank=True, null=True, verbose_name="declined"),
        ),
        migrations.AddConstraint(
            model_name="panelrating",
            constraint=models.CheckConstraint(
                condition=models.Q(("rated_at__isnull", True), ("declined_at__isnull", True), _connector="OR"),
                name="competencies_who_declined_has_not_rated",
            ),
        ),
    ]
