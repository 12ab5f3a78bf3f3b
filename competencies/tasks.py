"""Errands of the competencies floor: they ask for jobs, nothing else."""

from celery import shared_task

from competencies.organisation import ask_to_count


@shared_task(name="competencies.tasks.count_standing")
def count_standing() -> None:
    """Once a day, in its first hour: levels lapse and posts change hands overnight."""
    ask_to_count(by=None, nightly=True)
