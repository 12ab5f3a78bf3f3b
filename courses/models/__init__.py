from courses.models.activity import Attempt, Enrolment, LessonProgress, PreCheck
from courses.models.pages import CataloguePage, CourseOutcome, CoursePage, CoursePrerequisite, HomePage, LessonPage
from courses.models.runs import CourseRun, SeatBooking

__all__ = [
    "Attempt",
    "CataloguePage",
    "CourseOutcome",
    "CoursePage",
    "CoursePrerequisite",
    "CourseRun",
    "Enrolment",
    "HomePage",
    "LessonPage",
    "LessonProgress",
    "PreCheck",
    "SeatBooking",
]
