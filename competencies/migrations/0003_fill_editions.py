"""Give what is there already its lineage, its searchable text and its identifier; one edition of a framework is in force."""

import unicodedata
from uuid import UUID, uuid4, uuid5

from django.db import migrations
from django.utils import timezone

FRAMEWORKS = UUID("7f1c9b0e-4d0c-5c3e-9a5d-2f5a8f2f6f10")


def fold(*texts):
    words = []
    for text in texts:
        data = getattr(text, "data", text)
        words += [str(value) for value in data.values()] if isinstance(data, dict) else [str(data or "")]
    small = unicodedata.normalize("NFKD", " ".join(words).casefold())
    return " ".join("".join(c for c in small if not unicodedata.combining(c)).split())


def fill(apps, schema_editor):
    FrameworkVersion = apps.get_model("competencies", "FrameworkVersion")
    Competency = apps.get_model("competencies", "Competency")
    Role = apps.get_model("competencies", "Role")
    RoleProfile = apps.get_model("competencies", "RoleProfile")
    in_force = set()
    for version in FrameworkVersion.objects.select_related("framework").order_by("-imported_at", "-pk"):
        version.uuid = uuid5(FRAMEWORKS, f"{version.framework.slug}/{version.edition}")
        if version.status == "published":
            if version.framework_id in in_force:
                version.status, version.superseded_at = "superseded", timezone.now()
            in_force.add(version.framework_id)
        version.title, version.publisher = version.framework.title, version.framework.publisher
        version.save(update_fields=["uuid", "status", "superseded_at", "title", "publisher"])
    competencies = list(Competency.objects.all())
    for row in competencies:
        row.lineage = uuid4()
        row.search_text = fold(row.code, row.title, row.description)
    Competency.objects.bulk_update(competencies, ["lineage", "search_text"], batch_size=500)
    roles = list(Role.objects.all())
    for row in roles:
        row.search_text = fold(row.code, row.title, row.key_post, row.summary)
    Role.objects.bulk_update(roles, ["search_text"], batch_size=500)
    profiles = list(RoleProfile.objects.all())
    for row in profiles:
        row.lineage = uuid4()
    RoleProfile.objects.bulk_update(profiles, ["lineage"], batch_size=500)


class Migration(migrations.Migration):
    dependencies = [("competencies", "0002_framework_editions")]
    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
