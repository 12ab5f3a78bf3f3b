from django.urls import path, register_converter

from certificates import cohort_views, issuer_views, life_views, views


class SerialConverter:
    """Serial numbers as we write them; nothing else reaches the database."""

    regex = "[0-9]{4}-[0-9]{6,10}"

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value


register_converter(SerialConverter, "serial")

urlpatterns = [
    path("verify/", views.verify, name="verify"),
    path("verify/<str:code>/", views.verify_certificate, name="verify_certificate"),
    path("verify/<str:code>/data/", views.verify_data, name="verify_data"),
    path(".well-known/did.json", issuer_views.did, name="did"),
    # Where did:web looks when the platform is served below a path of its host.
    path("did.json", issuer_views.did, name="did_below"),
    path("status/<int:number>/", issuer_views.status_list, name="status_list"),
    path("learn/certificates/", views.my_certificates, name="my_certificates"),
    path("learn/certificates/of/<int:enrolment_id>/", views.certificate_state, name="certificate_state"),
    path("hr/certificates/", life_views.certificate_desk, name="certificate_desk"),
    path("hr/certificates/cohorts/", cohort_views.cohort_list, name="cohort_list"),
    path("hr/certificates/cohorts/new/", cohort_views.cohort_new, name="cohort_new"),
    path("hr/certificates/cohorts/<int:pk>/", cohort_views.cohort, name="cohort"),
    path("hr/certificates/cohorts/<int:pk>/again/", cohort_views.cohort_again, name="cohort_again"),
    path("hr/certificates/cohorts/<int:pk>/files/<int:file_pk>/", cohort_views.cohort_file, name="cohort_file"),
    path("hr/certificates/<serial:serial>/", life_views.certificate_life, name="certificate_life"),
    path("learn/certificates/<serial:serial>/", views.certificate_document, name="certificate_document"),
]
