"""Broken copies of the files: refused whole with a place, or imported; never another exception, never a part."""

from __future__ import annotations

import io
import json
import random
from collections import Counter
from datetime import UTC, datetime
from uuid import UUID

import pytest
from django.core.management import CommandError, call_command
from django.db import transaction

from competencies import importers
from competencies.exporters import case as exporter
from competencies.importers import CannotImport
from competencies.management.commands.load_starter_framework import STARTER_FRAMEWORK

from .builders import (
    ALWAYS_REFUSED,
    ANY_BYTES,
    NICE_FILE,
    bytes_changed,
    csv_mutated,
    json_key_doubled,
    json_mutated,
    platform_document,
    truncated,
    write_ddat,
    write_tables,
)

SEEDS = range(12)


def by_name(mutations):
    return pytest.mark.parametrize("mutation", mutations, ids=lambda mutation: mutation.__name__)


def outcome(path):
    """The content, or None when the path is refused in a way that a person can act upon."""
    try:
        return importers.read(path)
    except CannotImport as error:
        assert error.count >= len(error.faults) > 0
        for fault in error.faults:
            assert fault.place
            assert len(fault.message) > 20
            assert fault.message.endswith(".")
            assert str(fault).isprintable()
        return None


def is_accounted_for(content, whole):
    """Whether all that refers to something refers to what is there, once, and hardly more is there than was."""
    codes = Counter(competency.code for competency in content.competencies)
    ranks = {level.rank for level in content.levels} | {None}
    asked = [
        (role.code, requirement.competency, requirement.level)
        for role in content.roles
        for profile in role.profiles
        for requirement in profile.requirements
    ]
    pairs = Counter((role, competency) for role, competency, _level in asked)
    return (
        max(codes.values()) == 1
        and max(pairs.values(), default=1) == 1
        and all(competency in codes and level in ranks for _role, competency, level in asked)
        and all(link.origin in codes and (link.target in codes or link.target_uri) for link in content.links)
        and len(asked) <= whole.counts["requirements"] + 2  # where a piece was doubled, at its seam
        and all(str(deviation).isprintable() for deviation in content.deviations)
    )


@pytest.fixture
def copy_of_nice(nice_folder, tmp_path):
    def write(mutation, seed):
        path = tmp_path / "nice.json"
        path.write_bytes(mutation((nice_folder / NICE_FILE).read_bytes(), random.Random(seed)))
        return path

    return write


@pytest.fixture
def copy_of_ddat(ddat_folder, tmp_path):
    def write(mutation, seed):
        tables = [(ddat_folder / name).read_bytes() for name in ("roles.csv", "skills.csv")]
        tables[seed % 2] = mutation(tables[seed % 2], random.Random(seed))
        return write_ddat(tmp_path / "ddat", *tables)

    return write


@pytest.fixture
def copy_of_platform(tmp_path):
    def write(mutation, seed):
        path = tmp_path / "framework.json"
        path.write_bytes(mutation(json.dumps(platform_document()).encode(), random.Random(seed)))
        return path

    return write


@pytest.fixture
def copy_of_case(case_folder, tmp_path):
    """A copy of a real package, or of what we wrote, whose extensions say the most."""
    ours = exporter.package(
        importers.read(STARTER_FRAMEWORK),
        identifier=UUID(int=1),
        base_url="https://example.org",
        changed_at=datetime(2026, 3, 1, tzinfo=UTC),
        edition="1",
        status="published",
    )
    wholes = {
        "math": (case_folder / "smarter-balanced-hs-math.json").read_bytes(),
        "webb": (case_folder / "webb-dok.json").read_bytes(),
        "ours": json.dumps(ours).encode(),
    }

    def write(name, mutation, seed):
        path = tmp_path / "package.json"
        path.write_bytes(mutation(wholes[name], random.Random(seed)))
        return path

    return write


@pytest.fixture
def copy_of_tables(tmp_path):
    """A copy of the folder, the seed deciding which of its tables is broken."""

    def write(folder, mutation, seed):
        names = sorted(path.name for path in folder.glob("*.csv"))
        tables = {name: (folder / name).read_bytes() for name in names}
        broken = names[seed % len(names)]
        tables[broken] = mutation(tables[broken], random.Random(seed))
        return write_tables(tmp_path / "tables", tables)

    return write


@by_name([*ANY_BYTES, json_mutated, json_key_doubled])
def test_a_broken_nice_file_is_refused_or_whole(copy_of_nice, mutation):
    for seed in SEEDS:
        content = outcome(copy_of_nice(mutation, seed))
        assert content is None or mutation not in (*ALWAYS_REFUSED, json_key_doubled)


@by_name([*ANY_BYTES, csv_mutated])
def test_broken_ddat_tables_are_refused_or_whole(copy_of_ddat, mutation):
    for seed in range(2 * len(SEEDS)):
        content = outcome(copy_of_ddat(mutation, seed))
        assert content is None or mutation not in ALWAYS_REFUSED


