"""The promise to who answers, in languages the questions are asked in and the platform itself does not speak.

Questionnaires come in more languages than pages do. Whoever reads the questions in one of these reads there, too, what
becomes of her answers. Portuguese is that of Brazil. Like the questions, these wait for a reviewer.
"""

from __future__ import annotations

from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext as _

PROMISE = {
    "pt": "As suas respostas são criptografadas. Só são abertas junto com todas as outras, quando a pesquisa se encerra. "
    "Grupos com menos de {k} pessoas nunca são mostrados. Pode deixar afirmações sem resposta. Depois de enviadas, "
    "ninguém pode ver nem alterar as suas respostas, nem você.",
    "fr": "Vos réponses sont chiffrées. Elles ne sont ouvertes qu’avec toutes les autres, à la clôture de l’enquête. Les "
    "groupes de moins de {k} personnes ne sont jamais montrés. Vous pouvez laisser des énoncés sans réponse. Une fois "
    "envoyées, personne ne peut voir ni modifier vos réponses, pas même vous.",
}


def promise_in(language: str, k: int) -> str:
    """The promise in the language of the questions; "" where the page around them says it in that language already."""
    if language == translation.get_language():
        return ""
    if language in PROMISE:
        return PROMISE[language].format(k=k)
    if language not in dict(settings.LANGUAGES):
        return ""
    with translation.override(language):
        return _(
            "Your answers are encrypted. They are only opened together with all others when the survey closes. Groups smaller "
            "than %(k)s are never shown."
        ) % {"k": k}
