"""The group that tells of changes. Content types and permissions are made here: post_migrate has not run yet."""

from django.db import migrations

GROUP = "Change editors"
ACTIONS = ("add", "change", "delete", "view")
# Said as the models' Meta says it, so that what runs after the migrations finds it as it would have made it.
MODELS = {
    "initiative": "change initiative",
    "impact": "impact",
    "champion": "champion",
    "instrument": "questionnaire",
    "block": "block",
    "suggestion": "suggestion for a low block",
}


def make_editors(apps, schema_editor):
    ContentType = apps.get_model("contenttypes", "ContentType")
    Permission = apps.get_model("auth", "Permission")
    Group = apps.get_model("auth", "Group")
    group, _created = Group.objects.get_or_create(name=GROUP)
    for model, words in MODELS.items():
        content_type, _created = ContentType.objects.get_or_create(app_label="readiness", model=model)
        for action in ACTIONS:
            permission, _created = Permission.objects.get_or_create(
                content_type=content_type, codename=f"{action}_{model}", defaults={"name": f"Can {action} {words}"}
            )
            group.permissions.add(permission)
    admin, _created = ContentType.objects.get_or_create(app_label="wagtailadmin", model="admin")
    access, _created = Permission.objects.get_or_create(
        content_type=admin, codename="access_admin", defaults={"name": "Can access Wagtail admin"}
    )
    group.permissions.add(access)


def remove_editors(apps, schema_editor):
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
        ("readiness", "0001_initiatives_surveys_and_results"),
    ]
    operations = [migrations.RunPython(make_editors, remove_editors)]
