from courses.models.activity import Attempt, Enrolment, LessonProgress
from courses.models.pages import CataloguePage, CourseOutcome, CoursePage, CoursePrerequisite, HomePage, LessonPage

__all__ = [
    "Attempt",
    "CataloguePage",
    "CourseOutcome",
    "CoursePage",
    "CoursePrerequisite",
    "Enrolment",
    "HomePage",
    "LessonPage",
    "LessonProgress",
]
