"""`make bench`: figures of the hot paths, as a table with machine facts, so that later work can compare.

Every figure is the median of several runs; times are CPU seconds of this process (user + system), because machines are noisy.
It works on a database of its own in a temporary folder (or, with DATABASE_URL, in a database it creates and drops).
`make bench ARGS="levels planning"` measures some groups only: those of GROUPS, at the end of this file.
"""

from __future__ import annotations

import os
import platform
import re
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from functools import cache, partial
from pathlib import Path
from typing import Any

PEOPLE = int(os.environ.get("BENCH_PEOPLE", "10000"))
# People whose levels are computed, each in twelve competencies.
LEVELS = int(os.environ.get("BENCH_LEVELS", "100000"))
# A cohort of so many (BENCH_DOCUMENTS=0: without documents and files), and how many certificates there are at all.
CERTIFICATES = int(os.environ.get("BENCH_CERTIFICATES", "20000"))
MILLION = int(os.environ.get("BENCH_MILLION", "1000000"))
SHARED = Path(os.environ.get("SHARED_DATA", Path(__file__).resolve().parent.parent.parent / "shared" / "data"))


def cpu() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def measure(act: Callable[[], object], runs: int = 5, warm: int = 1) -> tuple[float, float]:
    """Median CPU and wall seconds of `runs` runs after `warm` ones that are not counted."""
    for _ in range(warm):
        act()
    cpus, walls = [], []
    for _ in range(runs):
        start_cpu, start = cpu(), time.perf_counter()
        act()
        cpus.append(cpu() - start_cpu)
        walls.append(time.perf_counter() - start)
    return statistics.median(cpus), statistics.median(walls)


def yardstick() -> None:
    """The line the figures of other platforms were scaled by: ten million additions in a function."""
    s = 0
    for i in range(10_000_000):
        s += i * i


class Table:
    def __init__(self) -> None:
        self.rows: list[tuple[str, str, str, str]] = []

    def add(self, what: str, size: str, figure: str, other: str = "") -> None:
        self.rows.append((what, size, figure, other))
        print(f"  {what:<34} {size:<28} {figure:<28} {other}", file=sys.stderr, flush=True)

    def text(self) -> str:
        lines = ["| work | size | figure | queries, other |", "|---|---|---|---|"]
        return "\n".join([*lines, *(f"| {' | '.join(row)} |" for row in self.rows)])


def own_database(folder: str) -> Callable[[], None]:
    os.environ["VAR_DIR"] = folder
    url = os.environ.get("DATABASE_URL", "")
    if not url.startswith("postgres"):
        os.environ["DATABASE_URL"] = f"sqlite:///{folder}/bench.sqlite3"
        return lambda: None
    import psycopg

    name = f"bench_{os.getpid()}"
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
    os.environ["DATABASE_URL"] = url.rsplit("/", 1)[0] + f"/{name}"

    def drop() -> None:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')

    return drop


def main(names: Sequence[str]) -> None:
    groups = groups_named(names)
    with tempfile.TemporaryDirectory(prefix="dtp-bench-") as folder:
        drop = own_database(folder)
        try:
            run(groups)
        finally:
            from django.db import connections

            connections.close_all()
            drop()


def groups_named(names: Sequence[str]) -> list[Callable[[Table], None]]:
    """The groups to measure, all where none is named, each once and in the order of GROUPS."""
    if unknown := [name for name in names if name not in GROUPS]:
        raise SystemExit(f"Nothing is measured under “{unknown[0]}”. Choose from: {', '.join(GROUPS)}.")
    return [act for name, act in GROUPS.items() if not names or name in names]


def run(groups: Sequence[Callable[[Table], None]]) -> None:
    os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings.local"
    os.environ["CELERY_BROKER_URL"] = "memory://"
    os.environ["ALLOWED_HOSTS"] = "testserver"
    import django

    django.setup()
    from django.core.management import call_command
    from django.db import connection

    from config.celery import app

    app.conf.task_always_eager = True
    table = Table()
    call_command("migrate", verbosity=0)
    table.add("yardstick", "10 million additions", f"{measure(yardstick)[0]:.2f} CPU s")
    for act in groups:
        act(table)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    database = "SQLite" if connection.vendor == "sqlite" else "PostgreSQL"
    print(
        f"\n{database}, Python {platform.python_version()}, {os.cpu_count()} cores, {platform.machine()}, peak memory {peak:.0f} MB\n"
    )
    print(table.text())


@cache
def make_ministry(table: Table) -> None:
    """The demo ministry, made for the first group that asks for it."""
    from django.core.management import call_command
    from django.db import connection

    call_command("load_starter_framework", verbosity=0)
    seconds, wall = measure(lambda: call_command("load_courses", verbosity=0), runs=1, warm=0)
    table.add("load the starter courses", "26 pages, 156 lessons", f"{seconds:.1f} CPU s, {wall:.1f} s")
    seconds, wall = measure(lambda: call_command("seed_demo", people=PEOPLE, verbosity=0), runs=1, warm=0)
    table.add("make a demo ministry", f"{PEOPLE:,} people", f"{seconds:.1f} CPU s, {wall:.1f} s")
    # What a database that runs does by itself within a minute of so many rows (autovacuum): until it knows how many there
    # are, it looks for the evidence of a batch of people by reading all of it.
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def bench_import(table: Table) -> None:
    from django.db import connection, transaction
    from django.test.utils import CaptureQueriesContext

    from competencies.importers import read
    from competencies.loading import load_framework

    for name, folder in (
        ("NICE 2.1.0", "nice-2.1.0"),
        ("UK Digital and Data", "ddat-2025-09"),
        ("ESCO 1.2.0, 12 occupations", "esco-1.2.0-subset"),
        ("O*NET 29.2, 16 occupations", "onet-29.2-subset"),
        ("DigComp 3.0, both formats", "digcomp-3.0"),
    ):
        path = SHARED / folder
        if not path.exists():
            table.add(f"import {name}", "-", "the real file is not here", "set SHARED_DATA")
            continue

        def load(path: Path = path) -> int:
            with CaptureQueriesContext(connection) as queries, transaction.atomic():
                load_framework(content=read(path, None))
                transaction.set_rollback(True)
            return len(queries)

        seconds, wall = measure(load, runs=3)
        table.add(f"import {name}", "read, check, store", f"{seconds:.2f} CPU s, {wall:.2f} s", f"{load()} queries")


