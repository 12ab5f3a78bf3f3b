from django.urls import path

from learning import exception_views, extension_views, framework_views, path_views, role_views, views

urlpatterns = [
    path("learn/", views.learn, name="learn"),
    path("learn/path/", path_views.path, name="path"),
    path("learn/path/pace/", path_views.pace, name="path_pace"),
    path("learn/path/what-if/", path_views.what_if, name="what_if"),
    path("learn/path/<slug:key>/pin/", path_views.pin_step, name="pin_step"),
    path("learn/path/<slug:key>/decline/", path_views.decline_step, name="decline_step"),
    path("learn/path/<slug:key>/as-before/", path_views.unwish_step, name="unwish_step"),
    path("roles/<int:pk>/card.pdf", views.role_card, name="role_card"),
    path("frameworks/desk/<int:pk>/publish/", framework_views.framework_publish, name="framework_publish"),
    path("team/", views.team, name="team"),
    path("team/<int:person_id>/", views.team_member, name="team_member"),
    path("team/<int:person_id>/roles/<int:pk>/end/", role_views.role_end, name="role_end"),
    path("team/<int:person_id>/roles/<int:pk>/replace/", role_views.role_replace, name="role_replace"),
    path("hr/", views.hr_desk, name="hr"),
    path("hr/people/", views.hr_people, name="hr_people"),
    path("hr/assign/", views.assign, name="assign"),
    path("learn/asked/<int:pk>/more-time/", extension_views.ask_extension, name="ask_extension"),
    path("learn/more-time/<int:pk>/withdraw/", extension_views.withdraw_extension, name="withdraw_extension"),
    path("team/extensions/", extension_views.team_extensions, name="team_extensions"),
    path("team/extensions/<int:pk>/", extension_views.decide_extension, name="decide_extension"),
    path("hr/exceptions/", exception_views.exceptions, name="exceptions"),
    path("jobs/", views.job_list, name="job_list"),
    path("jobs/<int:pk>/", views.job, name="job"),
]
