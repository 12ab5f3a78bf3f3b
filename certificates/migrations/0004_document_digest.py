from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('certificates', '0003_keys_and_definitions'),
        ('courses', '0004_pre_check'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name='certificate',
            name='document_sha256',
            field=models.CharField(blank=True, default='', max_length=64, verbose_name='digest of the document'),
        ),
        migrations.AddIndex(
            model_name='certificate',
            index=models.Index(fields=['document_sha256'], name='certificates_by_document'),
        ),
    ]
