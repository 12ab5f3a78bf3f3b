"""What the demo ministry's changes say: two initiatives, what people asked and feared, and what was done about it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from readiness.enums import ActionStatus, ConcernDecision, ConcernKind

Words = tuple[str, str]


@dataclass(frozen=True)
class Texts:
    """`began_ago`: days before the day of seeding, negative for days to come. `milestones`: (days from then, done, words)."""

    slug: str
    began_ago: int
    fields: Mapping[str, Words]
    milestones: Sequence[tuple[int, bool, Words]] = ()
    impacts: Mapping[str, Words] = field(default_factory=dict)
    needs: Sequence[tuple[str, int]] = ()
    # By code of the unit: how much changes of each aspect (0 to 3, as in IMPACT_ASPECTS), and what is done about it.
    touches: Mapping[str, tuple[tuple[int, ...], Words]] = field(default_factory=dict)


FIRST = Texts(
    slug="one-case-file",
    began_ago=170,
    fields={
        "title": ("One case file for each citizen", "Un solo expediente para cada persona"),
        "short_name": ("One case file", "Expediente único"),
        "service_name": ("One case file", "Expediente único"),
        "summary": (
            "From next spring on, every request of a citizen is one file that counter, contact centre and regions work in "
            "together. Nobody has to tell the same story twice, and each of us sees what has been promised.",
            "A partir de la próxima primavera, cada solicitud de una persona es un solo expediente en el que trabajan "
            "juntas la ventanilla, el centro de contacto y las regiones. Nadie tiene que contar dos veces lo mismo, y cada "
            "una de nosotras ve qué se ha prometido.",
        ),
        "why": (
            "Today a request lives in three systems and two paper folders. People call to ask where it is, and we look in "
            "five places to find out.\n\nWe do not lack diligence, we lack one place to look.",
            "Hoy una solicitud vive en tres sistemas y dos carpetas de papel. Las personas llaman para preguntar dónde está, "
            "y buscamos en cinco lugares para saberlo.\n\nNo nos falta dedicación: nos falta un solo lugar donde mirar.",
        ),
        "evidence": (
            "In our own count of two weeks at the counters, four of ten visits were only to ask how far a request was "
            "(register of visits, both regions).",
            "En nuestro propio conteo de dos semanas en las ventanillas, cuatro de cada diez visitas fueron solo para "
            "preguntar en qué estaba una solicitud (registro de visitas, ambas regiones).",
        ),
        "if_we_do_nothing": (
            "The support of the oldest system ends in eighteen months. Requests would have to be kept on paper again, "
            "with the waiting times of ten years ago.",
            "El soporte del sistema más antiguo termina en dieciocho meses. Habría que volver al papel, con los tiempos de "
            "espera de hace diez años.",
        ),
        "for_citizens": (
            "One number for each request, one place to see how far it is, and no document asked for twice.",
            "Un número por solicitud, un lugar para ver en qué está y ningún documento pedido dos veces.",
        ),
        "what_changes": (
            "Requests are worked on in the new file instead of in mails and folders. Notes are written so that a colleague "
            "can go on from there.",
            "Las solicitudes se trabajan en el nuevo expediente en vez de en correos y carpetas. Las notas se escriben de "
            "modo que una colega pueda continuar.",
        ),
        "what_stays": (
            "Posts, places of work and pay stay. Decisions about citizens are made by people, with the same rules.",
            "Los puestos, los lugares de trabajo y la remuneración siguen igual. Las decisiones sobre las personas las "
            "toman personas, con las mismas reglas.",
        ),
        "still_open": (
            "Which forms go first, how the work of the contact centre is shared on Mondays, and what the search page "
            "shows. Proposals until the end of next month, on this page or to a champion.",
            "Qué formularios van primero, cómo se reparte el trabajo del centro de contacto los lunes y qué muestra la "
            "página de búsqueda. Propuestas hasta el fin del próximo mes, en esta página o a una persona referente.",
        ),
        "decider": (
            "The Permanent Secretary decides, on the proposal of the Change and Projects Office; the works council is heard.",
            "Decide la Secretaría General Permanente, a propuesta de la Oficina de Cambio y Proyectos; se escucha a la "
            "representación del personal.",
        ),
    },
    milestones=(
        (-120, True, ("Two counters try out the first version", "Dos ventanillas prueban la primera versión")),
        (
            -40,
            True,
            (
                "All requests of one form run in the new file",
                "Todas las solicitudes de un formulario van en el nuevo expediente",
            ),
        ),
        (45, False, ("The contact centre joins", "Se suma el centro de contacto")),
        (110, False, ("Both regions work in it", "Trabajan en él ambas regiones")),
        (200, False, ("The oldest system is switched off", "Se apaga el sistema más antiguo")),
    ),
    impacts={
        "public-servant": (
            "You look for a request in one place and write your notes there. A course of an hour shows how; in the first "
            "month a champion sits nearby.",
            "Busca cada solicitud en un solo lugar y escribe allí sus notas. Un curso de una hora muestra cómo; el primer "
            "mes hay una persona referente cerca.",
        ),
        "line-manager": (
            "You see what waits in your team and for how long. Plan two hours a week for practice in the first month, and "
            "take what does not work to the change team each Friday.",
            "Ve qué espera en su equipo y desde cuándo. Prevea dos horas de práctica por semana el primer mes y lleve cada "
            "viernes al equipo del cambio lo que no funciona.",
        ),
        "data-steward": (
            "You watch over one register instead of three, and clean it once before each group joins.",
            "Cuida un registro en lugar de tres y lo depura una vez antes de que se sume cada grupo.",
        ),
        "digital-service-owner": (
            "You decide the order in which forms move, with what citizens and colleagues tell you.",
            "Decide el orden en que pasan los formularios, con lo que le cuentan la ciudadanía y sus colegas.",
        ),
    },
    needs=(("SC1", 2), ("SC3", 2)),
    touches={
        "MPS-CCC": (
            (2, 3, 3, 2, 2, 1),
            (
                "Two more people answer calls in the first six weeks, and no leave is called off for it.",
                "Dos personas más atienden llamadas las primeras seis semanas, y nadie pierde por ello sus vacaciones.",
            ),
        ),
        "MPS-RN": (
            (1, 3, 3, 2, 2, 1),
            (
                "The counters close one afternoon a week for practice until the region works in the file.",
                "Las ventanillas cierran una tarde por semana para practicar hasta que la región trabaje en el expediente.",
            ),
        ),
        "MPS-RS": (
            (1, 3, 3, 2, 2, 1),
            (
                "The counters close one afternoon a week for practice until the region works in the file.",
                "Las ventanillas cierran una tarde por semana para practicar hasta que la región trabaje en el expediente.",
            ),
        ),
        "MPS": (
            (0, 1, 2, 1, 0, 0),
            (
                "Whoever looks up a request now and then learns it in an hour, at the time that suits.",
                "Quien consulta una solicitud de vez en cuando lo aprende en una hora, cuando le convenga.",
            ),
        ),
    },
)
NEXT = Texts(
    slug="decisions-by-data",
    began_ago=-21,
    fields={
        "title": ("Decisions that show their data", "Decisiones que muestran sus datos"),
        "short_name": ("Decisions by data", "Decisiones con datos"),
        "summary": (
            "From next quarter on, every proposal to the Registrar General says on one page which data it rests on and how "
            "sure they are.",
            "A partir del próximo trimestre, toda propuesta a la Dirección General de Registro dice en una página en qué datos "
            "se apoya y cuán seguros son.",
        ),
        "why": (
            "Proposals cite figures that nobody can find again a month later. Then we decide twice.",
            "Las propuestas citan cifras que un mes después nadie encuentra. Entonces decidimos dos veces.",
        ),
        "what_stays": ("Who proposes and who decides.", "Quién propone y quién decide."),
        "still_open": (
            "What the page looks like: three drafts are shown in two weeks, and you choose.",
            "Cómo es la página: en dos semanas se muestran tres borradores, y usted elige.",
        ),
        "decider": (
            "The Registrar General. The Head of Digital Identity leads it: every digital identity rests on what the registry "
            "decided.",
            "La Dirección General de Registro. Lo conduce la Jefatura de Identidad Digital: toda identidad digital se apoya en "
            "lo que el registro decidió.",
        ),
    },
    milestones=((21, False, ("Three drafts of the page to choose from", "Tres borradores de la página para elegir")),),
    needs=(("TD5", 2),),
)


@dataclass(frozen=True)
class Done:
    """`due`: days from the day of seeding."""

    unit: str
    block: str
    text: str
    owner: str
    due: int
    notice: str
    status: str = ActionStatus.OPEN
    outcome: str = ""


ACTIONS: tuple[tuple[Done, ...], ...] = (
    (
        Done(
            "MPS", "why", "Explain in each team why three systems become one", "lead", -90,
            "Half an hour with somebody who decides, in your own room", ActionStatus.DONE,
            "All teams were visited; what was asked there is answered on the page.",
        ),
        Done(
            "MPS", "efficacy", "Two hours of practice a week before a group joins", "lead", -60,
            "The time is in your calendar, and a champion is there", ActionStatus.DONE,
            "Practice rooms run on Tuesdays and Thursdays.",
        ),
    ),
    (
        Done(
            "MPS", "involved", "Publish each Friday what became of proposals", "lead", -3,
            "A list on the page: taken, not taken, and why",
        ),
        Done(
            "MPS-ADS-DID", "support", "Ask each colleague what would help, and say what I do about it", "manager", 12,
            "Ten minutes with me, and an answer within a week",
        ),
    ),
)  # fmt: skip
QUESTIONS: tuple[tuple[str, bool, int, str], ...] = (
    (
        "Will the old notes be in the new file?", True, 60,
        "Yes, for requests that are still open. Closed ones stay readable in the archive for ten years.",
    ),
    (
        "Is it measured how fast each of us works?", False, 40,
        "No. The file shows how long requests wait, by team. It does not count anything by person, and the works council "
        "can look at every report.",
    ),
    ("Can counters keep their paper form for people who do not use the internet?", True, 3, ""),
    # People write in their own language; who answers answers in that one.
    (
        "¿Habrá que volver a introducir los datos de los expedientes abiertos?", False, 25,
        "No. Se trasladan en un fin de semana; el lunes cada equipo revisa una lista de veinte casos.",
    ),
    ("¿Quién ayuda el primer lunes, cuando llame todo el mundo?", False, 12, ""),
)  # fmt: skip
CONCERNS: tuple[tuple[str, str, str, int, str, str], ...] = (
    (
        "MPS-RN", ConcernKind.WORKLOAD, "Double work while two systems run side by side.", 50, ConcernDecision.PLAN_ADAPTED,
        "Each counter moves in one weekend; nobody works in two systems for longer than a week.",
    ),
    (
        "MPS-CCC", ConcernKind.ABILITY, "New colleagues are to learn two systems at once.", 30, ConcernDecision.ACCEPTED,
        "Who starts from now on learns the new file only.",
    ),
    ("MPS-CCC", ConcernKind.LOSS, "Se perderían los atajos que nos hacen rápidos.", 9, "", ""),
)  # fmt: skip
WISHES: tuple[Words, ...] = (
    ("Time to practise before it counts.", "Tiempo para practicar antes de que cuente."),
    ("Somebody to ask in the same room.", "Alguien a quien preguntar en la misma sala."),
    (
        "To know when our unit joins, in weeks and not in quarters.",
        "Saber cuándo se suma nuestra unidad, en semanas y no en trimestres.",
    ),
    ("Fewer forms at the same time.", "Menos formularios al mismo tiempo."),
    ("Answers to what we asked last time.", "Respuestas a lo que preguntamos la última vez."),
    ("A search that forgives misspelt names.", "Una búsqueda que perdone los nombres mal escritos."),
    (
        "That nothing is decided about the counter without the counter.",
        "Que no se decida nada sobre la ventanilla sin la ventanilla.",
    ),
)
