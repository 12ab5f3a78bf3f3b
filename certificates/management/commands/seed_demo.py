"""manage.py seed_demo: a believable ministry to look at, in an installation where there is nobody yet."""

from __future__ import annotations

from argparse import ArgumentTypeError
from datetime import date
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from certificates.demo import Made, NotEmpty, seed_ministry
from competencies.demo import NotReady
from organisations.demo import DEMO_PASSWORD, MAX_PEOPLE, MIN_PEOPLE, USUAL_PEOPLE, demo_accounts_present

EARLIEST = date(2000, 1, 1)


class Command(BaseCommand):
    help = "Make the demo ministry: people at every stage of their paths. It never touches what is there already."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--people", type=_whole_number, default=USUAL_PEOPLE, help="how many people (160)")
        parser.add_argument("--seed", type=_whole_number, default=1, help="another number, another ministry (1)")
        parser.add_argument("--as-of", type=_day, help="the day to make it for, as YYYY-MM-DD (today)")

    def handle(self, *args: Any, **options: Any) -> None:
        if getattr(settings, "REFUSE_DEMO_ACCOUNTS", False):
            raise CommandError("These settings refuse to start with demo accounts, so none are made here.")
        people, today = options["people"], timezone.localdate()
        as_of = options["as_of"] or today
        if not MIN_PEOPLE <= people <= MAX_PEOPLE:
            raise CommandError(f"--people takes a number from {MIN_PEOPLE} to {MAX_PEOPLE}.")
        if not EARLIEST <= as_of <= today:
            raise CommandError(f"--as-of takes a day from {EARLIEST} to today.")
        try:
            made = seed_ministry(people=people, seed=options["seed"], as_of=as_of)
        except (NotEmpty, NotReady) as error:
            raise CommandError(str(error)) from error
        if options["verbosity"] < 1:
            return
        if made is None:
            self.stdout.write("The demo ministry is already there.")
        else:
            self.report(made)

    def report(self, made: Made) -> None:
        width = max(len(name) for name, _count in made.counts)
        for name, count in made.counts:
            self.stdout.write(f"  {name:<{width}}  {count:>9,}")
        self.stdout.write(f"\nDemo accounts (password {DEMO_PASSWORD}):")
        for email in demo_accounts_present():
            self.stdout.write(f"  {email}")


def _whole_number(text: str) -> int:
    try:
        return int(text)
    except ValueError as error:
        raise ArgumentTypeError(f"“{text}” is not a whole number.") from error


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise ArgumentTypeError(f"“{text}” is not a day written as YYYY-MM-DD.") from error
