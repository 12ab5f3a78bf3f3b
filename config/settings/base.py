"""Settings shared by every way of running. Everything that differs comes from the environment.

The table of variables is in docs/operations.md; tests/test_settings.py holds the two together.
"""

from pathlib import Path

import environ

BASE_DIR = Path(__file__).resolve().parent.parent.parent
env = environ.FileAwareEnv()

VAR_DIR = Path(env.str("VAR_DIR", default=str(BASE_DIR / "var")))

DEBUG = False
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])
SITE_NAME = env.str("SITE_NAME", default="Digital Talent Platform")
# Absolute addresses in mails, QR codes and certificates start with this.
SITE_URL = env.str("SITE_URL", default=f"http://127.0.0.1:{env.str('PORT', default='8000')}").rstrip("/")
ISSUER_NAME = env.str("ISSUER_NAME", default=SITE_NAME)
SIGNUP_OPEN = env.bool("SIGNUP_OPEN", default=False)
REFUSE_DEMO_ACCOUNTS = False

INSTALLED_APPS = [
    "organisations",
    "competencies",
    "readiness",
    "courses",
    "learning",
    "certificates",
    "allauth",
    "allauth.account",
    "wagtail.embeds",
    "wagtail.sites",
    "config.apps.UsersConfig",
    "wagtail.snippets",
    "wagtail.documents",
    "wagtail.images",
    "wagtail.search",
    "wagtail.admin",
    "wagtail",
    "modelcluster",
    "taggit",
    "django_htmx",
    "csp",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "config.middleware.ContentSecurityPolicyMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "config.middleware.VaryOnHtmxMiddleware",
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "config.context_processors.site",
            ],
            "builtins": [
                "django.templatetags.i18n",
                "django.templatetags.static",
                "organisations.templatetags.elements",
            ],
        },
    }
]

FORM_RENDERER = "organisations.templatetags.elements.FormRenderer"

# --- Data --------------------------------------------------------------------------------------------------------
DATABASES = {"default": env.db("DATABASE_URL", default=f"sqlite:///{VAR_DIR / 'db.sqlite3'}")}
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    # IMMEDIATE takes the write lock at once: two writers queue instead of failing with "database is locked".
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
    }
else:
    DATABASES["default"]["CONN_MAX_AGE"] = env.int("CONN_MAX_AGE", default=60)
    DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

CACHES = {
    "default": env.cache("CACHE_URL")
    if env.str("CACHE_URL", default="")
    else {
        "BACKEND": "django.core.cache.backends.filebased.FileBasedCache",
        "LOCATION": str(VAR_DIR / "cache"),
        "OPTIONS": {"MAX_ENTRIES": 20_000},
    }
}

# --- People ------------------------------------------------------------------------------------------------------
AUTH_USER_MODEL = "organisations.User"
AUTHENTICATION_BACKENDS = [
    "django.contrib.auth.backends.ModelBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/learn/"
LOGOUT_REDIRECT_URL = "/"
ACCOUNT_ADAPTER = "config.adapters.AccountAdapter"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_SIGNUP_FORM_CLASS = "config.forms.SignupForm"
ACCOUNT_FORMS = {
    "signup": "config.account_forms.SignupForm",
    "login": "config.account_forms.LoginForm",
    "reset_password": "config.account_forms.ResetPasswordForm",
    "reset_password_from_key": "config.account_forms.ResetPasswordKeyForm",
}
ACCOUNT_EMAIL_VERIFICATION = env.str("ACCOUNT_EMAIL_VERIFICATION", default="mandatory")
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_SESSION_REMEMBER = None
ACCOUNT_LOGOUT_ON_PASSWORD_CHANGE = True
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_USER_DISPLAY = "organisations.models.people.display_name"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_SAMESITE = "Lax"
EMAIL_CONFIG = env.email_url("EMAIL_URL", default="consolemail://")
vars().update(EMAIL_CONFIG)
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", default="no-reply@localhost")

# --- Language and time -------------------------------------------------------------------------------------------
LANGUAGE_CODE = env.str("LANGUAGE_CODE", default="en")
LANGUAGES = [("en", "English"), ("es", "Español")]
LOCALE_PATHS = [BASE_DIR / "locale"]
USE_I18N = True
FORMAT_MODULE_PATH = ["config.formats"]
TIME_ZONE = env.str("TIME_ZONE", default="UTC")
USE_TZ = True

# --- Files -------------------------------------------------------------------------------------------------------
STATIC_URL = "/static/"
STATIC_ROOT = VAR_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "static", ("vendor", BASE_DIR / "build" / "vendor")]
MEDIA_URL = "/media/"
MEDIA_ROOT = VAR_DIR / "media"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    # What only its owner may fetch: never below MEDIA_URL.
    "private": {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {"location": str(VAR_DIR / "private"), "base_url": None},
    },
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
FONT_DIR = BASE_DIR / "build" / "vendor" / "fonts"

