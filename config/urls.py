"""Every door of the house. Doors are closed unless opened on purpose (`login_not_required`)."""

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.urls import include, path, re_path
from django.views.generic import RedirectView
from wagtail import urls as wagtail_urls
from wagtail.admin import urls as wagtailadmin_urls
from wagtail.documents import urls as wagtaildocs_urls
from wagtail.utils.urlpatterns import decorate_urlpatterns
from wagtail.views import serve

from config import views
from config.cms import for_editors

CMS = decorate_urlpatterns(wagtailadmin_urls.urlpatterns, for_editors)

urlpatterns = [
    path("health/", views.health, name="health"),
    path("language/", views.set_language, name="set_language"),
    path("account/", include("allauth.account.urls")),
    path("account/details/", views.account_details, name="account_details"),
    # One sign-in page, the one with the rate limit: it stands before Wagtail's own.
    path(
        "cms/login/",
        login_not_required(RedirectView.as_view(pattern_name=settings.LOGIN_URL, query_string=True)),
        name="cms_login",
    ),
    path("cms/", include(CMS)),
    path("documents/", include(wagtaildocs_urls)),
    path("", include("competencies.urls")),
    path("", include("readiness.urls")),
    path("", include("courses.urls")),
    path("", include("learning.urls")),
    path("", include("certificates.urls")),
    path(
        "favicon.ico",
        login_not_required(RedirectView.as_view(url=f"{settings.STATIC_URL}img/favicon.svg", permanent=True)),
    ),
]

if settings.SERVE_MEDIA:
    urlpatterns += [re_path(r"^media/(?P<path>.+)$", views.serve_media, name="media")]

urlpatterns += [
    path("", login_not_required(serve), {"path": ""}, name="home"),
    re_path(wagtail_urls.serve_pattern, login_not_required(serve), name="wagtail_serve"),
]

handler400 = "config.views.bad_request"
handler403 = "config.views.permission_denied"
handler404 = "config.views.page_not_found"
handler500 = "config.views.server_error"