@by_name([*ANY_BYTES, csv_mutated])
def test_broken_esco_tables_are_refused_or_whole(esco_folder, copy_of_tables, mutation):
    whole = importers.read(esco_folder)
    for seed in range(3 * len(SEEDS)):
        content = outcome(copy_of_tables(esco_folder, mutation, seed))
        assert content is None or (mutation not in ALWAYS_REFUSED and is_accounted_for(content, whole))


@by_name([*ANY_BYTES, csv_mutated])
def test_broken_onet_tables_are_refused_or_whole(onet_folder, copy_of_tables, mutation):
    whole = importers.read(onet_folder)
    for seed in range(2 * len(SEEDS)):
        content = outcome(copy_of_tables(onet_folder, mutation, seed))
        assert content is None or (mutation not in ALWAYS_REFUSED and is_accounted_for(content, whole))


@by_name([*ANY_BYTES, json_mutated, json_key_doubled])
def test_a_broken_platform_file_is_refused_or_whole(copy_of_platform, mutation):
    for seed in range(150):
        content = outcome(copy_of_platform(mutation, seed))
        assert content is None or mutation not in (*ALWAYS_REFUSED, json_key_doubled)


@pytest.mark.parametrize("name", ["math", "webb", "ours"])
@by_name([*ANY_BYTES, json_mutated, json_key_doubled])
def test_a_broken_case_package_is_refused_or_whole(copy_of_case, name, mutation):
    whole = importers.read(copy_of_case(name, lambda raw, chance: raw, 0))
    for seed in range(40) if mutation is json_mutated else SEEDS:
        content = outcome(copy_of_case(name, mutation, seed))
        assert content is None or (
            mutation not in (*ALWAYS_REFUSED, json_key_doubled) and is_accounted_for(content, whole)
        )


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["webb", "ours"])
@by_name([truncated, bytes_changed, json_mutated])
def test_the_database_holds_all_of_a_case_package_or_nothing_of_it(copy_of_case, row_counts, name, mutation):
    assert_all_or_nothing(lambda seed: copy_of_case(name, mutation, seed), row_counts)


def test_a_nice_file_that_was_cut_off_anywhere_is_refused(copy_of_nice, nice_folder):
    size = (nice_folder / NICE_FILE).stat().st_size
    for kept in [*range(1, size, size // 25), size - 2, size - 1]:
        assert outcome(copy_of_nice(lambda raw, chance, kept=kept: raw[:kept], 0)) is None


def test_ddat_tables_that_were_cut_off_within_a_row_are_refused(copy_of_ddat, ddat_folder):
    for seed, name in enumerate(("roles.csv", "skills.csv")):
        size = (ddat_folder / name).stat().st_size
        for kept in range(1, size - 1, size // 25):
            assert outcome(copy_of_ddat(lambda raw, chance, kept=kept: raw[:kept], seed)) is None


def test_a_table_of_roles_that_was_cut_off_after_any_role_is_refused(copy_of_ddat, ddat_folder):
    lines = (ddat_folder / "roles.csv").read_bytes().splitlines(keepends=True)
    for kept in (5048, 9000, 15300, len(lines) - 12):
        after = next(index for index in range(kept, 0, -1) if lines[index].startswith((b"Data,", b"IT operations,")))
        assert outcome(copy_of_ddat(lambda raw, chance, after=after: b"".join(lines[:after]), 0)) is None


@pytest.mark.django_db
@by_name([*ANY_BYTES, csv_mutated])
def test_the_database_holds_all_of_ddat_or_nothing_of_it(copy_of_ddat, row_counts, mutation):
    assert_all_or_nothing(lambda seed: copy_of_ddat(mutation, seed), row_counts)


@pytest.mark.django_db
@by_name([*ANY_BYTES, json_mutated, json_key_doubled])
def test_the_database_holds_all_of_nice_or_nothing_of_it(copy_of_nice, row_counts, mutation):
    assert_all_or_nothing(lambda seed: copy_of_nice(mutation, seed), row_counts)


@pytest.mark.django_db
@by_name([*ANY_BYTES, json_mutated, json_key_doubled])
def test_the_database_holds_all_of_a_platform_file_or_nothing_of_it(copy_of_platform, row_counts, mutation):
    assert_all_or_nothing(lambda seed: copy_of_platform(mutation, seed), row_counts)


def assert_all_or_nothing(copy, row_counts):
    before = row_counts()
    for seed in (0, 1):
        path = copy(seed)
        with transaction.atomic():
            try:
                call_command("import_framework", path, verbosity=0, stdout=io.StringIO())
            except CommandError:
                assert row_counts() == before
            else:
                content = importers.read(path)
                after = row_counts()
                assert after["Requirement"] - before["Requirement"] == content.counts["requirements"]
                assert after["Competency"] - before["Competency"] == content.counts["competencies"]
            transaction.set_rollback(True)
