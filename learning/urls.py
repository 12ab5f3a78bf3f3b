from django.urls import path

from learning import framework_views, role_views, rule_views, views

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
    path("hr/rules/", rule_views.rule_list, name="rule_list"),
    path("hr/rules/new/", rule_views.rule_new, name="rule_new"),
    path("hr/rules/<int:pk>/", rule_views.rule, name="rule"),
    path("hr/rules/<int:pk>/change/", rule_views.rule_change, name="rule_change"),
    path("hr/rules/<int:pk>/try/", rule_views.rule_try, name="rule_try"),
    path("hr/rules/<int:pk>/start/", rule_views.rule_start, name="rule_start"),
    path("hr/rules/<int:pk>/stop/", rule_views.rule_stop, name="rule_stop"),
    path("jobs/", views.job_list, name="job_list"),
    path("jobs/<int:pk>/", views.job, name="job"),
]
