from django.urls import path

from readiness import action_views, initiative_views, result_views, survey_views, wave_views

urlpatterns = [
    # The change
    path("changes/", initiative_views.initiative_list, name="initiatives"),
    path("changes/<slug:slug>/", initiative_views.initiative, name="initiative"),
    path("changes/<slug:slug>/read/", initiative_views.initiative_read, name="initiative_read"),
    path("changes/<slug:slug>/ask/", initiative_views.question_ask, name="question_ask"),
    path("changes/questions/<uuid:pk>/", initiative_views.question_answer, name="question_answer"),
    path("changes/<slug:slug>/concerns/", initiative_views.concerns, name="concerns"),
    path("changes/concerns/<int:pk>/", initiative_views.concern_decide, name="concern_decide"),
    path("changes/<slug:slug>/champions/", initiative_views.champions, name="champions"),
    path("changes/champions/<int:pk>/", initiative_views.champion_decide, name="champion_decide"),
    path("changes/champions/<int:pk>/end/", initiative_views.champion_release, name="champion_release"),
    path("changes/<slug:slug>/actions/", action_views.action_list, name="actions"),
    path("changes/<slug:slug>/actions/new/", action_views.action_new, name="action_new"),
    path("changes/actions/<int:pk>/", action_views.action, name="action"),
    path("account/changes/", initiative_views.change_nudges, name="change_nudges"),
    # Running surveys
    path("surveys/", wave_views.surveys, name="surveys"),
    path("surveys/<int:pk>/run/", wave_views.wave, name="wave"),
    path("surveys/<int:pk>/run/approve/", wave_views.wave_approve, name="wave_approve"),
    path("surveys/<int:pk>/run/open/", wave_views.wave_open, name="wave_open"),
    path("surveys/<int:pk>/run/discard/", wave_views.wave_discard, name="wave_discard"),
    path("surveys/<int:pk>/run/key/", wave_views.wave_key, name="wave_key"),
    path("surveys/<int:pk>/run/assessment/", wave_views.wave_assessment, name="wave_assessment"),
    path("surveys/<int:pk>/run/comments/", wave_views.wave_comments, name="wave_comments"),
    path("changes/<slug:slug>/survey/", wave_views.wave_new, name="wave_new"),
    # Answering one
    path("surveys/waiting/", survey_views.surveys_waiting, name="surveys_waiting"),
    path("surveys/<int:pk>/", survey_views.survey, name="survey"),
    path("surveys/<int:pk>/sent/", survey_views.survey_sent, name="survey_sent"),
    path("surveys/<int:pk>/notice/", survey_views.survey_notice, name="survey_notice"),
    path("surveys/<int:pk>/self-check/", survey_views.survey_self_check, name="survey_self_check"),
    # Results
    path("surveys/week/", result_views.week, name="week_of_change"),
    path("surveys/<int:pk>/results/", result_views.results, name="survey_results"),
    path("surveys/<int:pk>/results/<str:code>/", result_views.results, name="survey_results_of"),
    path("surveys/<int:pk>/results/<str:code>/data.json", result_views.results_data, name="survey_results_data"),
    path("surveys/<int:pk>/results/<str:code>/results.xlsx", result_views.results_sheet, name="survey_results_sheet"),
    path("surveys/<int:pk>/results/<str:code>/results.pdf", result_views.results_paper, name="survey_results_paper"),
    path("changes/<slug:slug>/outcome/", result_views.outcome, name="outcome"),
    path("surveys/<int:pk>/map/", result_views.results_map, name="survey_map"),
    path("surveys/<int:pk>/map/<str:code>/", result_views.results_map, name="survey_map_of"),
]
