"""Errands of Celery: they carry a job's id, nothing else."""

from celery import shared_task

from organisations import jobs


@shared_task(name="organisations.tasks.run_job")
def run_job_task(job_id: int) -> None:
    jobs.run_job(job_id)


@shared_task(name="organisations.tasks.sweep_jobs")
def sweep_jobs() -> int:
    return jobs.sweep()
