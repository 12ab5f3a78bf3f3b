"""Settings of the test suite: strict where a user would only see a gap, quick where it changes nothing."""

import os
import tempfile

os.environ["VAR_DIR"] = tempfile.mkdtemp(prefix="dtp-test-")

from config.settings.base import *
from config.settings.base import DATABASES, VAR_DIR

SECRET_KEY = "only-for-tests"
DEBUG = False
SERVE_MEDIA = True
SIGNUP_OPEN = True
SITE_URL = "http://testserver"
WAGTAILADMIN_BASE_URL = SITE_URL
ALLOWED_HOSTS = ["testserver", "localhost", "127.0.0.1"]

STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
WHITENOISE_USE_FINDERS = True
(VAR_DIR / "static").mkdir(parents=True, exist_ok=True)
CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "OPTIONS": {"MAX_ENTRIES": 20_000}}}
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
CELERY_TASK_ALWAYS_EAGER = True
CELERY_TASK_EAGER_PROPAGATES = True
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    # A file like the product's own, so that live servers and threads meet what users meet.
    DATABASES["default"]["TEST"] = {"NAME": str(VAR_DIR / "test.sqlite3")}
else:
    DATABASES["default"]["CONN_MAX_AGE"] = 0
