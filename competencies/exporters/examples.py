"""What a new spreadsheet says: how it is filled in, and one worked example. English and Spanish are data of the format."""

from __future__ import annotations

from collections.abc import Mapping

from competencies.importers.content import (
    AreaContent,
    CompetencyContent,
    DescriptorContent,
    FamilyContent,
    FrameworkContent,
    LevelContent,
    ProfileContent,
    RequirementContent,
    RoleContent,
)

READ_ME: Mapping[str, tuple[str, ...]] = {
    "en": (
        "How to fill in this workbook",
        "Each sheet is a table: the first row names the columns, every further row is one thing. The rows that are "
        "there are an example; write over them. Empty rows do no harm, and sheets that you do not need may stay empty.",
        "What you need at least: the title on the sheet “Framework”, a title for each competency and each role, and on "
        "“Requirements” which role needs which competency.",
        "Framework: what your framework is called, who publishes it, where it comes from and under what licence. "
        "“Edition” is a year or a number; a changed framework needs a new one.",
        "Levels: your scale from low to high, a number and a name each. Without a scale, leave the sheet empty.",
        "Areas: the groups in which competencies are shown.",
        "Competencies: what people can know or do. Under “Level 1”, “Level 2” … say what that level looks like at work.",
        "Roles: one row a role; where a role has grades, one row a grade, each with the same role title. "
        "“Key post” is a short mark such as CIO, where the role is one of the digital key posts.",
        "Requirements: one row for each competency that a role needs. Name both by title or by code. “Level” is the name "
        "or the number of the level; left empty, the competency is needed and no level is stated. “Importance” goes from "
        "1 (helpful) to 5 (decisive); empty means 3. “Necessity”: required or optional; empty means required.",
        "Codes may be left empty: they are made from the titles. Who renames things later should keep the codes.",
        "Another language: add a column with the language in brackets, such as “Title [es]”, and name the languages "
        "under “Languages”, the main one first: “en, es”.",
        "A text that is too long for one cell goes on in a second column: “Description (2)”.",
        "Before a text that begins with = + - or @ the file may show an apostrophe, so that it stays a text. Leave it.",
        "Save as Excel workbook (.xlsx). If something is wrong, the import says in which sheet, row and column.",
    ),
    "es": (
        "Cómo llenar este libro",
        "Cada hoja es una tabla: la primera fila nombra las columnas y cada fila siguiente es una cosa. Las filas que ya "
        "están son un ejemplo; escriba encima. Las filas vacías no molestan y las hojas que no necesite pueden quedar "
        "vacías.",
        "Lo mínimo: el título en la hoja «Marco», un título para cada competencia y cada rol, y en «Requisitos» qué rol "
        "necesita qué competencia.",
        "Marco: cómo se llama su marco, quién lo publica, de dónde viene y con qué licencia. «Edición» es un año o un "
        "número; un marco que cambia necesita una edición nueva.",
        "Niveles: su escala de menor a mayor, con número y nombre. Sin escala, deje la hoja vacía.",
        "Áreas: los grupos en los que se muestran las competencias.",
        "Competencias: lo que las personas pueden saber o hacer. En «Nivel 1», «Nivel 2» … describa cómo se ve ese nivel "
        "en el trabajo.",
        "Roles: una fila por rol; si un rol tiene grados, una fila por grado, con el mismo título del rol. «Cargo clave» "
        "es una sigla como CIO, si el rol es uno de los cargos digitales clave.",
        "Requisitos: una fila por cada competencia que un rol necesita. Nombre ambos por título o por código. «Nivel» es "
        "el nombre o el número del nivel; si queda vacío, la competencia se necesita sin indicar nivel. «Importancia» va "
        "de 1 (útil) a 5 (decisiva); vacía significa 3. «Necesidad»: necesario u opcional; vacía significa necesario.",
        "Los códigos pueden quedar vacíos: se forman a partir de los títulos. Quien cambie nombres después debe conservar "
        "los códigos.",
        "Otro idioma: agregue una columna con el idioma entre corchetes, como «Título [en]», y nombre los idiomas en "
        "«Idiomas», el principal primero: «es, en».",
        "Un texto demasiado largo para una celda sigue en una segunda columna: «Descripción (2)».",
        "Ante un texto que empieza con = + - o @ el archivo puede mostrar un apóstrofo para que siga siendo texto. "
        "Déjelo.",
        "Guarde como libro de Excel (.xlsx). Si algo está mal, la importación dice en qué hoja, fila y columna.",
    ),
}

