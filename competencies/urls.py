from django.urls import path

from competencies import views

urlpatterns = [
    path("frameworks/", views.framework_list, name="framework_list"),
    path("frameworks/search/", views.framework_search, name="framework_search"),
    path("frameworks/<slug:slug>/", views.framework_detail, name="framework_detail"),
    path("competencies/<int:pk>/", views.competency_detail, name="competency_detail"),
    path("roles/", views.role_list, name="role_list"),
    path("roles/compare/", views.role_compare, name="role_compare"),
    path("roles/<int:pk>/", views.role_detail, name="role_detail"),
    path("learn/assess/", views.assess_next, name="assess_next"),
    path("learn/competencies/<int:competency_id>/", views.level_of, name="my_level"),
    path("learn/competencies/<int:competency_id>/assess/", views.assess_myself, name="assess_myself"),
    path("people/<int:person_id>/competencies/<int:competency_id>/", views.level_of, name="level_of"),
    path("people/<int:person_id>/competencies/<int:competency_id>/assess/", views.assess_person, name="assess_person"),
]
