from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class LearningConfig(AppConfig):
    name = "learning"
    verbose_name = _("Learning")

    def ready(self) -> None:
        from learning import batch_jobs, evaluation_jobs, jobs, receivers, rule_jobs  # noqa: F401
        from learning.models import EvaluationEnvelope
        from readiness.quiet_log import keep_out_of_the_log

        keep_out_of_the_log(EvaluationEnvelope)
