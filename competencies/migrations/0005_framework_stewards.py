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
    # Going back, models of other apps know a Group of another state: rows are found by number, not by instance.
    Group = apps.get_model("auth", "Group")
    ids = list(Group.objects.filter(name=GROUP).values_list("pk", flat=True))
    alias = schema_editor.connection.alias
    for relation in Group._meta.get_fields(include_hidden=True):
        if relation.auto_created and relation.one_to_many:
            rows = relation.related_model._base_manager.filter(**{f"{relation.field.attname}__in": ids})
            rows._raw_delete(alias)
    Group.objects.filter(pk__in=ids)._raw_delete(alias)


class Migration(migrations.Migration):
    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
        ("wagtailadmin", "0001_create_admin_access_permissions"),
        ("competencies", "0004_one_edition_in_force"),
    ]
    operations = [migrations.RunPython(make_stewards, remove_stewards)]
