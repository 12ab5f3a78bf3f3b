"""Who asked for a panel may call it off."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("competencies", "0015_declined_ratings")]
    operations = [
        migrations.AddField(
            model_name="panel",
            name="called_off",
            field=models.BooleanField(default=False, verbose_name="called off"),
        ),
    ]
