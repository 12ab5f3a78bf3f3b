"""Who decides on claims and contests of everybody, who writes item banks, and who sees where the whole organisation
stands. Content types and permissions are made here: post_migrate has not run yet."""

from django.db import migrations

ASSESSORS, VIEWERS, STEWARDS = "Assessors", "Organisation viewers", "Framework stewards"
BANK_MODELS = {"itembank": "item bank", "bankfacet": "part of the competency", "diagnosticitem": "question"}


def permission_of(apps, model, codename, name):
    ContentType = apps.get_model("contenttypes", "ContentType")
    Permission = apps.get_model("auth", "Permission")
    content_type, _created = ContentType.objects.get_or_create(app_label="competencies", model=model)
    permission, _created = Permission.objects.get_or_create(
        content_type=content_type, codename=codename, defaults={"name": name}
    )
    return permission


def make_groups(apps, schema_editor):
    Group = apps.get_model("auth", "Group")
    assessors, _created = Group.objects.get_or_create(name=ASSESSORS)
    assessors.permissions.add(
        permission_of(apps, "claim", "decide_claim", "Can decide on claims and contests of everybody")
    )
    viewers, _created = Group.objects.get_or_create(name=VIEWERS)
    viewers.permissions.add(
        permission_of(
            apps, "standingcount", "view_standing", "Can see where the whole organisation stands, in counts"
        )
    )
    stewards = Group.objects.filter(name=STEWARDS).first()
    if stewards is not None:
        for model, words in BANK_MODELS.items():
            for action in ("add", "change", "delete", "view"):
                stewards.permissions.add(permission_of(apps, model, f"{action}_{model}", f"Can {action} {words}"))


def remove_groups(apps, schema_editor):
    # Going back, models of other apps know a Group of another state: rows are found by number, not by instance.
    Group = apps.get_model("auth", "Group")
    ids = list(Group.objects.filter(name__in=[ASSESSORS, VIEWERS]).values_list("pk", flat=True))
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
        ("competencies", "0011_standing_counts"),
    ]
    operations = [migrations.RunPython(make_groups, remove_groups)]
