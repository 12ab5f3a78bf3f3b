"""Settings of the test suite: strict where a user would only see a gap, quick where it changes nothing."""

import tempfile
from pathlib import Path

from config.settings.base import *
from config.settings.base import DATABASES, env

SECRET_KEY = "only-for-tests"
DEBUG = False
SERVE_MEDIA = True
SIGNUP_OPEN = True
SITE_URL = "http://testserver"
WAGTAILADMIN_BASE_URL = SITE_URL
ALLOWED_HOSTS = ["testserver", "localhost", "127.0.0.1"]

VAR_DIR = Path(tempfile.mkdtemp(prefix="dtp-test-"))
MEDIA_ROOT = VAR_DIR / "media"
STORAGES["private"]["OPTIONS"]["location"] = str(VAR_DIR / "private")
STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
WHITENOISE_USE_FINDERS = True
CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
CELERY_TASK_ALWAYS_EAGER = True
CELERY_TASK_EAGER_PROPAGATES = True
if DATABASES["default"]["ENGINE"] != "django.db.backends.sqlite3":
    DATABASES["default"]["CONN_MAX_AGE"] = 0
