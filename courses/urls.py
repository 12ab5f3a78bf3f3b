from django.urls import path

from courses import views

urlpatterns = [
    path("learn/enrol/<int:course_id>/", views.enrol, name="enrol"),
    path("learn/runs/<int:run_id>/book/", views.book_seat, name="book_seat"),
    path("learn/runs/<int:run_id>/give-back/", views.give_back_seat, name="give_back_seat"),
    path("learn/lessons/<int:lesson_id>/done/", views.complete_lesson, name="complete_lesson"),
    path("learn/lessons/<int:lesson_id>/answers/", views.save_answers, name="save_answers"),
    path("learn/lessons/<int:lesson_id>/submit/", views.submit_answers, name="submit_answers"),
    path("learn/courses/<int:enrolment_id>/before/", views.pre_check, name="pre_check"),
    path("learn/results/<int:enrolment_id>/", views.course_result, name="course_result"),
]