# --- Wagtail -----------------------------------------------------------------------------------------------------
WAGTAIL_SITE_NAME = SITE_NAME
WAGTAILADMIN_BASE_URL = SITE_URL
WAGTAIL_ENABLE_UPDATE_CHECK = False
WAGTAIL_ENABLE_WHATS_NEW_BANNER = False
WAGTAIL_GRAVATAR_PROVIDER_URL = None
WAGTAILADMIN_LOGIN_URL = "account_login"
WAGTAIL_PASSWORD_RESET_ENABLED = False
WAGTAIL_PASSWORD_MANAGEMENT_ENABLED = False
WAGTAILIMAGES_EXTENSIONS = ["gif", "jpg", "jpeg", "png", "webp", "svg"]
WAGTAILIMAGES_MAX_UPLOAD_SIZE = 5 * 1024 * 1024
WAGTAILDOCS_EXTENSIONS = ["csv", "docx", "mp4", "odt", "ods", "pdf", "pptx", "txt", "vtt", "webm", "xlsx"]
WAGTAILDOCS_SERVE_METHOD = "serve_view"
WAGTAILSEARCH_BACKENDS = {"default": {"BACKEND": "wagtail.search.backends.database"}}
WAGTAIL_USAGE_COUNT_ENABLED = False
TAGGIT_CASE_INSENSITIVE = True

