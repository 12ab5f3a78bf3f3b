import uuid

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("competencies", "0003_fill_editions")]

    operations = [
        migrations.AlterField(
            model_name="frameworkversion",
            name="uuid",
            field=models.UUIDField(default=uuid.uuid4, editable=False, unique=True, verbose_name="identifier"),
        ),
        migrations.AddConstraint(
            model_name='frameworkversion',
            constraint=models.UniqueConstraint(condition=models.Q(('status', 'published')), fields=('framework',), name='competencies_one_published_version', violation_error_message='Another edition of this framework is published. Supersede it first.'),
        ),
    ]
