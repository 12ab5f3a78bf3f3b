"""The demo ministry, ground floor: units, posts, people, who holds what and who leads whom.

Everything is drawn first, in memory, from the seed (`draw_ministry`), and then written in a few bulk statements
(`write_ministry`). The floors above seed what they speak of and take the `Ministry` from here; what a post means for
them they read from its `kind`. Same people, seed and day: same ministry.
"""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from math import ceil
from random import Random

from allauth.account.models import EmailAddress
from django.contrib.auth.hashers import make_password
from django.utils import timezone
from i18nfield.strings import LazyI18nString

from organisations.enums import UnitKind
from organisations.models import Appointment, HrMandate, Post, Unit, User

DEMO_DOMAIN = "demo.example"
# Published on purpose; production refuses to start where these accounts exist.
DEMO_PASSWORD = "demo-ministry"  # noqa: S105
DEMO_ACCOUNTS = tuple(f"{name}@{DEMO_DOMAIN}" for name in ("learner", "ciso", "manager", "hr", "editor", "admin"))

MIN_PEOPLE, MAX_PEOPLE, USUAL_PEOPLE = 30, 100_000, 160
# The history goes back so many days: a manager's word of the first day still counts on the last.
HISTORY_DAYS = 358
# People a lead has at most before the work is split into teams, and a unit before it is split into units.
MAX_TEAM, MAX_UNIT = 14, 130
# From so many people on there is one manager with a team to measure pages with.
LARGE_TEAM, LARGE_TEAM_FROM = 150, 1000
BATCH = 1000

Words = tuple[str, str]  # English, Spanish


def demo_accounts_present() -> list[str]:
    """The e-mail addresses of the demo accounts that exist, in the order in which they are introduced."""
    there = {email.lower() for email in User.objects.filter(email__in=DEMO_ACCOUNTS).values_list("email", flat=True)}
    return [email for email in DEMO_ACCOUNTS if email in there]


# --- Chance and time -------------------------------------------------------------------------------------------------
def stream(seed: int, *topic: object) -> Random:
    """A source of chance of its own for each topic, so that one more draw here moves nothing there."""
    return Random(":".join(map(str, (seed, *topic))))  # noqa: S311


def is_workday(day: date) -> bool:
    return day.weekday() < 5


def workday_from(day: date) -> date:
    """The day itself, or the Monday after a weekend."""
    return day + timedelta(days=max(0, 7 - day.weekday()) if day.weekday() > 4 else 0)


def workday_until(day: date) -> date:
    """The day itself, or the Friday before a weekend."""
    return day - timedelta(days=max(0, day.weekday() - 4))


def workdays(first: date, last: date) -> list[date]:
    """All workdays from `first` to `last`, both counted."""
    days = (first + timedelta(days=n) for n in range((last - first).days + 1))
    return [day for day in days if is_workday(day)]


def moment(day: date, minutes: float) -> datetime:
    """So many minutes after midnight of `day`, in the installation's time zone."""
    return timezone.make_aware(
        datetime.combine(day, time()) + timedelta(seconds=round(minutes * 60)), timezone.get_default_timezone()
    )


# --- What is drawn ---------------------------------------------------------------------------------------------------
@dataclass(eq=False)
class Place:
    """A unit to be. `growth` says after which plan it is staffed when it becomes large."""

    code: str
    name: Words
    above: Place | None
    topics: Sequence[Words] = ()
    unit: Unit | None = None
    below: int = 0
    posts: int = 0

    @property
    def body(self) -> str:
        return self.code.split("-")[0]


@dataclass(eq=False)
class Seat:
    """A post. `kind` is what the floors above know it by; `holder` is who holds it on the day of seeding."""

    place: Place
    code: str
    title: Words
    kind: str
    above: Seat | None
    holder: Member | None = None
    since: date | None = None
    starts_on: date | None = None
    ends_on: date | None = None
    post: Post = field(default_factory=Post)
    led: int = 0


@dataclass(eq=False)
class Holding:
    """An appointment: past, present or to come."""

    member: Member
    seat: Seat
    starts_on: date
    ends_on: date | None = None


@dataclass(eq=False)
class Member:
    """A person of the ministry. `drive`, 0 to 1, says how far she has come with what was asked of her.

    `leader` is whom she reports to on the day of seeding, through vacant posts; `led_from` since when.
    """

    number: int
    account: str
    body: str
    drive: float
    known_from: date
    left_on: date | None = None
    seats: list[Seat] = field(default_factory=list)
    holdings: list[Holding] = field(default_factory=list)
    leader: Member | None = None
    led_from: date | None = None
    user: User = field(default_factory=User)

    @property
    def seat(self) -> Seat:
        """Her own post; of somebody who left, the last one."""
        return self.seats[0] if self.seats else self.holdings[-1].seat


