"""Settings of the host; those of the SDK come from ``EPRESCRIPTION_…`` variables."""

import os

SECRET_KEY = os.environ["DJANGO_SECRET_KEY"]
ALLOWED_HOSTS = ["127.0.0.1", "localhost"]

DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        # Host, port and user are libpq's own variables (PGHOST…). The SDK's store is another
        # database: see docs/shared-store.md.
        "NAME": os.environ["PGDATABASE"],
        # Each request is one transaction, as many hosts have it. Issuing steps out of that.
        "ATOMIC_REQUESTS": True,
    }
}

INSTALLED_APPS = ["prescribing"]
MIDDLEWARE = ["prescribing.errors.AsJson"]
ROOT_URLCONF = "backend.urls"
WSGI_APPLICATION = "backend.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# Days of the pilot are Europe/Paris days.
TIME_ZONE = "Europe/Paris"
USE_TZ = True
