"""A correction counts as the piece it stands for would."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("competencies", "0012_assessors")]
    operations = [
        migrations.AddField(
            model_name="evidence",
            name="stands_for",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="corrections",
                to="competencies.evidence",
                verbose_name="stands for",
            ),
        ),
    ]
