from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ReadinessConfig(AppConfig):
    name = "readiness"
    verbose_name = _("Readiness")

    def ready(self) -> None:
        from readiness import jobs, journey_mails, nudging, receivers  # noqa: F401
        from readiness.models import Envelope
        from readiness.quiet_log import keep_out_of_the_log

        keep_out_of_the_log(Envelope)
