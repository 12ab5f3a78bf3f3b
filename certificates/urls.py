from django.urls import path, register_converter

from certificates import (
    cohort_views,
    defining_views,
    file_views,
    holder_views,
    import_views,
    issuer_views,
    life_views,
    share_views,
    trusting_views,
    views,
)
from certificates.badge_picture import KINDS
from certificates.pieces import Form


class SerialConverter:
    """Serial numbers as we write them; nothing else reaches the database."""

    regex = "[0-9]{4}-[0-9]{6,10}"

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value


class PieceConverter(SerialConverter):
    """The forms in which a certificate is fetched."""

    regex = "|".join(form.value.replace(".", "[.]") for form in Form)


class ColourConverter(SerialConverter):
    """A colour as our pictures' addresses have it: one way to write each, so that caches keep each once."""

    regex = "[0-9a-f]{6}"


class KindConverter(SerialConverter):
    regex = "|".join(KINDS)


class PictureConverter(SerialConverter):
    regex = "png|svg"


register_converter(SerialConverter, "serial")
register_converter(PieceConverter, "piece")
register_converter(ColourConverter, "colour")
register_converter(KindConverter, "badge_kind")
register_converter(PictureConverter, "picture")

urlpatterns = [
    path("verify/", views.verify, name="verify"),
    # Before the codes: no code is spelled like this.
    path("verify/file/", file_views.verify_file, name="verify_file"),
    path("verify/file/data/", file_views.verify_file_data, name="verify_file_data"),
    path("verify/<str:code>/", views.verify_certificate, name="verify_certificate"),
    path("verify/<str:code>/data/", views.verify_data, name="verify_data"),
    path(".well-known/did.json", issuer_views.did, name="did"),
    # Where did:web looks when the platform is served below a path of its host.
    path("did.json", issuer_views.did, name="did_below"),
    path("status/<int:number>/", issuer_views.status_list, name="status_list"),
    path("badges/<colour:colour>-<badge_kind:kind>.<picture:ending>", holder_views.badge_picture, name="badge_picture"),
    path("c/<str:token>/", share_views.shared_certificate, name="shared_certificate"),
    path("c/<str:token>/<piece:name>", share_views.shared_piece, name="shared_piece"),
    path("learn/certificates/", holder_views.my_certificates, name="my_certificates"),
    path("learn/certificates/import/", import_views.import_badge, name="import_badge"),
    path("learn/certificates/import/<int:pk>/", import_views.imported_badge, name="imported_badge"),
    path("learn/certificates/of/<int:enrolment_id>/", views.certificate_state, name="certificate_state"),
    path("hr/certificates/", life_views.certificate_desk, name="certificate_desk"),
    path("hr/certificates/definitions/", defining_views.definition_list, name="definition_list"),
    path("hr/certificates/definitions/new/", defining_views.definition_new, name="definition_new"),
    path("hr/certificates/definitions/new/<slug:kind>/", defining_views.definition_new_of, name="definition_new_of"),
    path("hr/certificates/definitions/<int:pk>/", defining_views.definition, name="definition"),
    path("hr/certificates/definitions/<int:pk>/change/", defining_views.definition_change, name="definition_change"),
    path(
        "hr/certificates/definitions/<int:pk>/preview.pdf", defining_views.definition_preview, name="definition_preview"
    ),
    path("hr/certificates/bodies/", defining_views.body_list, name="body_list"),
    path("hr/certificates/bodies/new/", defining_views.body_new, name="body_new"),
    path("hr/certificates/bodies/<int:pk>/", defining_views.body, name="body"),
    path("hr/certificates/bodies/<int:pk>/logo/", defining_views.body_logo, name="body_logo"),
    path("hr/certificates/trusted/", trusting_views.trusted_issuers, name="trusted_issuers"),
    path("hr/certificates/trusted/<int:pk>/end/", trusting_views.end_trust, name="trusted_issuer_end"),
    path("hr/certificates/cohorts/", cohort_views.cohort_list, name="cohort_list"),
    path("hr/certificates/cohorts/new/", cohort_views.cohort_new, name="cohort_new"),
    path("hr/certificates/cohorts/<int:pk>/", cohort_views.cohort, name="cohort"),
    path("hr/certificates/cohorts/<int:pk>/again/", cohort_views.cohort_again, name="cohort_again"),
    path("hr/certificates/cohorts/<int:pk>/files/<int:file_pk>/", cohort_views.cohort_file, name="cohort_file"),
    path("hr/certificates/<serial:serial>/", life_views.certificate_life, name="certificate_life"),
    path("learn/certificates/<serial:serial>/", holder_views.certificate_page, name="certificate_page"),
    path("learn/certificates/<serial:serial>/share/", share_views.share, name="share_certificate"),
    path("learn/certificates/links/<int:pk>/end/", share_views.end_link, name="end_share_link"),
    path(
        "learn/certificates/<serial:serial>/certificate.pdf",
        holder_views.certificate_document,
        name="certificate_document",
    ),
    path("learn/certificates/<serial:serial>/<piece:name>", holder_views.certificate_piece, name="certificate_piece"),
]
