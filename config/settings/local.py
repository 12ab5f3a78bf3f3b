"""The laptop: SQLite, a broker made of files, no server needed. What `make run` uses."""

from config.settings.base import *
from config.settings.base import STATIC_ROOT, VAR_DIR, env

DEBUG = env.bool("DEBUG", default=False)


def _secret_key() -> str:
    """A key of this machine's own, made once and kept out of the repository."""
    from django.core.management.utils import get_random_secret_key

    path = VAR_DIR / "secret-key"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with path.open("x") as file:
                file.write(get_random_secret_key())
            path.chmod(0o600)
        except FileExistsError:
            pass
    return path.read_text()


SECRET_KEY = env.str("SECRET_KEY", default="") or _secret_key()

# WhiteNoise warns about a folder that is not there, although here it looks where files are written.
STATIC_ROOT.mkdir(parents=True, exist_ok=True)
# Files are found where they are written: no collectstatic between an edit and a look.
STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
WHITENOISE_USE_FINDERS = True
WHITENOISE_MAX_AGE = 60 if not DEBUG else 0
SERVE_MEDIA = True
SIGNUP_OPEN = env.bool("SIGNUP_OPEN", default=True)
