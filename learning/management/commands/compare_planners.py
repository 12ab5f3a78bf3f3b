"""The exact planner against the greedy one on seeded instances: the table of docs/algorithms/planning.md."""

from __future__ import annotations

import statistics
import time
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from learning import planning
from learning.instances import make_instance
from learning.path_terms import Catalogue

SIZES = ((40, 30), (400, 100), (2000, 300))


class Command(BaseCommand):
    help = "Compare the exact planner with the greedy one on seeded instances"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--seeds", type=int, default=20, help="instances of each size (20)")
        parser.add_argument("--time-limit", type=float, default=2.0, help="seconds for a plan (2)")

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(
            "| courses | gaps | instances | greedy, hours | shortest, hours | saved | most saved | proven shortest "
            "| greatest gap left | CPU ms greedy, median | CPU ms exact, median | greatest |\n|" + "---|" * 12
        )
        for courses, gaps in SIZES:
            self.stdout.write(_row(courses, gaps, options["seeds"], options["time_limit"]))


def _row(courses: int, gaps: int, seeds: int, limit: float) -> str:
    greedy_hours, exact_hours, saved, spent, spent_greedy, proven, left = [], [], [], [], [], 0, 0.0
    _plan(40, 30, -1, limit)  # the solver's library is loaded
    for seed in range(seeds):
        exact, seconds = _plan(courses, gaps, seed, limit)
        greedy, greedy_seconds = _plan(courses, gaps, seed, 0.0)
        greedy_hours.append(greedy.effort_minutes / 60)
        exact_hours.append(exact.effort_minutes / 60)
        saved.append(1 - exact.effort_minutes / greedy.effort_minutes)
        spent.append(seconds * 1000)
        spent_greedy.append(greedy_seconds * 1000)
        proven += exact.proof.status == "optimal"
        left = max(left, exact.proof.gap_minutes / exact.effort_minutes)
    return (
        f"| {courses:,} | {gaps} | {seeds} | {statistics.mean(greedy_hours):.1f} | {statistics.mean(exact_hours):.1f} "
        f"| {statistics.mean(saved):.1%} | {max(saved):.1%} | {proven} of {seeds} | {left:.2%} "
        f"| {statistics.median(spent_greedy):.1f} | {statistics.median(spent):.1f} | {max(spent):.1f} |"
    )


def _plan(courses: int, gaps: int, seed: int, limit: float) -> tuple[planning.Plan, float]:
    """A plan and its CPU seconds, the catalogue being indexed already and nothing solved before."""
    instance = make_instance(courses=courses, gaps=gaps, seed=seed)
    catalogue = Catalogue.of(instance.offers)
    _indexed = catalogue.reaching, catalogue.begun
    planning._chosen.cache_clear()
    planning._relevant.cache_clear()
    planning._needed.cache_clear()
    before = time.process_time()
    plan = planning.plan_path(instance.targets, catalogue, time_limit_seconds=limit)
    return plan, time.process_time() - before
