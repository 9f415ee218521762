import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
application = get_wsgi_application()

from billing import traces  # noqa: E402  the apps must be ready
from billing.accounts import refuse_other_account  # noqa: E402  the apps must be ready
from billing.checks import (  # noqa: E402
    refuse_without_static_files,
    warn_of_unprotected_trail,
    warn_of_untrusted_proxies,
)

traces.start("web")
refuse_without_static_files()
warn_of_untrusted_proxies()
warn_of_unprotected_trail()
refuse_other_account()