@dataclass
class Ministry:
    """The whole, as drawn and, after `write_ministry`, as stored. `history` runs from its first day to its last."""

    seed: int
    as_of: date
    places: list[Place] = field(default_factory=list)
    seats: list[Seat] = field(default_factory=list)
    members: list[Member] = field(default_factory=list)
    officers: dict[str, Member] = field(default_factory=dict)

    @property
    def first_day(self) -> date:
        return workday_from(self.as_of - timedelta(days=HISTORY_DAYS))

    @property
    def last_day(self) -> date:
        """The last day on which something happened: the workday before the day of seeding."""
        return workday_until(self.as_of - timedelta(days=1))

    def ago(self, days: int) -> date:
        """The workday that many days before the day of seeding, or the last one before it."""
        return min(workday_until(self.as_of - timedelta(days=days)), self.last_day)

    def account(self, name: str) -> Member:
        return next(member for member in self.members if member.account == name)

    def team_of(self, leader: Member) -> list[Member]:
        return [member for member in self.members if member.leader is leader]


# --- Words -----------------------------------------------------------------------------------------------------------
NAMES: tuple[tuple[str, str], ...] = (
    (
        "Ana Mateo Lucía Diego Camila Andrés Valentina Joaquín Inés Rafael Marisol Emilio Paula Tomás Beatriz Gonzalo "
        "Ximena Renata Bruno Elena",
        "Ríos Medina Quispe Rojas Ferreira Salazar Montoya Cardoso Vidal Paredes Acosta Mamani Bustamante Peralta "
        "Carvalho Escalante Herrera Nájera Olivares Pacheco Robles Sandoval Tavares Urrutia Villalba Zamora Ibáñez",
    ),
    (
        "Ingrid Thomas Claire Henrik Sofie Liam Nora Matteo Greta Oliver Hannah Étienne Maeve Anders Chiara Felix Isla "
        "Rory Mireille Jonas",
        "Solheim Lindqvist Moreau Keller Brennan Hughes Jansen Rossi Bergström Dubois Fischer Halloran Haugen Leclerc "
        "MacLeod Nielsen O'Brien Pedersen Marchetti Schneider Turner Vermeulen Whitfield Conti Eriksen Fontaine "
        "Ashworth",
    ),
    (
        "Tomasz Katarzyna Milan Ivana Andrei Oksana Bogdan Zofia Petar Daryna Luka Aigerim Marek Irina Damir Tamar "
        "Giorgi Elif Emre Vesna",
        "Wieczorek Kowalczyk Petrović Horvat Ionescu Kovalenko Novotný Ozols Dvořák Bajrami Szabó Tamm Melnyk Popescu "
        "Radić Balogh Tkachenko Urban Vuković Beridze Kaya Demir Çelik Kassym Hrytsenko Jankowiak Marušić",
    ),
    (
        "Joseph Amara Kwame Ngozi Thabo Zanele Abena Chinedu Wanjiru Fatou Ousseynou Adaeze Tendai Makena Babacar Nia "
        "Baraka Aisha Kofi Lerato",
        "Wanjala Okafor Mensah Dlamini Diallo Adeyemi Kamau Nkosi Traoré Boateng Mwangi Abebe Chukwu Ndlovu Sow Otieno "
        "Banda Owusu Sarr Moyo Eze Tadesse Njoroge Asante Phiri Camara Bello",
    ),
    (
        "Leila Omar Yasmin Karim Nadia Samir Rania Tariq Salma Hassan Dina Youssef Maryam Farid Noor Ziad Amina Bilal "
        "Shirin Reza",
        "Haddad Benkirane Mansour Khalil Rahmani Azzam Nasser Saleh Farouk Amrani Hashemi Karimi Darwish Idrissi Jaber "
        "Khoury Lahlou Mahfouz Najjar Qasim Sabbagh Tahiri Yazdani Zaidi Bouazza Shammas Obeid",
    ),
    (
        "Priya Haruto Mei Arjun Linh Minjun Sunita Wei Ayu Kenji Ananya Nikhil Thanh Jia Siti Vikram Hana Leilani Tane "
        "Dewi",
        "Raghunathan Tanaka Chen Sharma Nguyen Park Perera Wong Santoso Yamamoto Iyer Das Tran Lim Rahman Bhandari "
        "Sato Kealoha Ngata Wijaya Choi Gunawardena Bhattarai Pham Takahashi Kulkarni Reyes",
    ),
)  # fmt: skip

ACCOUNT_NAMES = {
    "learner": "Ana Ríos Medina",
    "ciso": "Leila Haddad",
    "manager": "Joseph Wanjala",
    "hr": "Ingrid Solheim",
    "editor": "Mateo Quispe Rojas",
    "admin": "Priya Raghunathan",
}