def bench_pages(table: Table) -> None:
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    from courses.models import LessonPage
    from organisations.demo import DEMO_ACCOUNTS
    from organisations.models import User

    make_ministry(table)
    people = {account.split("@")[0]: User.objects.get(email=account) for account in DEMO_ACCOUNTS}
    teams = User.objects.raw(
        "SELECT a.person_id AS id, COUNT(*) AS size FROM organisations_appointment a "
        "JOIN organisations_post p ON p.reports_to_id = a.post_id WHERE a.ends_on IS NULL GROUP BY a.person_id ORDER BY size DESC LIMIT 1"
    )
    largest = next(iter(teams))
    lesson = LessonPage.objects.live().filter(is_check=True).first()
    pages = [
        ("home", None, "/"), ("catalogue", None, "/courses/"), ("course page", people["ciso"], "/courses/governing-cyber-risk/"),
        ("learner’s desk", people["ciso"], "/learn/"), ("learning path", people["ciso"], "/learn/path/"),
        ("lesson", people["learner"], None), ("manager’s desk", User.objects.get(pk=largest.pk), "/team/"),
        ("HR desk", people["hr"], "/hr/"), ("roster, 50 a page", people["hr"], "/hr/people/"), ("role card", None, "/roles/3/"),
        ("verification, unknown code", None, "/verify/ABCDEFGHJK/"),
    ]  # fmt: skip
    for name, person, url in pages:
        client = Client()
        if person is not None:
            client.force_login(person)
        if url is None:
            enrolment = (
                person.enrolments.filter(completed_at__isnull=True).select_related("course").first() if person else None
            )
            url = enrolment.course.get_first_child().url if enrolment else lesson.url
        with CaptureQueriesContext(connection) as queries:
            client.get(url)
        with CaptureQueriesContext(connection) as queries:
            response = client.get(url)
        asked = len(queries)
        if response.status_code != (404 if "verification" in name else 200):
            raise SystemExit(f"{url} answered {response.status_code}; a figure of it would mean nothing.")
        seconds, _wall = measure(partial(client.get, url), runs=15, warm=2)
        size = f"{len(response.content) // 1024} kB" + (f", {largest.size} people" if name == "manager’s desk" else "")
        table.add(f"page: {name}", size, f"{seconds * 1000:.1f} CPU ms", f"{asked} queries")


def bench_frameworks(table: Table) -> None:
    """Pages over big frameworks, what publishing an edition costs to measure, and what is written out."""
    from dataclasses import replace

    from django.core.cache import cache
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext
    from django.utils import timezone

    from competencies import lifecycle
    from competencies.case_packages import package_of
    from competencies.exporters import tables
    from competencies.importers import read
    from competencies.loading import content_of, load_framework
    from competencies.models import FrameworkVersion
    from learning.framework_impact import measure_impact
    from organisations.models import User

    make_ministry(table)
    nice = None
    for folder in ("nice-2.1.0", "ddat-2025-09", "esco-1.2.0-subset"):
        if (SHARED / folder).exists():
            version = load_framework(content=read(SHARED / folder)).version
            nice = nice or version
    if nice is not None:
        client = Client()
        first = nice.roles.order_by("position")[0].profiles.get().pk
        for name, url in (
            ("frameworks", "/frameworks/"), ("framework with 2,148 statements", "/frameworks/nice/"),
            ("search in all frameworks", "/frameworks/search/?q=risk+management"),
            ("competency", f"/competencies/{nice.competencies.order_by('position')[0].pk}/"),
            ("compare two roles", f"/roles/compare/?a={first}&b={first + 1}"),
            ("role card as PDF, first drawing", f"/roles/{first}/card.pdf"),
        ):  # fmt: skip
            with CaptureQueriesContext(connection) as queries:
                response = client.get(url)
            asked = len(queries)
            if response.status_code != 200:
                raise SystemExit(f"{url} answered {response.status_code}; a figure of it would mean nothing.")
            seconds, _wall = measure(partial(client.get, url), runs=9, warm=1)
            size = f"{len(response.getvalue()) // 1024} kB"
            table.add(f"page: {name}", size, f"{seconds * 1000:.1f} CPU ms", f"{asked} queries")

        def case_package() -> object:
            cache.clear()
            return package_of(nice)

        for name, write in (
            ("CASE 1.1 package", case_package),
            ("workbook", lambda: tables.workbook(content_of(nice), nice.edition, "en")),
        ):
            seconds, _wall = measure(write, runs=3)
            table.add(f"write NICE as {name}", "2,148 statements, 5,334 requirements", f"{seconds:.2f} CPU s")
    ours = FrameworkVersion.objects.get(framework__slug="public-digital-talent")
    steward = User.objects.get(email="hr@demo.example")
    content = content_of(ours)
    draft = load_framework(content=replace(content, edition="next", competencies=content.competencies[:-1], roles=tuple(
        replace(role, profiles=tuple(replace(profile, requirements=tuple(
            r for r in profile.requirements if r.competency != content.competencies[-1].code)) for profile in role.profiles))
        for role in content.roles))).version  # fmt: skip
    draft = lifecycle.propose_crosswalk(version=draft)
    lifecycle.confirm_certain(version=draft, by=steward)
    seconds, wall = measure(
        lambda: measure_impact(draft, day=timezone.localdate(), progress=lambda done, total: None), runs=1, warm=0
    )
    people = measure_impact(draft, day=timezone.localdate(), progress=lambda done, total: None)["people"]
    table.add(
        "measure what publishing does",
        f"{people:,} people",
        f"{seconds:.1f} CPU s, {wall:.1f} s",
        f"{seconds / max(people, 1) * 1000:.2f} CPU ms a person",
    )


def bench_planning(table: Table) -> None:
    from django.utils import timezone

    from courses.selectors import offered_courses
    from learning import planning
    from learning.enums import PlanReason
    from learning.inputs import Shelf, read_inputs, solve
    from learning.services import replan_many
    from organisations.models import User

    make_ministry(table)
    ids = list(User.objects.filter(is_active=True).order_by("pk").values_list("pk", flat=True)[:2000])
    offered = offered_courses()
    shelf = Shelf(offered)
    inputs = read_inputs(ids[:200], day=timezone.localdate())

    def solve_all() -> None:
        planning._chosen.cache_clear()
        for pk in ids[:200]:
            solve(inputs[pk], shelf)

    seconds, _wall = measure(solve_all, runs=3)
    table.add(
        "plan a path",
        "200 people, nothing loaded twice",
        f"{seconds / 200 * 1000:.2f} CPU ms a person",
        "shared solutions counted",
    )
    seconds, _wall = measure(lambda: replan_many(person_ids=ids, reason=PlanReason.SWEEP), runs=3)
    table.add("bring paths up to date", f"{len(ids):,} people", f"{seconds / len(ids) * 1000:.2f} CPU ms a person")


