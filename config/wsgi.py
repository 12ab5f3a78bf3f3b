"""The door for a WSGI server (gunicorn)."""

import os

from django.conf import settings
from django.core.wsgi import get_wsgi_application

from config.safety import refuse_demo_accounts

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.production")

application = get_wsgi_application()
if settings.REFUSE_DEMO_ACCOUNTS:
    refuse_demo_accounts()
