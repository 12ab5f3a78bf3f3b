from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("learning", "0005_planned_assigned_curated")]

    operations = [
        migrations.AddField(
            model_name="assignment",
            name="left_until",
            field=models.DateField(blank=True, null=True, verbose_name="left as it is until"),
        ),
    ]