def bench_role(table: Table) -> None:
    """A role for a nation's people changes: everybody's path is planned anew, as one job does it.

    Everybody has other evidence, so few share more than the solving. BENCH_LEVELS says how many people.
    """
    from competencies.models import Requirement
    from courses.models import CataloguePage, CourseOutcome, CoursePage
    from learning.enums import PlanReason
    from learning.services import replan_many

    profile, ids = make_nation(LEVELS)
    version = profile.role.version
    levels = {level.rank: level for level in version.levels.all()}
    competencies = list(version.competencies.order_by("pk"))
    if not CataloguePage.objects.exists():
        return
    for n in range(40):
        page = CoursePage(
            title=f"Course {n}", slug=f"nation-{n}", key=f"nation-{n}", language="en", summary="A course.",
            effort_minutes=60 + 17 * n % 240,
        )  # fmt: skip
        page.outcomes = [
            CourseOutcome(competency=competencies[(n * 5 + k * 7) % 12], level=levels[2 + (n + k) % 3], sort_order=k)
            for k in range(1 + n % 3)
        ]
        CataloguePage.objects.get().add_child(instance=page)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    start_cpu, start = cpu(), time.perf_counter()
    replan_many(person_ids=ids, reason=PlanReason.ROLE)
    first, wall = cpu() - start_cpu, time.perf_counter() - start
    table.add(
        "plan the paths of a role, 40 courses",
        f"{len(ids):,} people",
        f"{first:.0f} CPU s, {wall:.0f} s",
        f"{first / len(ids) * 1000:.2f} CPU ms a person; memory {before:.0f} MB before",
    )
    # The role asks for more: published frameworks do not change, so this goes past the guard as a new edition would.
    Requirement.objects.filter(profile=profile, competency__in=competencies[:6]).update(level=levels[4])
    start_cpu, start = cpu(), time.perf_counter()
    written = replan_many(person_ids=ids, reason=PlanReason.ROLE)
    again, wall = cpu() - start_cpu, time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    table.add(
        "plan them anew when the role changes",
        f"{len(ids):,} people",
        f"{again:.0f} CPU s, {wall:.0f} s",
        f"{again / len(ids) * 1000:.2f} CPU ms a person; {written:,} new plans; peak {peak:.0f} MB",
    )


def bench_batches(table: Table) -> None:
    """The dry run of an assignment to everybody, doing it, and taking it back."""
    from uuid import uuid4

    from competencies.models import RoleProfile
    from learning.asking import Ask, Whom
    from learning.batches import apply_batch, start_batch, undo_batch
    from learning.enums import AssignmentKind
    from learning.models import AssignmentBatch
    from organisations.models import Unit, User

    make_ministry(table)
    officer = User.objects.get(email="hr@demo.example")
    units = tuple(Unit.objects.filter(depth=1).values_list("pk", flat=True))
    profile = RoleProfile.objects.get(role__code="change-lead")
    ask = Ask(AssignmentKind.ROLE, Whom(unit_ids=units), profile_id=profile.pk)
    batch = AssignmentBatch()

    def start() -> None:
        nonlocal batch
        batch = start_batch(officer=officer, ask=ask, token=str(uuid4()), here=True)

    acts: tuple[tuple[str, Callable[[], object]], ...] = (
        ("dry run of an assignment", start),
        ("apply it, plans and all", lambda: apply_batch(batch=batch, by=officer)),
        ("take it back", lambda: undo_batch(batch=batch, by=officer)),
    )
    for name, act in acts:
        seconds, wall = measure(act, runs=1, warm=0)
        table.add(
            name,
            f"{batch.counts['rows']:,} people",
            f"{seconds:.1f} CPU s, {wall:.1f} s",
            f"{seconds / max(batch.counts['rows'], 1) * 1000:.2f} CPU ms a person",
        )


