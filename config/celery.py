"""The Celery application. Tasks carry ids only; what they do is in each app's ``tasks.py``."""

import os
from typing import Any

from celery import Celery
from celery.signals import beat_init, worker_init

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.local")

app = Celery("config")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@worker_init.connect
@beat_init.connect
def refuse_demo_accounts_in_production(**kwargs: Any) -> None:
    from django.conf import settings
    from django.core.exceptions import ImproperlyConfigured

    from config.safety import refuse_demo_accounts

    if not settings.REFUSE_DEMO_ACCOUNTS:
        return
    try:
        refuse_demo_accounts()
    except ImproperlyConfigured as error:
        # Celery logs what a receiver raises and goes on; only the end of the process gets through.
        raise SystemExit(str(error)) from error
