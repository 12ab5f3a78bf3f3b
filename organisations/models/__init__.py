from organisations.models.absence import Leave, PersonTag
from organisations.models.jobs import Job
from organisations.models.people import User
from organisations.models.units import Appointment, HrMandate, Post, Unit

__all__ = ["Appointment", "HrMandate", "Job", "Leave", "PersonTag", "Post", "Unit", "User"]