def bench_readiness(table: Table) -> None:
    """A survey of 12,000 units: closing 20,000 sheets of 36 statements, one result, the map, the results of all units."""
    from datetime import timedelta
    from random import Random

    from django.db import connection
    from django.test.utils import CaptureQueriesContext
    from django.utils import timezone

    from organisations.models import Unit, User
    from readiness import keys
    from readiness.ballot import Ballot, seal_ballot
    from readiness.closing import close_wave
    from readiness.enums import InitiativeStatus, InstrumentStatus, WaveState
    from readiness.models import Envelope, Initiative, Instrument, Participation, Wave, WaveEligible, WaveNode
    from readiness.results import map_of, results_for
    from readiness.sealing import Node, plant

    units, sheets, asked = 12_000, 20_000, 450_000
    chance = Random(1)  # noqa: S311
    unit = Unit.add_root(name={"en": "Nation"}, code="bench-readiness")
    now = timezone.now()
    initiative = Initiative.objects.create(
        slug="bench", title={"en": "Bench"}, short_name={"en": "Bench"}, unit=unit, status=InitiativeStatus.PUBLISHED,
        summary={"en": "x"}, why={"en": "x"}, starts_on=timezone.localdate(),
    )  # fmt: skip
    instrument = Instrument.objects.create(slug="bench", title={"en": "x"}, licence="CC0-1.0")
    Instrument.objects.filter(pk=instrument.pk).update(status=InstrumentStatus.READY)
    blocks: list[dict[str, Any]] = [
        {
            "code": f"b{b}", "kind": "readiness", "title": {"en": f"Block {b}"}, "about": {},
            "items": [{"code": f"b{b}i{i}", "text": {"en": "x"}, "pulse": i == 0} for i in range(3)],
        }
        for b in range(12)
    ]  # fmt: skip
    asking = {"instrument": {"minutes": 6}, "languages": ["en"], "scale": [], "blocks": blocks, "questions": []}
    name = "benchmark-of-readiness"
    wave = Wave.objects.create(
        initiative=initiative, instrument=instrument, kind="baseline", unit=unit, opens_at=now - timedelta(days=15),
        closes_at=now - timedelta(days=1), state=WaveState.OPEN, key_name=name, public_key=keys.create_key(name),
        questionnaire=asking, made_by=User.objects.create_user("bench@example.org", "x", name="Bench"),
    )  # fmt: skip
    codes: list[str] = [f"n{n}" for n in range(units)]
    tree = plant(Node(code, None if n == 0 else f"n{(n - 1) // 8}") for n, code in enumerate(codes))
    heads = dict.fromkeys(codes, asked // units)
    below = dict(heads)
    for code in reversed(tree.codes):
        above = tree.parent[code]
        if above is not None:
            below[above] += below[code]
    WaveNode.objects.bulk_create(
        (
            WaveNode(
                wave=wave, code=code, parent_code=tree.parent[code] or "", name={"en": code}, depth=tree.depth[code],
                position=tree.position[code], last=tree.last[code], eligible=below[code],
            )
            for code in tree.codes
        ),
        batch_size=2000,
    )  # fmt: skip
    WaveEligible.objects.bulk_create(
        (WaveEligible(wave=wave, node_code=code, n=n) for code, n in heads.items()), batch_size=2000
    )
    people = User.objects.bulk_create(
        (User(email=f"bench{n}@example.org", name="x") for n in range(sheets)), batch_size=2000
    )
    # Answers come from a twentieth of the units, as in a service that was asked first.
    places = [chance.choice(codes[: units // 10]) for _ in range(sheets)]
    Participation.objects.bulk_create(
        (Participation(wave=wave, person=p, node_code=at, done=True) for p, at in zip(people, places, strict=True)),
        batch_size=2000,
    )
    items = [item["code"] for block in blocks for item in block["items"]]
    public = bytes(wave.public_key)
    start = cpu()
    for first in range(0, sheets, 1000):
        Envelope.objects.bulk_create(
            Envelope(
                wave=wave,
                blob=seal_ballot(Ballot(at, "", {code: chance.randint(1, 5) for code in items}, {}), public),
            )
            for at in places[first : first + 1000]
        )
    table.add("ballots cast in bulk", f"{sheets:,}", f"{cpu() - start:.1f} CPU s")
    start, begun = cpu(), time.perf_counter()
    wave = close_wave(wave=wave, at=now)
    table.add(
        "closing a survey", f"{sheets:,} sheets x {len(items)}", f"{time.perf_counter() - begun:.1f} s",
        f"{cpu() - start:.1f} CPU s; {wave.classes.count():,} groups",
    )  # fmt: skip
    wave = Wave.objects.select_related("initiative", "previous").get(pk=wave.pk)
    nodes = list(wave.nodes.order_by("position"))
    with CaptureQueriesContext(connection) as captured:
        results_for(wave, nodes[0])
    seconds, _wall = measure(lambda: results_for(wave, nodes[0]))
    table.add("one result", f"{units:,} units", f"{seconds * 1000:.1f} CPU ms", f"{len(captured)} queries")
    seconds, wall = measure(lambda: map_of(wave, nodes), runs=3)
    table.add("the map", f"{units:,} units", f"{wall:.2f} s", f"{seconds:.2f} CPU s")
    start, begun = cpu(), time.perf_counter()
    for node in nodes:
        results_for(wave, node)
    table.add(
        "results of all units", f"{units:,} units, {asked:,} asked", f"{time.perf_counter() - begun:.0f} s",
        f"{cpu() - start:.0f} CPU s",
    )  # fmt: skip


# CPU ms and queries a unit of the platform most governments use, tuned, and its yardstick (docs/benchmarks.md).
PEER_YARDSTICK = 0.81
PEERS = {
    "enrol in a course": (3.6, 8.0),
    "assignment row": (1.0, 3.9),
    "plan page": (61.0, 80.0),
    "store a survey response": (15.4, 68.0),
    "survey analysis page": (176.0, 98.0),
}


def bench_peers(table: Table) -> None:
    """What the usual platform does too, beside its figures: processor time of program and database together."""
    from django.db import connection, transaction
    from django.test import Client
    from django.test.utils import CaptureQueriesContext
    from django.utils import timezone

    from competencies.models import RoleProfile
    from courses.models import CoursePage
    from courses.services import enrol
    from learning.services import assign_batch
    from organisations.models import User
    from readiness.casting import cast
    from readiness.models import Participation, Wave
    from readiness.questionnaire import item_codes

    make_ministry(table)
    scale = measure(yardstick)[0] / PEER_YARDSTICK

    def database_cpu() -> float:
        """Of the one process that serves this connection; 0 where the database is a file."""
        if connection.vendor != "postgresql":
            return 0.0
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            pid = cursor.fetchone()[0]
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def compare(name: str, act: Callable[[Any], object], timed: Any, counted: Any, units: Callable[[Any], int]) -> None:
        """`act` on what is timed, then on what only the queries are counted of: to write them down costs time too."""
        start, start_database = cpu(), database_cpu()
        act(timed)
        seconds = cpu() - start + database_cpu() - start_database
        with CaptureQueriesContext(connection) as queries:
            act(counted)
        each, asked = seconds * 1000 / units(timed), len(queries) / units(counted)
        theirs, their_queries = PEERS[name]
        table.add(
            name, f"{units(timed):,}", f"{each:.2f} CPU ms, {asked:.1f} queries",
            f"theirs here: {theirs * scale:.2f} ms, {their_queries:.0f}: {theirs * scale / each:.1f} times as much",
        )  # fmt: skip

    def page(url: str) -> None:
        client.get(url)
        compare(name, lambda times: [client.get(url) for _time in range(times)], 20, 1, int)

    def floor(name: str, act: Callable[[int], object], times: int) -> None:
        """What no program of this kind can be below: the least that has to be done, and nothing of ours."""
        start, start_database = cpu(), database_cpu()
        act(times)
        each = (cpu() - start + database_cpu() - start_database) * 1000 / times
        table.add(f"floor: {name}", f"{times:,}", f"{each:.2f} CPU ms", "")

    def bare_rows(times: int) -> None:
        """Two rows and a commit, the statement written by hand: no model, no look whether it is there, no log."""
        with connection.cursor() as cursor:
            for number in range(times):
                with transaction.atomic():
                    cursor.execute("INSERT INTO bench_floor (person, course) VALUES (%s, %s)", [number, 1])
                    cursor.execute("INSERT INTO bench_floor (person, course) VALUES (%s, %s)", [number, 2])

    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE bench_floor (person bigint, course bigint, UNIQUE (person, course))")
    floor("two rows and a commit", bare_rows, 2000)
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE bench_floor")
    nobody = User.objects.filter(is_superuser=False, appointments__isnull=True).order_by("pk").first()
    frame = Client()
    frame.force_login(nobody or User.objects.order_by("pk")[0])
    frame.get("/account/details/")
    floor("a signed-in page with one form", lambda times: [frame.get("/account/details/") for _ in range(times)], 50)

    people = list(User.objects.active().filter(is_superuser=False).order_by("pk"))
    course = CoursePage.objects.offered().filter(key="cloud-for-decision-makers", language="en").get()
    new = [person for person in people if not person.enrolments.filter(course__key=course.key).exists()][:500]
    compare(
        "enrol in a course", lambda them: [enrol(person=who, course=course) for who in them], new[50:], new[:50], len
    )
    profile = RoleProfile.objects.filter(role__code="data-steward").order_by("pk")[0]
    ids, officer = [person.pk for person in people], User.objects.get(email="hr@demo.example")

    def give(some: list[int]) -> None:
        for at in range(0, len(some), 200):
            assign_batch(
                person_ids=some[at : at + 200], profile=profile, due_on=None, by=officer, job=None, at=timezone.now()
            )

    with transaction.atomic():
        compare("assignment row", give, ids[200:], ids[:200], len)
        transaction.set_rollback(True)
    client = Client()
    client.force_login(User.objects.get(email="ciso@demo.example"))
    name = "plan page"
    page("/learn/path/")
    wave = Wave.objects.open().get()
    waiting = [row.person for row in Participation.objects.filter(wave=wave, done=False).select_related("person")[:500]]
    answers = dict.fromkeys(item_codes(wave.questionnaire), 4)
    at = wave.opens_at
    compare(
        "store a survey response",
        lambda them: [cast(person=who, wave=wave, answers=answers, comments={}, at=at) for who in them],
        waiting[20:],
        waiting[:20],
        len,
    )
    client.force_login(officer)
    closed = Wave.objects.with_results().order_by("closes_at")[0]
    name = "survey analysis page"
    page(f"/surveys/{closed.pk}/results/")


def bench_certificates(table: Table) -> None:
    """What a certificate costs on paper, in both designs: drawn, signed with P-256, judged, and a thousand in one file."""
    from dataclasses import replace
    from datetime import UTC, date, datetime
    from io import BytesIO

    from certificates.credentials.keys import FileKeyStore, Kind
    from certificates.models import Certificate
    from certificates.pdf import render_pdf
    from certificates.pdf.judging import SignatureState, judge_signatures
    from certificates.pdf.merging import merge_pdfs
    from certificates.pdf.signing import PaperSigner, sign_pdf
    from certificates.pdf.x509 import self_signed
    from certificates.record import claim_of

    make_ministry(table)
    claims = [claim_of(record) for record in Certificate.objects.order_by("pk").values_list("record", flat=True)[:200]]
    size = f"{len(claims)} certificates"
    with tempfile.TemporaryDirectory(prefix="dtp-keys-") as folder:
        store = FileKeyStore(Path(folder) / "keys")
        key = store.create(Kind.P256, on=date(2026, 1, 1))
        sign = partial(store.sign, key.key_id)
        own = self_signed(key.key, sign=sign, name="Seal", organisation="Bench", country="EU", on=date(2026, 1, 1))
        signer, at = PaperSigner((own,), sign), datetime(2026, 6, 1, tzinfo=UTC)
        for design in ("formal", "plain"):
            drawn = [replace(claim, look=replace(claim.look, design=design)) for claim in claims]

            def render(drawn: list[Any] = drawn) -> list[bytes]:
                return [render_pdf(claim) for claim in drawn]

            def render_signed(drawn: list[Any] = drawn) -> list[bytes]:
                return [sign_pdf(render_pdf(claim), signer=signer, at=at) for claim in drawn]

            for name, act in (("unsigned", render), ("signed", render_signed)):
                seconds, _wall = measure(act, runs=3)
                table.add(
                    f"certificate, {design}, {name}",
                    size,
                    f"{len(claims) / seconds:.0f} a second and core",
                    f"{len(act()[0]) // 1024} kB",
                )
        papers = render_signed()

        def judge() -> None:
            found = {judge_signatures(paper, trusted=[own]).state for paper in papers}
            assert found == {SignatureState.OURS}, found  # noqa: S101

        seconds, _wall = measure(judge, runs=3)
        table.add("signed paper judged", size, f"{seconds / len(claims) * 1000:.1f} CPU ms")
        thousand = [papers[n % len(papers)] for n in range(1000)]
        seconds, _wall = measure(lambda: merge_pdfs(thousand, BytesIO()), runs=1, warm=0)
        table.add("papers merged for the printer", "1,000", f"{seconds:.1f} CPU s")


def bench_credentials(table: Table) -> None:
    """What a certificate costs as a credential: signed, as a token, judged; and the list of who is revoked."""
    import json
    from datetime import UTC, date, datetime
    from random import Random

    from certificates.credentials import jwt, keys, proofs, status
    from certificates.credentials.badge import IssuerProfile, Words, achievement_credential
    from certificates.credentials.keys import FileKeyStore, Kind
    from certificates.credentials.verifying import State, verify
    from certificates.models import Certificate
    from certificates.record import claim_of

    make_ministry(table)
    claims = [claim_of(record) for record in Certificate.objects.order_by("pk").values_list("record", flat=True)[:500]]
    with tempfile.TemporaryDirectory(prefix="dtp-keys-") as folder:
        store = FileKeyStore(Path(folder) / "keys")
        key = store.create(Kind.ED25519, on=date(2026, 1, 1))
        did = keys.did_web("talent.gov.example")
        address, method, sign = f"{did}#list", keys.method_of(did, key.key), partial(store.sign, key.key_id)
        now = datetime.now(UTC)
        issuer, words = IssuerProfile(did=did), Words("A course.", "Pass the check.", "Level in %(competency)s")

        def sign_all() -> list[dict[str, Any]]:
            return [
                proofs.add_proof(
                    achievement_credential(
                        claim, issuer=issuer, words=words, zone=UTC, status=status.entry(address, place)
                    ),
                    sign=sign,
                    method=method,
                    created=now,
                )
                for place, claim in enumerate(claims)
            ]

        def publish(places: int) -> bytes:
            bits = status.bits_of(Random(1).sample(range(places), places // 50), size=places)  # noqa: S311
            listed = status.list_credential(address, bits, issuer=did, valid_from=now)
            return json.dumps(proofs.add_proof(listed, sign=sign, method=method, created=now)).encode()

        size = f"{len(claims)} certificates"
        seconds, _wall = measure(sign_all, runs=3)
        table.add("credential made and signed", size, f"{len(claims) / seconds:.0f} a second and core")
        signed = sign_all()
        seconds, _wall = measure(lambda: [jwt.sign_jwt(one, sign=sign, method=method, key=key.key) for one in signed])
        table.add("token of a credential", size, f"{len(claims) / seconds:.0f} a second and core")
        listed, known = publish(200_000), keys.known_methods(did, store.keys())
        files = [json.dumps(one).encode() for one in signed]

        def judge() -> None:
            found = {
                verify(file, at=now, key_of=known.get, status_list=lambda _address: listed).state for file in files
            }
            assert found <= {State.VALID, State.REVOKED, State.EXPIRED}, found  # noqa: S101

        seconds, _wall = measure(judge, runs=3)
        table.add("credential judged with its list", size, f"{seconds / len(claims) * 1000:.1f} CPU ms")
        seconds, _wall = measure(lambda: publish(1_000_000))
        table.add("status list made anew, signed", "1,000,000 places, 2% revoked", f"{seconds * 1000:.0f} CPU ms")


# --- Certificates in bulk ------------------------------------------------------------------------------------------------
def make_graduates(count: int) -> Any:
    """A course that leads to three competencies, completed by so many people; without news, five thousand at a time."""
    from datetime import timedelta

    from django.core.management import call_command
    from django.utils import timezone

    from competencies.importers.content import CompetencyContent, FrameworkContent, LevelContent
    from competencies.loading import load_framework
    from courses.models import CataloguePage, CourseOutcome, CoursePage, Enrolment
    from organisations.models import User

    call_command("issuer_keys", "create", verbosity=0)
    content = FrameworkContent(
        slug="graduates", title={"en": "Digital talent"}, edition="1", publisher="Bench", languages=("en",),
        levels=tuple(LevelContent(rank, {"en": f"Level {rank}"}) for rank in range(1, 6)),
        competencies=tuple(CompetencyContent(f"G{n}", {"en": f"Governing matter {n}"}) for n in range(3)),
    )  # fmt: skip
    version = load_framework(content=content).version
    page = CataloguePage.objects.get()
    course = page.add_child(
        instance=CoursePage(title="Governing cyber risk", slug="bulk", language="en", summary="-", effort_minutes=150)
    )
    for order, competency in enumerate(version.competencies.order_by("pk")):
        CourseOutcome.objects.create(
            course=course, sort_order=order, competency=competency, level=version.levels.get(rank=3)
        )
    course.save_revision().publish()
    at = timezone.now() - timedelta(days=3)
    for start in range(0, count, 5000):
        people = User.objects.bulk_create(
            User(email=f"g{n}@graduates.example", name=f"María del Carmen Ñandutí {n}", password="!")  # noqa: S106
            for n in range(start, min(start + 5000, count))
        )
        Enrolment.objects.bulk_create(
            Enrolment(course=course, person=person, completed_at=at, assessed=True, score_pct=90) for person in people
        )
    return course


def work(job_id: int) -> None:
    """What a worker does with a job, in a process of its own that may be killed; says what it took."""
    import json

    os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings.local"
    import django

    django.setup()
    from django.db import connection

    from certificates import cohort_making, services
    from organisations.jobs import run_job

    asked = {"all": 0, "issuing": 0}

    def count(execute: Any, *call: Any) -> Any:
        asked["all"] += 1
        return execute(*call)

    make_files = cohort_making._make_files

    def files(*call: Any) -> None:
        asked["issuing"], asked["cpu"] = asked["all"], cpu()  # type: ignore[assignment]
        make_files(*call)

    cohort_making._make_files = files  # type: ignore[assignment]
    if os.environ.get("BENCH_DOCUMENTS") == "0":
        services.render_documents = lambda certificates: 0
        cohort_making._make_files = lambda *call: files(None, None)
        make_files = lambda *call: None  # noqa: E731
    start = cpu()
    with connection.execute_wrapper(count):
        job = run_job(job_id)
    found = {
        "state": job.state if job else "",
        "error": job.error if job else "",
        "queries": asked["issuing"],
        "file_queries": asked["all"] - asked["issuing"],
        "issuing": asked.get("cpu", start) - start,
        "files": cpu() - asked.get("cpu", start),
        "peak": peak_memory(),
    }
    print(json.dumps(found), flush=True)


def peak_memory() -> float:
    """The most this process ever held, in MB. What getrusage says is inherited from who started it."""
    status = Path("/proc/self/status")
    if status.exists():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def bench_issuing(table: Table) -> None:
    """A cohort's certificates as one job: in two processes, the first of which is killed half way."""
    import json
    import signal
    import subprocess
    from unittest.mock import patch

    from django.db import connection
    from django.test.utils import CaptureQueriesContext
    from django.utils import timezone

    from certificates.cohorts import CohortAsk, How, look, start_cohort
    from certificates.models import Certificate, Cohort, Credential
    from organisations.models import Job, User
    from organisations.tasks import run_job_task

    count, drawn = CERTIFICATES, os.environ.get("BENCH_DOCUMENTS") != "0"
    course = make_graduates(count)
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")
    officer = User.objects.create_superuser("bulk@graduates.example", None, name="Officer")
    ask = CohortAsk(
        course.key, How.BETWEEN, timezone.localdate().replace(day=1, month=1, year=2020), timezone.localdate()
    )
    size = f"{count:,} people"
    with CaptureQueriesContext(connection) as queries:
        seconds, wall = measure(lambda: look(officer, ask), runs=1, warm=0)
    table.add("cohort: preview", size, f"{seconds:.2f} CPU s, {wall:.2f} s", f"{len(queries)} queries")
    with CaptureQueriesContext(connection) as queries, patch.object(run_job_task, "delay"):
        seconds, wall = measure(lambda: start_cohort(officer=officer, ask=ask, token="bench"), runs=1, warm=0)  # noqa: S106
    table.add("cohort: asking, people laid down", size, f"{seconds:.2f} CPU s, {wall:.2f} s", f"{len(queries)} queries")
    cohort = Cohort.objects.get()
    environment = os.environ | {"JOB_LEASE_SECONDS": "20"}
    command = [sys.executable, "-c", f"from config.bench import work; work({cohort.job_id})"]

    def issued() -> int:
        return cohort.parts.exclude(certificates=None).count()

    start, parts = time.perf_counter(), cohort.parts.count()
    killed = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE)  # noqa: S603
    while issued() < parts // 2 and killed.poll() is None:
        time.sleep(0.5)
    killed.send_signal(signal.SIGKILL)
    _pid, _status, usage = os.wait4(killed.pid, 0)
    at, there = issued(), Certificate.objects.count()
    table.add(
        "killed -9 half way",
        f"{at} of {parts} parts noted",
        f"{usage.ru_utime + usage.ru_stime:.0f} CPU s",
        f"{there:,} certificates written",
    )
    while not Job.objects.left_behind(timezone.now()).exists():
        time.sleep(1)
    second = subprocess.run(command, env=environment, stdout=subprocess.PIPE, check=True)  # noqa: S603
    said = json.loads(second.stdout.splitlines()[-1])
    rest, done = max(parts - at, 1), count - at * 500
    what = "records, credentials, documents" if drawn else "records and credentials"
    table.add(
        f"taken up again: {what}",
        f"{done:,} certificates",
        f"{said['issuing']:.0f} CPU s, {said['issuing'] / done * 1000:.1f} ms each",
        f"{said['queries'] / rest:.0f} queries a batch of 500",
    )
    if drawn:
        table.add("CSV, ZIPs, merged PDFs", size, f"{said['files']:.0f} CPU s", f"{said['file_queries']} queries")
        table.add(
            "size of the files",
            f"{cohort.files.count()} files",
            f"{sum(f.size_bytes for f in cohort.files.all()) / 1e6:.0f} MB",
        )
    table.add(
        "peak memory of the worker",
        size,
        f"{said['peak']:.0f} MB",
        f"{time.perf_counter() - start:.0f} s in all, {said['state']} {said['error']}".strip(),
    )
    serials = sorted(int(serial[5:]) for serial in Certificate.objects.values_list("serial", flat=True))
    whole = serials == list(range(1, count + 1)) and Certificate.objects.values("enrolment").distinct().count() == count
    signed, waiting = Credential.objects.count(), Certificate.objects.without_document().count()
    files = {kind: sum(f.count for f in cohort.files.filter(kind=kind)) for kind in ("zip", "pdf", "csv")}
    table.add(
        "no double, no gap",
        size,
        "yes" if whole and signed == count else "NO",
        f"{signed:,} credentials, {waiting} without document, in files {files}",
    )


def bench_million(table: Table) -> None:
    """A million certificates: checking one by its code, and the list of those that no longer count."""
    import random

    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext
    from django.utils import timezone

    from certificates.models import Certificate, Credential, StatusList
    from certificates.services import credit, issue_certificates
    from certificates.status_lists import revoked_places, sign_list
    from courses.models import Enrolment

    real, million = 2000, MILLION
    course = make_graduates(real)
    certificates = issue_certificates(enrolments=Enrolment.objects.filter(course=course), documents=False)
    credit(certificates)
    copies = million // real
    names = [str(field.column) for field in Certificate._meta.concrete_fields if not field.primary_key]
    changed = {
        "code": "substr('0000000000' || (n.n * 100000 + c.id), -10)",
        "serial": "'1999-' || (n.n * 100000 + c.id)",
        "digest": "substr(c.digest, 1, 50) || (n.n * 100000 + c.id)",
        "enrolment_id": "NULL",
    }
    if connection.vendor == "postgresql":
        changed["code"] = "right('0000000000' || (n.n * 100000 + c.id), 10)"
    columns = ", ".join(changed.get(name, f"c.{name}") for name in names)
    series = f"WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < {copies - 1})"  # noqa: S608
    at = timezone.now()
    found = StatusList.objects.create(seed="bench", size=million, used=million)
    key = Credential.objects.values_list("key", flat=True)[0]
    revoking = (
        "INSERT INTO certificates_revocation (certificate_id, reason, note, revoked_at)"
        " SELECT c.certificate_id, 'conduct', '-', %s FROM certificates_credential c"
        " LEFT JOIN certificates_revocation r ON r.certificate_id = c.certificate_id"
        " WHERE c.status_list_id = %s AND r.id IS NULL ORDER BY c.place LIMIT %s"
    )
    start = time.perf_counter()
    with connection.cursor() as cursor:
        cursor.execute(
            f"{series} INSERT INTO certificates_certificate ({', '.join(names)})"  # noqa: S608
            f" SELECT {columns} FROM n CROSS JOIN certificates_certificate c"
            if connection.vendor == "postgresql"
            else f"INSERT INTO certificates_certificate ({', '.join(names)})"  # noqa: S608
            f" {series} SELECT {columns} FROM n CROSS JOIN certificates_certificate c"
        )
        cursor.execute(
            "INSERT INTO certificates_credential (certificate_id, document, token, status_list_id, place, key_id, made_at)"
            " SELECT c.id, '{}', '-', %s, row_number() OVER (ORDER BY c.digest) - 1, %s, %s FROM certificates_certificate c"
            " WHERE c.enrolment_id IS NULL",
            [found.pk, key, at],
        )
        if connection.vendor == "postgresql":  # as autovacuum does; on SQLite nobody asks for it
            cursor.execute("ANALYZE")
    table.add(
        "copied by the database",
        f"{Certificate.objects.count():,} certificates",
        f"{time.perf_counter() - start:.0f} s",
    )

    codes = [certificate.code for certificate in certificates]
    random.Random(1).shuffle(codes)  # noqa: S311
    client, times = Client(), []
    for code in codes[:50]:
        client.get(f"/verify/{code}/")
    for code in codes[50:1050]:
        before = cpu()
        answer = client.get(f"/verify/{code}/")
        times.append(cpu() - before)
        assert answer.status_code == 200 and b"Governing cyber risk" in answer.content  # noqa: S101
    times.sort()
    with CaptureQueriesContext(connection) as queries:
        client.get(f"/verify/{codes[0]}/")
    plan = Certificate.objects.with_life().filter(code=codes[0]).explain()
    # By the unique index of codes, whatever is done with the few rows of what became of certificates.
    used = "by the index of codes" if re.search(r"(Index Scan using|USING INDEX) \S*(code|autoindex)", plan) else plan
    table.add(
        "page of a code",
        "a million certificates",
        f"p50 {times[500] * 1000:.1f}, p95 {times[950] * 1000:.1f} CPU ms",
        f"{len(queries)} queries, {used}",
    )

    for more in (20_000, 480_000):
        with connection.cursor() as cursor:
            cursor.execute(revoking, [at, found.pk, more * million // 1_000_000])
            if connection.vendor == "postgresql":
                cursor.execute("ANALYZE")
        places = len(revoked_places(found.pk))
        seconds, wall = measure(lambda: sign_list(found, at=timezone.now()), runs=3)
        with CaptureQueriesContext(connection) as queries:
            sign_list(found, at=timezone.now())
        table.add(
            "status list signed anew",
            f"{million:,} places, {places:,} revoked",
            f"{wall:.2f} s, {seconds:.2f} CPU s",
            f"{len(queries)} queries",
        )


def bench_levels(table: Table) -> None:
    """Levels of a nation's people, the heat map over them, and who is nearest to a role."""
    from django.utils import timezone

    from competencies.finding import nearest_to
    from competencies.heat_map import Scope, heat_map
    from competencies.levels import RULES
    from competencies.models import Evidence, FindableConsent
    from competencies.organisation import ground_of, lay_down_counts
    from competencies.selectors import InForce, needs_of, standing_of
    from competencies.vectors import attained_levels, likely_levels
    from organisations.models import User

    start_cpu, start = cpu(), time.perf_counter()
    profile, ids = make_nation(LEVELS)
    table.add(
        "make people with evidence",
        f"{LEVELS:,} people × 12",
        f"{cpu() - start_cpu:.1f} CPU s, {time.perf_counter() - start:.1f} s",
        f"{Evidence.objects.filter(person_id__gte=ids[0]).count():,} pieces",
    )
    day = timezone.localdate()
    size = f"{LEVELS:,} people × 12"
    seconds, wall = measure(lambda: lay_down_counts(day=day), runs=1, warm=0)
    table.add("count where all units stand", size, f"{seconds:.1f} CPU s, {wall:.1f} s", "read, judge, lay down")
    own = Evidence.objects.filter(person_id__gte=ids[0], person_id__lte=ids[-1])
    place = ground_of(needs_of([InForce(profile.pk, None)]).places.values()).order
    pieces = as_pieces(own, ids=ids, place=place)
    groups = LEVELS * 12
    for name, work in (
        ("attained levels, from arrays", lambda: attained_levels(pieces, groups=groups, as_of=day, rules=RULES)),
        ("likely levels, from arrays", lambda: likely_levels(pieces, groups=groups, as_of=day)),
    ):
        seconds, _wall = measure(work, runs=1, warm=0)
        table.add(name, size, f"{seconds:.1f} CPU s", f"{seconds / groups * 1e6:.1f} CPU µs a level")

    def one_person() -> None:
        alone = as_pieces(Evidence.objects.filter(person_id=ids[7]), ids=range(ids[7], ids[7] + 1), place=place)
        attained_levels(alone, groups=12, as_of=day, rules=RULES)
        likely_levels(alone, groups=12, as_of=day)

    seconds, _wall = measure(one_person, runs=15)
    table.add("levels of one person, read and judged", "12 competencies", f"{seconds * 1000:.1f} CPU ms")
    person = User.objects.get(pk=ids[7])
    seconds, _wall = measure(lambda: standing_of(person), runs=15)
    table.add("standing of one person, explained", "12 competencies", f"{seconds * 1000:.1f} CPU ms")
    for name, scope in (
        ("heat map, in full", Scope(everything=True)),
        ("heat map, groups of five or more", Scope(organisation=True)),
    ):
        seconds, _wall = measure(partial(heat_map, scope), runs=5)
        table.add(name, f"{LEVELS:,} people", f"{seconds * 1000:.0f} CPU ms")
    found = ids[: min(10_000, LEVELS)]
    FindableConsent.objects.bulk_create((FindableConsent(person_id=pk) for pk in found), batch_size=5000)
    people = User.objects.active().filter(findable__isnull=False)
    seconds, _wall = measure(lambda: nearest_to(profile, people, day=day).views(0, 25), runs=3)
    table.add("nearest to a role", f"{len(found):,} people who agreed", f"{seconds:.2f} CPU s")


def as_pieces(evidence: Any, *, ids: range, place: Mapping[int, int]) -> Any:
    """Evidence as the vectors take it, with what the estimate needs: values, errors and sources. A group is 12 places."""
    import numpy as np

    from competencies.vectors import KIND_NUMBER, NEVER, Pieces

    fields = ("person_id", "competency_id", "pk", "kind", "rank", "assessed", "passed", "occurred_on", "valid_until")
    stated = ("value", "se", "probabilities", "source")
    person, competency, pk, kind, rank, assessed, passed, occurred, until, value, se, chances, source = zip(
        *evidence.standing().order_by().values_list(*fields, *stated), strict=True
    )
    sources: dict[str, int] = {}
    spreads = [one for one in chances if one is not None]
    has_spread = np.array([one is not None for one in chances])
    where = np.array([place[one] for one in competency], dtype=np.int64)
    return Pieces(
        group=(np.array(person, dtype=np.int64) - ids[0]) * 12 + where,
        id=np.array(pk, dtype=np.int64),
        kind=np.array([KIND_NUMBER[one] for one in kind], dtype=np.int64),
        rank=np.array(rank, dtype=np.int64),
        assessed=np.array(assessed, dtype=bool),
        passed=np.array(passed, dtype=bool),
        occurred=np.array([one.toordinal() for one in occurred], dtype=np.int64),
        until=np.array([NEVER if one is None else one.toordinal() for one in until], dtype=np.int64),
        spread=np.where(has_spread, has_spread.cumsum() - 1, -1),
        spreads=spreads,
        value=np.array(value, dtype=np.float64),
        se=np.array(se, dtype=np.float64),
        source=np.array([sources.setdefault(str(one), len(sources)) for one in source], dtype=np.int64),
    )


def make_nation(people: int) -> tuple[Any, range]:
    """A hundred people a unit, fifty units a body; a role of twelve competencies; a piece of evidence for each, often two,
    from one of six sources a kind; a diagnostic with its estimate, its error and the probabilities of the levels.

    Written as rows: services would bring a hundred thousand paths up to date.
    """
    import json
    import random
    from datetime import date, timedelta
    from math import erfc, sqrt

    from django.db import connection, transaction
    from django.utils import timezone

    from competencies.importers.content import (
        CompetencyContent,
        FrameworkContent,
        LevelContent,
        ProfileContent,
        RequirementContent,
        RoleContent,
    )
    from competencies.levels import certain_rank
    from competencies.loading import load_framework
    from competencies.models import PostRole, RoleProfile
    from organisations.models import Appointment, Post, Unit, User

    codes = [f"N{n}" for n in range(12)]
    asked = tuple(RequirementContent(code, 3, 1 + n % 5) for n, code in enumerate(codes))
    content = FrameworkContent(
        slug="nation", title={"en": "Nation"}, edition="1", publisher="Bench", languages=("en",),
        levels=tuple(LevelContent(rank, {"en": f"Level {rank}"}) for rank in range(1, 6)),
        competencies=tuple(CompetencyContent(code, {"en": f"Competency {code}"}) for code in codes),
        roles=(RoleContent("officer", {"en": "Officer"}, profiles=(ProfileContent("officer", {"en": ""}, requirements=asked),)),),
    )  # fmt: skip
    version = load_framework(content=content).version
    profile = RoleProfile.objects.get(role__version=version)
    competencies = list(version.competencies.order_by("pk").values_list("pk", flat=True))
    random_, today = random.Random(1), timezone.localdate()  # noqa: S311
    days = [(today - timedelta(days=n)).isoformat() for n in range(1500)]
    root = Unit.add_root(name={"en": "Nation"}, code="nation")
    with transaction.atomic():
        units = []
        for number in range(-(-people // 100)):
            if number % 50 == 0:
                body = Unit.objects.get(pk=root.pk).add_child(name={"en": f"Body {number}"}, code=f"nb{number}")
            units.append(Unit.objects.get(pk=body.pk).add_child(name={"en": f"Unit {number}"}, code=f"nu{number}").pk)
        first = (User.objects.order_by("-pk").values_list("pk", flat=True).first() or 0) + 1
        ids = range(first, first + people)
        User.objects.bulk_create(
            (User(pk=pk, email=f"n{pk}@nation.example", name=f"Person {pk}") for pk in ids),
            batch_size=5000,
        )
        since = date(2020, 1, 1)
        posts = Post.objects.bulk_create(
            (
                Post(unit_id=units[n // 100], code=f"np{n}", title={"en": "Officer"}, starts_on=since)
                for n in range(people)
            ),
            batch_size=5000,
        )
        Appointment.objects.bulk_create(
            (Appointment(person_id=pk, post=post, starts_on=since) for pk, post in zip(ids, posts, strict=True)),
            batch_size=5000,
        )
        PostRole.objects.bulk_create((PostRole(post=post, profile=profile) for post in posts), batch_size=5000)
        kinds = [("course", 1), ("course", 0), ("manager", 1), ("diagnostic", 1), ("prior_learning", 1), ("self", 0)]
        moment = timezone.now()
        statement = (
            "INSERT INTO competencies_evidence (person_id, competency_id, kind, rank, passed, assessed, occurred_on, source,"
            " note, source_key, recorded_at, value, se, probabilities)"
            " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, '', %s, %s, %s, %s, %s)"
        )
        with connection.cursor() as cursor:
            for start in range(0, people, 2000):
                rows = []
                for pk in ids[start : start + 2000]:
                    for competency in competencies:
                        for piece in range(1 + (random_.random() < 0.25)):
                            kind, assessed = random_.choice(kinds)
                            rank, value, se, chances = random_.randint(1, 5), None, None, None
                            if kind == "diagnostic":
                                value, se = random_.gauss(2.0, 1.0), random_.uniform(0.38, 0.6)
                                told = [
                                    round(0.5 * erfc((level - 0.5 - value) / se / sqrt(2)), 6) for level in range(1, 6)
                                ]
                                rank, chances = certain_rank(told, 0.80), json.dumps(told)
                            rows.append(
                                (pk, competency, kind, rank, True, bool(assessed), random_.choice(days),
                                 f"{kind} {random_.randint(1, 6)}", f"n{pk}:{competency}:{piece}", moment,
                                 value, se, chances)
                            )  # fmt: skip
                cursor.executemany(statement, rows)
    return profile, ids


# What can be measured by itself. A group that needs the demo ministry calls make_ministry first.
GROUPS: dict[str, Callable[[Table], None]] = {
    "import": bench_import,
    "pages": bench_pages,
    "planning": bench_planning,
    "role": bench_role,
    "batches": bench_batches,
    "certificates": bench_certificates,
    "credentials": bench_credentials,
    "issuing": bench_issuing,
    "certificates-million": bench_million,
    "frameworks": bench_frameworks,
    "levels": bench_levels,
    "readiness": bench_readiness,
    "peers": bench_peers,
}

if __name__ == "__main__":
    main(sys.argv[1:])
