"""The pages every installation has: home and, below it, the catalogue."""

from django.db import migrations

WELCOME_SLUG, WELCOME_PATH = "home", "00010001"


def plant(apps, schema_editor):
    ContentType = apps.get_model("contenttypes", "ContentType")
    Page = apps.get_model("wagtailcore", "Page")
    Site = apps.get_model("wagtailcore", "Site")
    Locale = apps.get_model("wagtailcore", "Locale")
    HomePage = apps.get_model("courses", "HomePage")
    CataloguePage = apps.get_model("courses", "CataloguePage")
    locale = Locale.objects.first() or Locale.objects.create(language_code="en")
    # Wagtail plants a welcome page and a site that points to it; ours take their place on a new database only.
    Site.objects.all().delete()
    Page.objects.filter(path__startswith=WELCOME_PATH).delete()

    def content_type(model):
        return ContentType.objects.get_or_create(app_label="courses", model=model)[0]

    home = HomePage.objects.create(
        title="Home", draft_title="Home", slug="home", path=WELCOME_PATH, depth=2, numchild=1, url_path="/home/",
        content_type=content_type("homepage"), locale=locale, live=True,
    )
    CataloguePage.objects.create(
        title="Courses", draft_title="Courses", slug="courses", path=WELCOME_PATH + "0001", depth=3, numchild=0,
        url_path="/home/courses/", content_type=content_type("cataloguepage"), locale=locale, live=True,
    )
    Page.objects.filter(path="0001").update(numchild=1)
    Site.objects.create(hostname="localhost", root_page_id=home.pk, is_default_site=True, site_name="Digital Talent Platform")


def uproot(apps, schema_editor):
    Site = apps.get_model("wagtailcore", "Site")
    Page = apps.get_model("wagtailcore", "Page")
    Site.objects.all().delete()
    for model in ("CataloguePage", "HomePage"):
        apps.get_model("courses", model).objects.all().delete()
    Page.objects.filter(path__startswith=WELCOME_PATH).delete()
    Page.objects.filter(path="0001").update(numchild=0)


class Migration(migrations.Migration):
    dependencies = [
        ("courses", "0001_initial"),
        ("wagtailcore", "0097_baselogentry_uuid_action_timestamp_indexes"),
        ("contenttypes", "0002_remove_content_type_name"),
    ]

    operations = [migrations.RunPython(plant, uproot)]
