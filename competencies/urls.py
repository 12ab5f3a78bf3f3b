from django.urls import path

from competencies import case_views, desk, rules_views, version_views, views

CASE = "ims/case/v1p1"

urlpatterns = [
    path("frameworks/desk/", desk.framework_desk, name="framework_desk"),
    path("frameworks/desk/upload/", desk.framework_upload, name="framework_upload"),
    path("frameworks/desk/uploads/<int:pk>/", desk.framework_upload_result, name="framework_upload_result"),
    path("frameworks/desk/template.xlsx", desk.framework_template, name="framework_template"),
    path("frameworks/desk/<int:pk>/", desk.framework_version, name="framework_version"),
    path("frameworks/desk/<int:pk>/difference/", version_views.framework_difference, name="framework_difference"),
    path("frameworks/desk/<int:pk>/crosswalk/", version_views.framework_crosswalk, name="framework_crosswalk"),
    path("frameworks/desk/<int:pk>/next/", version_views.framework_next, name="framework_next"),
    path("frameworks/desk/<int:pk>/extend/", version_views.framework_extend, name="framework_extend"),
    path("frameworks/desk/<int:pk>/discard/", version_views.framework_discard, name="framework_discard"),
    path("competencies/<int:pk>/align/", version_views.competency_align, name="competency_align"),
    path("competencies/alignments/<int:pk>/withdraw/", version_views.alignment_withdraw, name="alignment_withdraw"),
    path("frameworks/<slug:slug>/download/<int:pk>.<str:kind>", desk.framework_download, name="framework_download"),
    path("frameworks/", views.framework_list, name="framework_list"),
    path("frameworks/search/", views.framework_search, name="framework_search"),
    path("frameworks/<slug:slug>/", views.framework_detail, name="framework_detail"),
    path("competencies/<int:pk>/", views.competency_detail, name="competency_detail"),
    path("roles/", views.role_list, name="role_list"),
    path("roles/compare/", views.role_compare, name="role_compare"),
    path("roles/<int:pk>/", views.role_detail, name="role_detail"),
    path("levels/rules/", rules_views.rules, name="rules"),
    path("levels/rules/draft/", rules_views.rules_draft, name="rules_draft"),
    path("levels/rules/<int:pk>/", rules_views.rulebook, name="rulebook"),
    path("levels/rules/<int:pk>/edit/", rules_views.rules_edit, name="rules_edit"),
    path("levels/rules/<int:pk>/publish/", rules_views.rules_publish, name="rules_publish"),
    path("levels/rules/<int:pk>/discard/", rules_views.rules_discard, name="rules_discard"),
    path("learn/assess/", views.assess_next, name="assess_next"),
    path("learn/competencies/<int:competency_id>/", views.level_of, name="my_level"),
    path("learn/competencies/<int:competency_id>/assess/", views.assess_myself, name="assess_myself"),
    path("learn/competencies/<int:competency_id>/share/", views.disagreement_share, name="disagreement_share"),
    path("people/<int:person_id>/competencies/<int:competency_id>/", views.level_of, name="level_of"),
    path("people/<int:person_id>/competencies/<int:competency_id>/assess/", views.assess_person, name="assess_person"),
    path(f"{CASE}/CFPackages/<str:identifier>", case_views.case_package, name="case_package"),
    path(f"{CASE}/CFDocuments", case_views.case_documents, name="case_documents"),
    path(f"{CASE}/CFDocuments/<str:identifier>", case_views.case_document, name="case_document"),
    path(f"{CASE}/CFItems/<str:identifier>", case_views.case_item, name="case_item"),
    path(
        f"{CASE}/CFItemAssociations/<str:identifier>", case_views.case_item_associations, name="case_item_associations"
    ),
    path(f"{CASE}/CFAssociations/<str:identifier>", case_views.case_association, name="case_association"),
    *(
        path(f"{CASE}/{collection}/<str:identifier>", view, {"collection": collection}, name=f"case_{collection}")
        for collection, view in {
            "CFItemTypes": case_views.case_branch,
            "CFConcepts": case_views.case_branch,
            "CFSubjects": case_views.case_branch,
            "CFLicenses": case_views.case_thing,
            "CFAssociationGroupings": case_views.case_thing,
            "CFRubrics": case_views.case_thing,
        }.items()
    ),
]
