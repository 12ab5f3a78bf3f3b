"""CASE's own REST paths, read-only and for everybody: what is published, as 1EdTech's CASE service 1.1 serves it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from datetime import datetime
from functools import wraps
from typing import Any
from uuid import UUID

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.utils.cache import get_conditional_response, patch_cache_control
from django.utils.http import http_date

from competencies import case_packages
from competencies.case_packages import Found, Head, Stamp, Thing
from competencies.models import FrameworkVersion

DEFAULT_LIMIT = 100
MAX_LIMIT = 500
REFUSED_PARAMETERS = {
    "sort": "invalid_sort_field",
    "orderBy": "invalid_sort_field",
    "filter": "invalid_selection_field",
    "fields": "invalid_selection_field",
}


class CaseFault(Exception):
    """A request that gets no object: the sentence, the status, and CASE's own word for it."""

    def __init__(self, status: int, description: str, field: str, code: str) -> None:
        super().__init__(description)
        self.status = status
        self.info = {
            "imsx_codeMajor": "failure",
            "imsx_severity": "error",
            "imsx_description": description,
            "imsx_codeMinor": {
                "imsx_codeMinorField": [{"imsx_codeMinorFieldName": field, "imsx_codeMinorFieldValue": code}]
            },
        }


def case_service(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Read-only, open to everybody, faults in CASE's words (which are English)."""

    @login_not_required
    @wraps(view)
    def served(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            if request.method not in ("GET", "HEAD"):
                raise CaseFault(405, "This service is read-only: use GET.", "method", "forbidden")
            return view(request, *args, **kwargs)
        except CaseFault as fault:
            response = _json(fault.info, status=fault.status)
            if fault.status == 405:
                response["Allow"] = "GET, HEAD"
            return response

    return served


def _json(document: Any, status: int = 200) -> HttpResponse:
    return HttpResponse(
        json.dumps(document, ensure_ascii=False, separators=(",", ":")), content_type="application/json", status=status
    )


def _answer(request: HttpRequest, document: Any, etag: str, modified: datetime | None) -> HttpResponse:
    """With ETag and Last-Modified; 304 where the asker has it already."""
    response = _json(document)
    response["ETag"] = f'"{etag}"'
    stamp = int(modified.timestamp()) if modified is not None else None
    if stamp is not None:
        response["Last-Modified"] = http_date(stamp)
    patch_cache_control(response, public=True, max_age=300)
    answer = get_conditional_response(request, etag=response["ETag"], last_modified=stamp, response=response)
    return answer if answer is not None else response


def _uuid(text: str) -> UUID:
    try:
        identifier = UUID(text)
    except ValueError:
        identifier = None
    # UUID() also reads braces, "urn:uuid:" and missing hyphens; CASE does not.
    if identifier is None or str(identifier) != text.lower():
        raise CaseFault(400, "The identifier is not a UUID in the form 8-4-4-4-12.", "sourcedId", "invaliduuid")
    return identifier


def _unknown(what: str) -> CaseFault:
    return CaseFault(404, f"No published {what} has this identifier.", "sourcedId", "unknownobject")


def _version(text: str) -> FrameworkVersion:
    version = case_packages.served_versions().filter(uuid=_uuid(text)).first()
    if version is None:
        raise _unknown("framework")
    return version


def _etag(request: HttpRequest, *parts: str) -> str:
    return hashlib.sha256("/".join((request.path, *parts)).encode()).hexdigest()[:40]


def _of_version(
    request: HttpRequest, version: FrameworkVersion, stamp: Stamp, document: Callable[[], Thing]
) -> HttpResponse:
    """Answers "not modified" before anything is built."""
    etag = _etag(request, case_packages.key_of(version, stamp))
    modified = case_packages.last_modified(version, stamp)
    early = get_conditional_response(request, etag=f'"{etag}"', last_modified=int(modified.timestamp()))
    if early is not None and early.status_code == 304:
        return early
    return _answer(request, document(), etag, modified)


def _found(text: str, collection: str, what: str, stamp: Stamp) -> Found:
    found = case_packages.find(collection, _uuid(text), stamp)
    if found is None:
        raise _unknown(what)
    return found


# --- Packages and documents --------------------------------------------------------------------------------------
@case_service
def case_package(request: HttpRequest, identifier: str) -> HttpResponse:
    version, stamp = _version(identifier), case_packages.alignment_stamp()
    return _of_version(request, version, stamp, lambda: case_packages.package_of(version, stamp))


@case_service
def case_document(request: HttpRequest, identifier: str) -> HttpResponse:
    version, stamp = _version(identifier), case_packages.alignment_stamp()
    return _of_version(request, version, stamp, lambda: _standalone_document(case_packages.heads_of([version])[0]))


@case_service
def case_documents(request: HttpRequest) -> HttpResponse:
    """A page of the documents; sorting, filtering and choosing of fields are not offered, and said so."""
    for name, code in REFUSED_PARAMETERS.items():
        if name in request.GET:
            raise CaseFault(400, f"“{name}” is not supported by this service. Leave it out.", name, code)
    limit = _number(request, "limit", DEFAULT_LIMIT, least=1)
    offset = _number(request, "offset", 0, least=0)
    stamp = case_packages.alignment_stamp()
    versions = list(case_packages.served_versions())
    chosen = versions[offset : offset + min(limit, MAX_LIMIT)]
    documents = [_standalone_document(head) for head in case_packages.heads_of(chosen)]
    modified = max((case_packages.last_modified(version, stamp) for version in versions), default=None)
    keys = [case_packages.key_of(version, stamp) for version in versions]
    response = _answer(request, {"CFDocuments": documents}, _etag(request, str(limit), str(offset), *keys), modified)
    response["X-Total-Count"] = str(len(versions))
    return response


def _number(request: HttpRequest, name: str, default: int, *, least: int) -> int:
    text = request.GET.get(name, str(default))
    if not (text.isascii() and text.isdigit() and len(text) <= 9 and int(text) >= least):
        raise CaseFault(400, f"“{name}” is a whole number of at least {least}.", name, "invalid_selection_field")
    return int(text)


def _standalone_document(head: Head) -> Thing:
    link = head.link()
    return {
        **head.document,
        "CFPackageURI": {**link, "uri": f"{case_packages.base_url()}/CFPackages/{link['identifier']}"},
    }


# --- Things by their identifier ----------------------------------------------------------------------------------
@case_service
def case_item(request: HttpRequest, identifier: str) -> HttpResponse:
    stamp = case_packages.alignment_stamp()
    found = _found(identifier, "CFItems", "item", stamp)
    return _of_version(request, found.version, stamp, lambda: _standalone(found))


@case_service
def case_association(request: HttpRequest, identifier: str) -> HttpResponse:
    stamp = case_packages.alignment_stamp()
    found = _found(identifier, "CFAssociations", "association", stamp)
    return _of_version(request, found.version, stamp, lambda: _standalone(found))


@case_service
def case_item_associations(request: HttpRequest, identifier: str) -> HttpResponse:
    """An item with every association it stands at an end of."""
    stamp = case_packages.alignment_stamp()
    found = _found(identifier, "CFItems", "item", stamp)
    name = found.thing["identifier"]
    associations = [
        association
        for association in case_packages.package_of(found.version, stamp).get("CFAssociations", [])
        if name in (association["originNodeURI"]["identifier"], association["destinationNodeURI"]["identifier"])
    ]
    if not associations:
        raise CaseFault(404, "This item has no association.", "sourcedId", "unknownobject")
    whole = {"CFItem": _standalone(found), "CFAssociations": associations}
    return _of_version(request, found.version, stamp, lambda: whole)


def _standalone(found: Found) -> Thing:
    return {**found.thing, "CFDocumentURI": found.head.link()}


@case_service
def case_thing(request: HttpRequest, identifier: str, collection: str) -> HttpResponse:
    """Licences, groupings and rubrics by themselves."""
    stamp = case_packages.alignment_stamp()
    found = _found(identifier, collection, "object", stamp)
    return _of_version(request, found.version, stamp, lambda: found.thing)


@case_service
def case_branch(request: HttpRequest, identifier: str, collection: str) -> HttpResponse:
    """Types, concepts and subjects come with those below them, as their hierarchy code says."""
    stamp = case_packages.alignment_stamp()
    found = _found(identifier, collection, "object", stamp)
    code = found.thing["hierarchyCode"]
    all_of_them = case_packages.bare_package(found.version)["CFDefinitions"][collection]
    below = [thing for thing in all_of_them if thing["hierarchyCode"].startswith(f"{code}.")]
    return _of_version(request, found.version, stamp, lambda: {collection: [found.thing, *below]})
