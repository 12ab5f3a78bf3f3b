from django.urls import path

from learning import framework_views, role_views, views

urlpatterns = [
    path("learn/", views.learn, name="learn"),
    path("learn/path/", views.path, name="path"),
    path("roles/<int:pk>/card.pdf", views.role_card, name="role_card"),
    path("frameworks/desk/<int:pk>/publish/", framework_views.framework_publish, name="framework_publish"),
    path("team/", views.team, name="team"),
    path("team/<int:person_id>/", views.team_member, name="team_member"),
    path("team/<int:person_id>/roles/<int:pk>/end/", role_views.role_end, name="role_end"),
    path("team/<int:person_id>/roles/<int:pk>/replace/", role_views.role_replace, name="role_replace"),
    path("hr/", views.hr_desk, name="hr"),
    path("hr/people/", views.hr_people, name="hr_people"),
    path("hr/assign/", views.assign, name="assign"),
    path("jobs/", views.job_list, name="job_list"),
    path("jobs/<int:pk>/", views.job, name="job"),
]