Words = Mapping[str, str]

_WORDS: Mapping[str, Words] = {
    "en": {
        "slug": "our-framework",
        "title": "Our competency framework",
        "description": "What our people need to be able to do. Write over this.",
        "publisher": "Name of the institution",
        "source": "Written by the human resources unit",
        "low": "Basic",
        "middle": "Independent",
        "high": "Guides others",
        "area": "Data and information",
        "competency": "Reading data",
        "competency_description": "Understands tables and charts and draws the right conclusions from them.",
        "competency_example": "Compares the waiting times of two offices and says what differs.",
        "describe_low": "I can find a figure in a table or chart.",
        "describe_middle": "I can compare figures and explain what they mean for our work.",
        "describe_high": "I help others to choose figures and to avoid wrong conclusions.",
        "family": "Public service",
        "role": "Case officer",
        "role_summary": "Decides on applications and explains the decisions.",
    },
    "es": {
        "slug": "nuestro-marco",
        "title": "Nuestro marco de competencias",
        "description": "Lo que nuestras personas necesitan saber hacer. Escriba encima.",
        "publisher": "Nombre de la institución",
        "source": "Elaborado por la unidad de talento humano",
        "low": "Básico",
        "middle": "Con autonomía",
        "high": "Orienta a otras personas",
        "area": "Datos e información",
        "competency": "Lectura de datos",
        "competency_description": "Entiende tablas y gráficos y saca de ellos las conclusiones correctas.",
        "competency_example": "Compara los tiempos de espera de dos oficinas y dice en qué se diferencian.",
        "describe_low": "Puedo encontrar una cifra en una tabla o un gráfico.",
        "describe_middle": "Puedo comparar cifras y explicar qué significan para nuestro trabajo.",
        "describe_high": "Ayudo a otras personas a elegir cifras y a evitar conclusiones equivocadas.",
        "family": "Servicio público",
        "role": "Gestión de trámites",
        "role_summary": "Resuelve solicitudes y explica las decisiones.",
    },
}


def example(language: str) -> FrameworkContent:
    """One of everything that an HR officer fills in, in one language."""
    language = language if language in _WORDS else "en"
    words = _WORDS[language]

    def text(key: str) -> Words:
        return {language: words[key]}

    return FrameworkContent(
        slug=words["slug"],
        title=text("title"),
        edition="1",
        description=text("description"),
        publisher=words["publisher"],
        source=words["source"],
        languages=(language,),
        levels=tuple(
            LevelContent(rank=rank, label=text(key)) for rank, key in enumerate(("low", "middle", "high"), start=1)
        ),
        areas=(AreaContent(code="A", title=text("area")),),
        families=(FamilyContent(code="F", title=text("family")),),
        competencies=(
            CompetencyContent(
                code="A1",
                title=text("competency"),
                area="A",
                description=text("competency_description"),
                example=text("competency_example"),
                descriptors=tuple(
                    DescriptorContent(rank=rank, text=text(f"describe_{key}"))
                    for rank, key in enumerate(("low", "middle", "high"), start=1)
                ),
            ),
        ),
        roles=(
            RoleContent(
                code="R1",
                title=text("role"),
                family="F",
                summary=text("role_summary"),
                profiles=(
                    ProfileContent(
                        code="R1", requirements=(RequirementContent(competency="A1", level=2, importance=4),)
                    ),
                ),
            ),
        ),
    )