# --- Background jobs ---------------------------------------------------------------------------------------------
# Every job is a row of organisations.Job first; the broker only carries its id (docs/decisions/0004).
CELERY_BROKER_URL = env.str("CELERY_BROKER_URL", default="filesystem://localhost")
BROKER_DIR = VAR_DIR / "broker"
if CELERY_BROKER_URL.startswith("filesystem://"):
    for _folder in ("queue", "control"):
        (BROKER_DIR / _folder).mkdir(parents=True, exist_ok=True)
    CELERY_BROKER_TRANSPORT_OPTIONS = {
        "data_folder_in": str(BROKER_DIR / "queue"),
        "data_folder_out": str(BROKER_DIR / "queue"),
        "control_folder": str(BROKER_DIR / "control"),
        "polling_interval": 0.2,
    }
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_SEND_TASK_EVENTS = False
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TIMEZONE = TIME_ZONE
CELERY_BEAT_SCHEDULE_FILENAME = str(VAR_DIR / "celerybeat-schedule")
CELERY_BEAT_SCHEDULE = {
    "sweep-jobs": {"task": "organisations.tasks.sweep_jobs", "schedule": 30.0},
    "sweep-certificates": {"task": "certificates.tasks.sweep_certificates", "schedule": 300.0},
    "look-after-definitions": {"task": "certificates.tasks.look_after_definitions", "schedule": 3600.0},
    "look-after-claims": {"task": "competencies.tasks.look_after_claims", "schedule": 3600.0},
    "sweep-campaigns": {"task": "competencies.tasks.sweep_campaigns", "schedule": 3600.0},
    "count-standing": {"task": "competencies.tasks.count_standing", "schedule": 3600.0},
    "write-case-packages": {"task": "competencies.tasks.write_case_packages", "schedule": 60.0},
    "sweep-paths": {"task": "learning.tasks.sweep_paths", "schedule": 3600.0},
    "sweep-diagnostics": {"task": "competencies.tasks.sweep_diagnostics", "schedule": 3600.0},
    "settle-periods": {"task": "learning.tasks.settle_periods", "schedule": 3600.0},
    "evaluate-courses": {"task": "learning.tasks.evaluate_courses", "schedule": 3600.0},
    "send-digests": {"task": "learning.tasks.send_digests", "schedule": 3600.0},
    "notify-refresh-due": {"task": "competencies.tasks.notify_refresh_due", "schedule": 3600.0},
    "sweep-surveys": {"task": "readiness.tasks.sweep_surveys", "schedule": 300.0},
    "look-after-surveys": {"task": "readiness.tasks.look_after_surveys", "schedule": 3600.0},
    "look-after-changes": {"task": "readiness.tasks.look_after_changes", "schedule": 3600.0},
    "sweep-credentials": {"task": "certificates.tasks.sweep_credentials", "schedule": 3600.0},
    "sweep-document-digests": {"task": "certificates.tasks.sweep_document_digests", "schedule": 3600.0},
    "sweep-cohorts": {"task": "certificates.tasks.sweep_cohorts", "schedule": 3600.0},
    "sweep-rules": {"task": "learning.tasks.sweep_rules", "schedule": 3600.0},
}
# What a due date is measured against: two hours of learning a week unless the public body says otherwise.
WEEKLY_LEARNING_MINUTES = env.int("WEEKLY_LEARNING_MINUTES", default=120)
# How long the planner may look for a shorter path before it takes the best it has, and says so.
PLANNER_SECONDS = env.float("PLANNER_SECONDS", default=2.0)
# Documents that people gave as proof and nobody has decided on: so many of one person are kept, so large together.
UNDECIDED_DOCUMENTS_MAX = env.int("UNDECIDED_DOCUMENTS_MAX", default=30)
UNDECIDED_DOCUMENTS_MAX_MB = env.int("UNDECIDED_DOCUMENTS_MAX_MB", default=150)
# Private keys of open surveys: on a disk of their own, outside every backup. What is deleted there is gone on purpose.
SURVEY_KEY_DIR = env.str("SURVEY_KEY_DIR", default=str(VAR_DIR / "survey-keys"))
# Private keys that certificates are signed with, and who holds them: a function that gives a KeyStore (docs/operations.md).
ISSUER_KEY_DIR = env.str("ISSUER_KEY_DIR", default=str(VAR_DIR / "issuer-keys"))
ISSUER_KEY_PASSPHRASE = env.str("ISSUER_KEY_PASSPHRASE", default="")
ISSUER_KEY_STORE = env.str("ISSUER_KEY_STORE", default="certificates.issuer.file_key_store")
# Papers are signed invisibly unless they shall show it; an authority (RFC 3161) may stamp the time.
PAPER_SIGNATURE_VISIBLE = env.bool("PAPER_SIGNATURE_VISIBLE", default=False)
TIMESTAMP_URL = env.str("TIMESTAMP_URL", default="")
# "web" names the issuer after SITE_URL, "key" after the key: for who has no lasting address.
ISSUER_DID = env.str("ISSUER_DID", default="web")
ISSUER_EMAIL = env.str("ISSUER_EMAIL", default="")
ISSUER_COUNTRY = env.str("ISSUER_COUNTRY", default="")
# Files of a whole cohort hold many names: they are kept for so many days and made again on demand.
COHORT_FILES_DAYS = env.int("COHORT_FILES_DAYS", default=14)
JOB_LEASE_SECONDS = env.int("JOB_LEASE_SECONDS", default=60)

# --- Security ----------------------------------------------------------------------------------------------------
X_FRAME_OPTIONS = "SAMEORIGIN"  # the CMS shows pages in a frame of its own
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'none'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'", "data:"],
        "font-src": ["'self'"],
        "media-src": ["'self'"],
        "connect-src": ["'self'"],
        "form-action": ["'self'"],
        "frame-ancestors": ["'self'"],
        "base-uri": ["'none'"],
    }
}
# Wagtail's own pages carry inline scripts and styles; the policy is loosened for them alone.
CMS_CONTENT_SECURITY_POLICY = {
    "default-src": ["'none'"],
    "script-src": ["'self'", "'unsafe-inline'"],
    "style-src": ["'self'", "'unsafe-inline'"],
    "img-src": ["'self'", "data:", "blob:"],
    "font-src": ["'self'", "data:"],
    "media-src": ["'self'"],
    "connect-src": ["'self'"],
    "frame-src": ["'self'"],
    "form-action": ["'self'"],
    "frame-ancestors": ["'self'"],
    "base-uri": ["'none'"],
}
DATA_UPLOAD_MAX_MEMORY_SIZE = 5 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 5000
DEFAULT_EXCEPTION_REPORTER_FILTER = "config.reports.ReporterFilter"

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": env.str("LOG_LEVEL", default="WARNING")},
}