UNITS: tuple[tuple[str, str, str], ...] = (
    ("MPS", "Ministry of Public Services", "Ministerio de Servicios Públicos"),
    ("MPS-SEC", "Secretariat", "Secretaría"),
    ("MPS-ADS", "Agency for Digital Services", "Agencia de Servicios Digitales"),
    ("MPS-ADS-DID", "Digital Identity", "Identidad Digital"),
    ("MPS-ADS-SD", "Service Design", "Diseño de Servicios"),
    ("MPS-ADS-PC", "Platform and Cloud", "Plataforma y Nube"),
    ("MPS-ISO", "Information Security Office", "Oficina de Seguridad de la Información"),
    ("MPS-DO", "Data Office", "Oficina de Datos"),
    ("MPS-HR", "Human Resources", "Recursos Humanos"),
    ("MPS-HR-LD", "Learning and Development", "Capacitación y Desarrollo"),
    ("MPS-PRO", "Procurement", "Compras Públicas"),
    ("MPS-CPO", "Change Programme Office", "Oficina del Programa de Cambio"),
    ("MPS-CCC", "Citizens' Contact Centre", "Centro de Atención Ciudadana"),
    ("MPS-RN", "Regional Office North", "Oficina Regional Norte"),
    ("MPS-RS", "Regional Office South", "Oficina Regional Sur"),
    ("NRO", "National Registry Office", "Oficina Nacional de Registro"),
    ("NRO-CIV", "Civil Registry", "Registro Civil"),
    ("NRO-SYS", "Registry Systems", "Sistemas de Registro"),
)
MORE_REGIONS: tuple[tuple[str, str, str], ...] = (
    ("MPS-RE", "Regional Office East", "Oficina Regional Este"),
    ("MPS-RW", "Regional Office West", "Oficina Regional Oeste"),
    ("MPS-RC", "Regional Office Coast", "Oficina Regional Costa"),
    ("MPS-RH", "Regional Office Highlands", "Oficina Regional Sierra"),
    ("MPS-RL", "Regional Office Lakes", "Oficina Regional Lagos"),
    ("MPS-RI", "Regional Office Islands", "Oficina Regional Islas"),
)

# What staff do in a unit: how often, what the floors above know it by, what it is called.
STAFF: dict[str, tuple[tuple[int, str, Words], ...]] = {
    "MPS-SEC": (
        (3, "staff", ("Policy officer", "Oficial de políticas")),
        (2, "staff", ("Records officer", "Responsable de archivo")),
        (2, "staff", ("Executive assistant", "Asistencia ejecutiva")),
        (1, "staff", ("Press officer", "Oficial de prensa")),
    ),
    "MPS-ADS-DID": (
        (3, "staff", ("Software developer", "Desarrollo de software")),
        (2, "staff", ("Identity support officer", "Soporte de identidad")),
        (2, "staff", ("User researcher", "Investigación de usuarios")),
        (2, "staff", ("Test engineer", "Ingeniería de pruebas")),
    ),
    "MPS-ADS-SD": (
        (3, "staff", ("Service designer", "Diseño de servicios")),
        (2, "service-owner", ("Digital service owner", "Responsable de servicio digital")),
        (2, "staff", ("User researcher", "Investigación de usuarios")),
        (2, "staff", ("Content designer", "Diseño de contenidos")),
        (1, "staff", ("Accessibility specialist", "Especialista en accesibilidad")),
    ),
    "MPS-ADS-PC": (
        (3, "staff", ("Cloud engineer", "Ingeniería de nube")),
        (2, "staff", ("Systems administrator", "Administración de sistemas")),
        (2, "staff", ("Network engineer", "Ingeniería de redes")),
        (2, "staff", ("Service desk officer", "Mesa de ayuda")),
    ),
    "MPS-ISO": (
        (3, "staff", ("Security analyst", "Análisis de seguridad")),
        (2, "staff", ("Incident responder", "Respuesta ante incidentes")),
        (2, "staff", ("Risk officer", "Gestión de riesgos")),
    ),
    "MPS-DO": (
        (3, "data-steward", ("Data steward", "Gestión de datos")),
        (3, "staff", ("Data analyst", "Análisis de datos")),
        (1, "staff", ("Data engineer", "Ingeniería de datos")),
    ),
    "MPS-HR": (
        (3, "hr-partner", ("HR partner", "Asesoría de talento humano")),
        (2, "staff", ("Payroll officer", "Responsable de nómina")),
        (1, "staff", ("Recruitment officer", "Responsable de selección")),
    ),
    "MPS-HR-LD": (
        (2, "staff", ("Learning designer", "Diseño de capacitación")),
        (2, "staff", ("Learning administrator", "Administración de capacitación")),
    ),
    "MPS-PRO": (
        (3, "staff", ("Procurement officer", "Oficial de compras")),
        (2, "staff", ("Contract manager", "Gestión de contratos")),
    ),
    "MPS-CPO": (
        (3, "change-lead", ("Change lead", "Responsable de gestión del cambio")),
        (2, "staff", ("Project officer", "Oficial de proyectos")),
        (1, "staff", ("Internal communications officer", "Comunicación interna")),
    ),
    "MPS-CCC": (
        (12, "staff", ("Contact centre agent", "Agente de atención")),
        (2, "staff", ("Knowledge editor", "Edición de conocimiento")),
        (1, "staff", ("Quality officer", "Control de calidad")),
    ),
    "MPS-R": (
        (8, "staff", ("Case officer", "Gestión de expedientes")),
        (6, "staff", ("Counter clerk", "Atención en ventanilla")),
        (3, "staff", ("Field inspector", "Inspección de campo")),
        (1, "data-steward", ("Data steward, regional records", "Gestión de datos, archivo regional")),
        (1, "service-owner", ("Digital service owner, counters", "Responsable de servicio digital, ventanilla")),
    ),
    "NRO-CIV": (
        (5, "staff", ("Civil registrar", "Registro civil")),
        (4, "staff", ("Records clerk", "Gestión de archivo")),
        (1, "data-steward", ("Data steward, civil records", "Gestión de datos, actas")),
    ),
    "NRO-SYS": (
        (3, "staff", ("Systems analyst", "Análisis de sistemas")),
        (1, "service-owner", ("Digital service owner, certificates", "Responsable de servicio digital, certificados")),
    ),
}
TOPICS: dict[str, tuple[Words, ...]] = {
    "MPS-SEC": (("Policy", "Políticas"), ("Records", "Archivo"), ("Parliament", "Parlamento")),
    "MPS-ADS-SD": (("Permits", "Permisos"), ("Benefits", "Prestaciones"), ("Business", "Empresas")),
    "MPS-ADS-PC": (("Hosting", "Alojamiento"), ("Networks", "Redes"), ("Workplace", "Puesto de trabajo")),
    "MPS-ISO": (("Operations", "Operaciones"), ("Assurance", "Aseguramiento"), ("Suppliers", "Proveedores")),
    "MPS-DO": (("Standards", "Estándares"), ("Quality", "Calidad"), ("Analysis", "Análisis")),
    "MPS-HR": (("Recruitment", "Selección"), ("Careers", "Carrera"), ("Payroll", "Nómina")),
    "MPS-PRO": (("Technology", "Tecnología"), ("Works", "Obras"), ("Supplies", "Suministros")),
    "MPS-CPO": (("Case system", "Sistema de casos"), ("Counters", "Ventanillas"), ("Paperless", "Sin papel")),
    "MPS-CCC": (("Benefits line", "Línea de prestaciones"), ("Permits line", "Línea de permisos"), ("Chat", "Chat")),
    "MPS-R": (("Counters", "Ventanillas"), ("Cases", "Expedientes"), ("Inspection", "Inspección")),
    "NRO-CIV": (("Births", "Nacimientos"), ("Marriages", "Matrimonios"), ("Archive", "Archivo")),
}
# Head office at the usual size; with more people it grows more slowly than counters and telephones do.
HEAD_OFFICE = {
    "MPS-SEC": 5, "MPS-ADS-SD": 11, "MPS-ADS-PC": 12, "MPS-ISO": 8, "MPS-DO": 8, "MPS-HR": 6, "MPS-HR-LD": 4,
    "MPS-PRO": 7, "MPS-CPO": 7,
}  # fmt: skip
HEAD_OFFICE_GROWTH = 0.6
# The manager's team shows everybody a manager meets: from nothing yet to all done.
TEAM_DRIVES = (0.05, 0.2, 0.3, 0.38, 0.42, 0.47, 0.58, 0.66, 0.76, 0.8, 0.86, 0.92, 0.97)


