from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class CompetenciesConfig(AppConfig):
    name = "competencies"
    verbose_name = _("Competencies")

    def ready(self) -> None:
        from competencies import campaign_jobs, contest_mails, diagnosing_jobs, jobs, receivers  # noqa: F401
