"""The group that looks after frameworks. Content types and permissions are made here: post_migrate has not run yet."""

from django.db import migrations

GROUP = "Framework stewards"
ACTIONS = ("add", "change", "delete", "view", "publish")
MODELS = {
    "frameworkversion": "framework version",
    "area": "area",
    "competency": "competency",
    "role": "role",
    "roleprofile": "role profile",
}
# Said as the model's Meta says it, so that what runs after the migrations finds it as it would have made it.
NAMES = {"publish_frameworkversion": "Can load, compare and publish framework versions"}


def make_stewards(apps, schema_editor):
    ContentType = apps.get_model("contenttypes", "ContentType")
    Permission = apps.get_model("auth", "Permission")
    Group = apps.get_model("auth", "Group")
    group, _created = Group.objects.get_or_create(name=GROUP)
    for model, words in MODELS.items():
        content_type, _created = ContentType.objects.get_or_create(app_label="competencies", model=model)
        for action in ACTIONS:
            codename = f"{action}_{model}"
            permission, _created = Permission.objects.get_or_create(
                content_type=content_type,
                codename=codename,
                defaults={"name": NAMES.get(codename, f"Can {action} {words}")},
            )
            group.permissions.add(permission)
    admin, _created = ContentType.objects.get_or_create(app_label="wagtailadmin", model="admin")
    access, _created = Permission.objects.get_or_create(
        content_type=admin, codename="access_admin", defaults={"name": "Can access Wagtail admin"}
    )
    group.permissions.add(access)


def remove_stewards(apps, schema_editor):
    apps.get_model("auth", "Group").objects.filter(name=GROUP).delete()


class Migration(migrations.Migration):
    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
        ("wagtailadmin", "0001_create_admin_access_permissions"),
        ("competencies", "0004_one_edition_in_force"),
    ]
    operations = [migrations.RunPython(make_stewards, remove_stewards)]
