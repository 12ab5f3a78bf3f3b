from organisations.models.jobs import Job
from organisations.models.people import User
from organisations.models.units import Appointment, HrMandate, Post, Unit

__all__ = ["Appointment", "HrMandate", "Job", "Post", "Unit", "User"]
