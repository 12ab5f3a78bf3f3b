from django.db import migrations


class Migration(migrations.Migration):
    """In a transaction of its own: PostgreSQL alters no table with rows just written."""

    dependencies = [
        ("learning", "0009_steps_in_stages"),
    ]

    operations = [
        migrations.RemoveField(model_name="pathstep", name="stage"),
    ]