# --- Drawing ---------------------------------------------------------------------------------------------------------
def draw_ministry(*, people: int, seed: int, as_of: date) -> Ministry:
    """Draw a ministry of so many people as it stands on `as_of`. Writes nothing; equal arguments, equal ministry."""
    return _Drawing(people, seed, as_of).ministry


class _Drawing:
    def __init__(self, people: int, seed: int, as_of: date) -> None:
        self.people, self.seed = people, seed
        self.ministry = Ministry(seed, as_of)
        self.places: dict[str, Place] = {}
        self.drive_offset = stream(seed, "drive").random()
        self.titles: dict[str, Random] = {}
        self.vacancies = stream(seed, "vacancies")
        for code, english, spanish in UNITS:
            self.place(code, (english, spanish))
        self.registry_people = max(3, round(people / 10))
        self.head_office()
        self.registry()
        self.digital_identity()
        self.others(people - len(self.ministry.members))
        self.extra_posts()
        self.name_people()
        self.earlier_posts()
        self.leaders()

    # Units, posts, holders
    def place(self, code: str, name: Words, above: Place | None = None) -> Place:
        parent = above or self.places.get(code.rpartition("-")[0])
        place = Place(code, name, parent, TOPICS.get(_family(code), ()))
        self.places[code] = place
        self.ministry.places.append(place)
        return place

    def seat(self, place: Place | str, title: Words, kind: str, above: Seat | None) -> Seat:
        place = self.places[place] if isinstance(place, str) else place
        place.posts += 1
        seat = Seat(place, f"{place.code}-{place.posts:03d}", title, kind, above)
        self.ministry.seats.append(seat)
        if above is not None:
            above.led += 1
        return seat

    def head(self, code: str, above: Seat | None, kind: str = "head") -> Seat:
        place = self.places[code]
        title = (f"Head of {place.name[0]}", f"Jefatura de {place.name[1]}")
        return self.seat(place, title, kind, above)

    def fill(self, seat: Seat, *, account: str = "", drive: float | None = None, days: int | None = None) -> Member:
        """Somebody new holds this post; `days` ago she began, or chance says when."""
        ministry = self.ministry
        number = len(ministry.members)
        if drive is None:
            drive = (self.drive_offset + number * 0.6180339887498949) % 1.0
        if days is None:
            days = self._days_in_post(number, lead=seat.kind not in ("staff", "data-steward", "service-owner"))
        since = workday_from(ministry.as_of - timedelta(days=days))
        member = Member(number, account, seat.place.body, round(drive, 6), max(since, ministry.first_day))
        ministry.members.append(member)
        self.hold(member, seat, since)
        return member

    def hold(self, member: Member, seat: Seat, since: date) -> None:
        seat.holder, seat.since = member, since
        member.seats.append(seat)
        member.holdings.append(Holding(member, seat, since))

    def _days_in_post(self, number: int, *, lead: bool) -> int:
        chance = stream(self.seed, "since", number)
        if chance.random() < (0.12 if lead else 0.3):
            return chance.randint(20, HISTORY_DAYS - 20)
        return HISTORY_DAYS + int(chance.triangular(20, 3200, 500))

    def leaver(self, seat: Seat, *, began: int, ended: int) -> None:
        """Somebody who held a post that is vacant now, and is gone."""
        ministry = self.ministry
        starts_on, ends_on = (workday_from(ministry.as_of - timedelta(days=days)) for days in (began, ended))
        member = Member(len(ministry.members), "", seat.place.body, 0.8, ministry.first_day, left_on=ends_on)
        member.holdings.append(Holding(member, seat, starts_on, ends_on))
        ministry.members.append(member)

    # The ministry
    def head_office(self) -> None:
        secretary = self.seat("MPS-SEC", ("Permanent Secretary", "Secretaría General Permanente"), "head", None)
        self.fill(secretary, days=1500)
        self.top = secretary
        cdio = self.seat(
            "MPS-ADS",
            ("Chief Digital and Innovation Officer", "Responsable de transformación digital e innovación"),
            "cdio", secretary,
        )  # fmt: skip
        self.fill(cdio, drive=0.75, days=820)
        cio = self.seat(
            "MPS-SEC", ("Chief Information Officer", "Responsable de tecnologías de la información"), "cio", secretary
        )
        self.fill(cio, drive=0.99, days=1600)
        ciso = self.seat(
            "MPS-ISO", ("Chief Information Security Officer", "Responsable de seguridad de la información"), "ciso", cio
        )
        self.fill(ciso, account="ciso", drive=0.7, days=200)
        cto = self.seat(
            "MPS-ADS-PC", ("Chief Technology Officer", "Responsable de arquitectura y tecnología"), "cto", cdio
        )
        self.leaver(cto, began=1400, ended=60)
        identity = self.head("MPS-ADS-DID", cdio)
        self.fill(identity, account="manager", drive=0.8, days=900)
        human = self.head("MPS-HR", secretary, "hr-head")
        acting = self.fill(human, days=1100)
        # One person holds two posts: the head of the unit above acts until somebody is found.
        learning = self.head("MPS-HR-LD", human)
        self.hold(acting, learning, workday_from(self.ministry.as_of - timedelta(days=75)))
        officer = self.seat("MPS-HR", ("HR officer", "Responsable de talento humano"), "hr-partner", human)
        self.ministry.officers["MPS"] = self.fill(officer, account="hr", drive=0.85, days=1300)
        editor = self.seat("MPS-HR-LD", ("Learning content editor", "Edición de contenidos"), "staff", learning)
        self.fill(editor, account="editor", drive=0.62, days=700)
        admin = self.seat("MPS-ADS-PC", ("Platform administrator", "Administración de la plataforma"), "staff", cto)
        self.fill(admin, account="admin", drive=0.74, days=950)
        self.secretariat = self.head("MPS-SEC", secretary)
        self.fill(self.secretariat, days=1250)
        self.fill(self.head("MPS-CPO", secretary, "change-head"), drive=0.9, days=640)
        data = self.head("MPS-DO", cio, "data-head")
        self.fill(data, drive=0.95, days=1010)
        steward = self.seat("MPS-DO", ("Data steward", "Gestión de datos"), "data-steward", data)
        self.fill(steward)
        self.fill(self.head("MPS-ADS-SD", cdio))
        self.fill(self.head("MPS-PRO", secretary))
        self.fill(self.head("MPS-CCC", secretary))
        self.fill(self.head("MPS-RN", secretary), days=1700)
        self.fill(self.head("MPS-RS", secretary))
        lawyer = self.seat("MPS-SEC", ("Legal adviser", "Asesoría jurídica"), "staff", self.secretariat)
        adviser = self.fill(lawyer, days=1450)
        officer = self.seat(
            "MPS-SEC", ("Data protection officer", "Responsable de protección de datos"), "staff", secretary
        )
        self.hold(adviser, officer, workday_from(self.ministry.as_of - timedelta(days=410)))

    def registry(self) -> None:
        """The second public body, with an HR officer of its own."""
        people = self.registry_people
        head = self.seat("NRO", ("Registrar General", "Dirección General de Registro"), "head", None)
        self.fill(head, days=1350)
        officer = self.seat("NRO", ("HR officer", "Responsable de talento humano"), "hr-partner", head)
        self.ministry.officers["NRO"] = self.fill(officer, days=1150)
        left = people - 2
        cio = self.seat(
            "NRO-SYS", ("Chief Information Officer", "Responsable de tecnologías de la información"), "cio", head
        )
        if people >= 6:
            self.fill(cio, drive=0.6, days=480)
            left -= 1
        systems = min(left // 4, 14) if people < 400 else left // 8
        self.staff(self.places["NRO-SYS"], cio, systems)
        civil = self.head("NRO-CIV", head)
        if people >= 10:
            self.fill(civil)
            left -= 1
        self.staff(self.places["NRO-CIV"], civil if civil.holder else head, left - systems)

    def digital_identity(self) -> None:
        """The manager's team: some report to her, some to a vacant lead post and so to her as well."""
        manager = self.ministry.account("manager").seat
        size = 14 if self.people >= 80 else max(5, self.people // 6)
        owner = ("Digital service owner", "Responsable de servicio digital")
        learner = self.seat("MPS-ADS-DID", owner, "service-owner", manager)
        self.fill(learner, account="learner", drive=0.9, days=210)
        lead = self.seat(
            "MPS-ADS-DID",
            ("Team lead, sign-in and wallet", "Coordinación de equipo: acceso y cartera"),
            "team-lead",
            manager,
        )
        self.leaver(lead, began=1100, ended=30)
        drives = [TEAM_DRIVES[round(n * (len(TEAM_DRIVES) - 1) / (size - 2))] for n in range(size - 1)]
        for number, drive in enumerate(drives):
            above = lead if number % 3 == 1 else manager
            kind, title = self.title("MPS-ADS-DID")
            if number == size - 3:
                kind, title = "service-owner", owner
            # Who has done all that is asked has been there long enough to do it.
            days = 45 if number == 1 else HISTORY_DAYS + 90 + 37 * number
            self.fill(self.seat("MPS-ADS-DID", title, kind, above), drive=drive, days=days)

    def others(self, people: int) -> None:
        """Everybody else, where a ministry of this size has its people."""
        scale = self.people / USUAL_PEOPLE
        growth = scale if scale < 1 else scale**HEAD_OFFICE_GROWTH
        office = min(round(sum(HEAD_OFFICE.values()) * growth), people * 7 // 10)
        shares = _shares(office, list(HEAD_OFFICE.values()))
        for code, count in zip(HEAD_OFFICE, shares, strict=True):
            self.staff(self.places[code], self._lead(code), count)
        centre, regions = _shares(people - office, [45, 55])
        if self.people >= LARGE_TEAM_FROM:
            line = self.place("MPS-CCC-GEN", ("General Enquiries Line", "Línea de consultas generales"))
            shift = self.head("MPS-CCC-GEN", self._lead("MPS-CCC"))
            self.fill(shift, days=HISTORY_DAYS + 400)
            self.crew(line, shift, LARGE_TEAM)
            centre -= LARGE_TEAM + 1
        self.staff(self.places["MPS-CCC"], self._lead("MPS-CCC"), centre)
        more = MORE_REGIONS[: max(0, min(ceil(regions / MAX_UNIT), len(MORE_REGIONS) + 2) - 2)]
        above = self.top
        if more:
            title = ("Director of Regional Services", "Dirección de Servicios Regionales")
            above = self.seat("MPS-SEC", title, "head", self.top)
            self.fill(above, days=HISTORY_DAYS + 500)
            for code in ("MPS-RN", "MPS-RS"):
                self._lead(code).above = above
                self.top.led -= 1
                above.led += 1
            regions -= 1
        for code, english, spanish in more:
            self.place(code, (english, spanish), self.places["MPS"])
            self.fill(self.head(code, above))
            regions -= 1
        codes = ["MPS-RN", "MPS-RS", *(code for code, _english, _spanish in more)]
        for code, count in zip(codes, _shares(regions, [1] * len(codes)), strict=True):
            self.staff(self.places[code], self._lead(code), count)

    def _lead(self, code: str) -> Seat:
        """Whom the staff of a unit report to: the first post made there; the Secretariat has three above its own."""
        if code == "MPS-SEC":
            return self.secretariat
        return next(seat for seat in self.ministry.seats if seat.place.code == code)

    def staff(self, place: Place, boss: Seat, people: int) -> None:
        """Give a unit so many people: one team, teams with leads, or units of its own, as their number asks."""
        if people <= 0:
            return
        led = sum(seat.led for seat in boss.holder.seats) if boss.holder else boss.led
        if people <= max(1, MAX_TEAM - led):
            self.crew(place, boss, people)
        elif people <= MAX_UNIT:
            for number, size in enumerate(_shares(people, [1] * ceil(people / 11))):
                topic = _numbered(place.topics or (("Team", "Equipo"),), number)
                title = (f"Team lead, {topic[0].lower()}", f"Coordinación de equipo: {topic[1].lower()}")
                lead = self.seat(place, title, "team-lead", boss)
                self.fill(lead)
                self.crew(place, lead, size - 1)
        else:
            for size in _shares(people, [1] * min(10, ceil(people / MAX_UNIT))):
                place.below += 1
                name = (f"{place.name[0]}, Branch {place.below}", f"{place.name[1]}, Sede {place.below}")
                branch = self.place(f"{place.code}-{place.below:02d}", name, place)
                head = self.head(branch.code, boss)
                self.fill(head)
                self.staff(branch, head, size - 1)

    def crew(self, place: Place, lead: Seat, people: int) -> None:
        """People who report to the same lead, and now and then a chair nobody sits on."""
        for _number in range(people):
            kind, title = self.title(place.code)
            self.fill(self.seat(place, title, kind, lead))
            if self.vacancies.random() < 0.05:
                kind, title = self.title(place.code)
                self.seat(place, title, kind, lead)

    def title(self, code: str) -> tuple[str, Words]:
        """What the next person in this unit does."""
        family = _family(code)
        chance = self.titles.setdefault(code, stream(self.seed, "titles", code))
        choices = STAFF[family]
        _weight, kind, title = chance.choices(choices, weights=[weight for weight, _kind, _title in choices])[0]
        return kind, title

    def extra_posts(self) -> None:
        """Posts that begin soon (one has its holder already), one that ended, and a vacancy whatever chance said."""
        ministry = self.ministry
        data, change = self._lead("MPS-DO"), self._lead("MPS-CPO")
        soon = self.seat("MPS-DO", ("Data steward, open data", "Gestión de datos abiertos"), "data-steward", data)
        soon.starts_on = workday_from(ministry.as_of + timedelta(days=30))
        later = self.seat(
            "MPS-CPO", ("Change lead, case system", "Gestión del cambio, sistema de casos"), "change-lead", change
        )
        later.starts_on = workday_from(ministry.as_of + timedelta(days=60))
        promoted = next(member for member in self.plain_staff() if len(member.seats) == 1)
        promoted.holdings.append(Holding(promoted, later, later.starts_on))
        clerk = self.seat("MPS-SEC", ("Paper forms clerk", "Gestión de formularios en papel"), "staff", self.top)
        clerk.ends_on = workday_from(ministry.as_of - timedelta(days=120))
        self.seat("MPS-PRO", ("Procurement officer", "Oficial de compras"), "staff", self._lead("MPS-PRO"))

    # People
    def name_people(self) -> None:
        taken: set[str] = set(DEMO_ACCOUNTS)
        reserved = set(ACCOUNT_NAMES.values())
        chance = stream(self.seed, "names")
        # Two surnames are the custom in the first of the pools; elsewhere some join them.
        pools = [(first.split(), last.split(), "-" if number else " ") for number, (first, last) in enumerate(NAMES)]
        for member in self.ministry.members:
            user = member.user
            if member.account:
                user.name, user.email = ACCOUNT_NAMES[member.account], f"{member.account}@{DEMO_DOMAIN}"
                user.language = "en"
            else:
                user.name, user.email = _new_name(chance, pools, taken, reserved)
                user.language = "es" if chance.random() < 0.3 else "en"
                taken.add(user.email)

    def earlier_posts(self) -> None:
        """Some held another post before: one that somebody else holds now."""
        ministry = self.ministry
        designer = self.seat(
            "MPS-ADS-SD", ("Service designer", "Diseño de servicios"), "staff", self._lead("MPS-ADS-SD")
        )
        analyst = self.seat("MPS-ISO", ("Security analyst", "Análisis de seguridad"), "staff", self._lead("MPS-ISO"))
        self.earlier(ministry.account("learner"), designer, 900)
        self.earlier(ministry.account("ciso"), analyst, 1200)
        used: set[Seat] = set()
        chance = stream(self.seed, "earlier")
        by_unit: dict[str, list[Seat]] = defaultdict(list)
        for seat in ministry.seats:
            if seat.holder is not None and seat.kind == "staff" and not seat.holder.account:
                by_unit[seat.place.code].append(seat)
        for member in ministry.members:
            if member.account or not member.seats or chance.random() > 0.1:
                continue
            others = [s for s in by_unit[member.seat.place.code][:20] if s.holder is not member and s not in used]
            if others:
                seat = chance.choice(others)
                used.add(seat)
                self.earlier(member, seat, chance.randint(500, 1500))
        # The post that ended was held beside her own by somebody who is still there.
        clerk, ends_on = next((seat, seat.ends_on) for seat in ministry.seats if seat.ends_on is not None)
        keeper = next(member for member in self.plain_staff() if len(member.holdings) == 1)
        keeper.holdings.append(Holding(keeper, clerk, workday_from(ends_on - timedelta(days=100)), ends_on))

    def plain_staff(self) -> Iterator[Member]:
        for member in self.ministry.members:
            if member.seats and member.seat.kind == "staff" and member.body == "MPS" and not member.account:
                yield member

    def earlier(self, member: Member, seat: Seat, days: int) -> None:
        """She held `seat` until she took her own post, or until its holder of today came."""
        until = min(day for day in (member.seat.since, seat.since) if day is not None)
        starts_on = workday_from(until - timedelta(days=days))
        member.holdings.insert(0, Holding(member, seat, starts_on, until))
        if until > self.ministry.first_day:
            member.known_from = self.ministry.first_day

    def leaders(self) -> None:
        for member in self.ministry.members:
            if member.seats:
                above = member.seat.above
                while above is not None and (above.holder is None or above.holder is member):
                    above = above.above
                if above is not None:
                    member.leader = above.holder
                    member.led_from = max(day for day in (member.seat.since, above.since) if day is not None)


def _family(code: str) -> str:
    """The staffing plan of a unit: its own, a region's, or that of the unit it is a branch of."""
    if code.startswith("MPS-R"):
        return "MPS-R"
    while code and code not in STAFF:
        code = code.rpartition("-")[0]
    return code


def _numbered(topics: Sequence[Words], number: int) -> Words:
    english, spanish = topics[number % len(topics)]
    turn = number // len(topics)
    return (f"{english} {turn + 1}", f"{spanish} {turn + 1}") if turn else (english, spanish)


def _shares(total: int, weights: Sequence[int]) -> list[int]:
    """Split a whole number by weights: largest remainders first, ties in order."""
    if total <= 0:
        return [0] * len(weights)
    exact = [total * weight / sum(weights) for weight in weights]
    shares = [int(value) for value in exact]
    order = sorted(range(len(weights)), key=lambda i: (shares[i] - exact[i], i))
    for index in order[: total - sum(shares)]:
        shares[index] += 1
    return shares


def _new_name(
    chance: Random, pools: Sequence[tuple[list[str], list[str], str]], taken: set[str], reserved: set[str]
) -> tuple[str, str]:
    """A name and the address made from it; who shares both with somebody gets a number in the address."""
    firsts, lasts, joint = chance.choice(pools)
    first, last = chance.choice(firsts), chance.choice(lasts)
    name = f"{first} {last}"
    if chance.random() < (0.06 if joint == "-" else 0.4) or _address(name) in taken or name in reserved:
        second = chance.choice([other for other in lasts if other != last])
        name = f"{name}{joint}{second}"
    email, number = _address(name), 1
    while email in taken:
        number += 1
        email = _address(name, str(number))
    return name, email


def _address(name: str, number: str = "") -> str:
    plain = unicodedata.normalize("NFKD", name.lower()).encode("ascii", "ignore").decode()
    first, *rest = "".join(c for c in plain if c.isalpha() or c in " -").split()
    return f"{first}.{'-'.join(rest)}{number}@{DEMO_DOMAIN}"


# --- Writing ---------------------------------------------------------------------------------------------------------
def write_ministry(ministry: Ministry) -> None:
    """Store what was drawn; in a transaction of the caller's. No signals, no jobs: the floors above seed their own."""
    _write_units(ministry)
    _write_people(ministry)
    _write_posts(ministry)
    holdings = sorted((h for member in ministry.members for h in member.holdings), key=lambda h: h.starts_on)
    Appointment.objects.bulk_create(
        (
            Appointment(person=h.member.user, post=h.seat.post, starts_on=h.starts_on, ends_on=h.ends_on)
            for h in holdings
        ),
        batch_size=BATCH,
    )  # fmt: skip
    roots = {place.code: place.unit for place in ministry.places if place.above is None}
    HrMandate.objects.bulk_create(
        HrMandate(officer=officer.user, unit=roots[body], granted_at=moment(ministry.first_day, 9 * 60))
        for body, officer in ministry.officers.items()
    )


def _write_units(ministry: Ministry) -> None:
    for place in ministry.places:
        above = place.above.unit if place.above else None
        fields = {
            "name": i18n(place.name),
            "code": place.code,
            "kind": UnitKind.UNIT if above else UnitKind.BODY,
        }
        place.unit = above.add_child(**fields) if above else Unit.add_root(**fields)


def _write_people(ministry: Ministry) -> None:
    secret = make_password(DEMO_PASSWORD)
    for member in ministry.members:
        user = member.user
        user.password = secret if member.account else make_password(None)
        user.is_staff = user.is_superuser = member.account == "admin"
        user.is_active = member.left_on is None
        user.date_joined = moment(member.known_from, 8 * 60)
    User.objects.bulk_create((member.user for member in ministry.members), batch_size=BATCH)
    # The accounts have nobody to open a mail for them: their addresses count as confirmed.
    EmailAddress.objects.bulk_create(
        EmailAddress(user=member.user, email=member.user.email, verified=True, primary=True)
        for member in ministry.members
        if member.account
    )


def _write_posts(ministry: Ministry) -> None:
    began: dict[Seat, date] = {}
    for member in ministry.members:
        for holding in member.holdings:
            began[holding.seat] = min(holding.starts_on, began.get(holding.seat, holding.starts_on))
    old = date(ministry.as_of.year - 6, 1, 1)
    for layer in _layers(ministry.seats):
        for seat in layer:
            seat.post = Post(
                unit=seat.place.unit,
                code=seat.code,
                title=i18n(seat.title),
                reports_to=seat.above.post if seat.above else None,
                starts_on=seat.starts_on or min(old, began.get(seat, old)),
                ends_on=seat.ends_on,
            )
        Post.objects.bulk_create((seat.post for seat in layer), batch_size=BATCH)


def _layers(seats: Sequence[Seat]) -> Iterator[list[Seat]]:
    """Posts after those they report to."""
    below: dict[Seat | None, list[Seat]] = defaultdict(list)
    for seat in seats:
        below[seat.above].append(seat)
    layer = below[None]
    while layer:
        yield layer
        layer = [seat for above in layer for seat in below[above]]


def i18n(words: Words) -> LazyI18nString:
    return LazyI18nString({"en": words[0], "es": words[1]})
