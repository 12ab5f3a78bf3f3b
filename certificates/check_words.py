"""The codes of a check as sentences for the person who handed the file in: what it was, and where it helps, what to do.

One table for all codes of credentials/* and of this floor's own checks; tests/certificates/test_check_words.py walks the
code for codes without a sentence.
"""

from __future__ import annotations

from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

# What each step looked at, as a heading.
CHECKS: Final[dict[str, Promise]] = {
    "reading": _("The file"),
    "context": _("What its terms mean"),
    "shape": _("Whether it is complete"),
    "proof": _("The signature"),
    "issuer": _("Who signed it"),
    "dates": _("Whether it counts today"),
    "status": _("Whether it was taken back"),
    "records": _("Our own records"),
    "paper": _("The document"),
}

PASSED: Final[dict[str, Promise]] = {
    "reading": _("It could be read."),
    "context": _("Every term is one we know; nothing was looked up elsewhere."),
    "shape": _("Everything a badge must have is there and in its place."),
    "proof": _("It fits: nothing was changed since it was signed."),
    "issuer": _("The key belongs to the issuer named, and we know this issuer."),
    "dates": _("Its time has begun and has not ended."),
    "status": _("The issuer has not taken it back."),
    "records": _("It is in our records as it was handed in."),
    "paper": _("It is the document we issued, byte for byte."),
}

REASONS: Final[dict[str, Promise]] = {
    # --- reading the file -----------------------------------------------------------------------------------------
    "not_recognised": _("This is no PDF, badge picture (PNG or SVG), JSON or token."),
    "empty": _("The file is empty."),
    "too_large": _("The file, or the badge in it, is larger than anything that is checked here."),
    "not_json": _("The file is no proper JSON. It may be cut off or damaged: ask for it again."),
    "not_an_object": _("There is JSON in the file, and no badge."),
    "not_text": _("The file holds letters that are none. It may be damaged: ask for it again."),
    "name_twice": _("The file says something twice under the same name. Two readers could see two things, so it is not read."),
    "number_too_large": _("There is a number in the file that programs do not agree on, so it is not read."),
    "too_deep": _("The file is nested deeper than any badge, so it is not read."),
    "too_many_values": _("The file holds far more than any badge, so it is not read."),
    "not_a_token": _("The file is no proper token. It may be cut off: ask for it again."),
    "algorithm_refused": _("It is signed in a way that is not accepted here, or not signed at all."),
    "header_refused": _("Its first part asks for things that are not done here, such as fetching a key from elsewhere."),
    "key_refused": _("The key that comes with it cannot be used: it is damaged, too weak or too large."),
    "claims_disagree": _("It says two different things about the same: outside one, inside another."),
    "not_a_png": _("The picture is no proper PNG."),
    "not_an_svg": _("The picture is no proper SVG."),
    "damaged": _("The picture is damaged or cut off. Ask for it again."),
    "no_credential": _("There is no badge in this picture. A screenshot or a copy from a web page has lost it."),
    "two_credentials": _("There are two badges in this picture, so nobody could say which one counts."),
    "compressed": _("The badge in this picture is packed in a way that the standard forbids."),
    "entities": _("The picture declares parts that change what it says, so it is not read."),
    "active_content": _("The picture does things when it is opened, so it is not read."),
    # --- what the terms mean --------------------------------------------------------------------------------------
    "context_unknown": _(
        "It explains its terms by a page we do not carry (%(detail)s). Nothing is fetched from elsewhere, so what was signed "
        "cannot be told."
    ),
    "context_inline": _("It brings its own meaning of words along. What was signed could then say something else."),
    "context_missing": _("It does not say that it is an Open Badge 3.0 where that must stand."),
    # --- complete -------------------------------------------------------------------------------------------------
    "name_disguised": _("It writes a name in another way than usual (%(detail)s), by which claims can be hidden."),
    "claims_moved": _("Something it claims stands in another place than where it is looked for, by which it can be hidden."),
    "claim_empty": _("It names something and says nothing about it (%(detail)s)."),
    "type_missing": _("It does not say that it is a credential that can be verified."),
    "not_an_open_badge": _("This is a credential, and no Open Badge 3.0 (%(detail)s)."),
    "id_malformed": _("Its own identifier is none."),
    "issuer_missing": _("It does not say properly who issued it."),
    "profile_malformed": _("Somebody named in it is not described as the standard asks (%(detail)s)."),
    "date_missing": _("It does not say from when it counts."),
    "subject_malformed": _("It does not say properly to whom it was given (%(detail)s)."),
    "achievement_missing": _("It does not say for what it was given."),
    "achievement_malformed": _("What it was given for is not described as the standard asks (%(detail)s)."),
    "evidence_malformed": _("What is to show it is not described as the standard asks."),
    # --- the signature --------------------------------------------------------------------------------------------
    "no_proof": _("It is not signed, so anybody could have written it."),
    "signature": _("Its signature does not fit: what it says was changed after it was signed, or somebody else signed it."),
    "proof_malformed": _("What stands in the place of the signature is none."),
    "proof_expired": _("The signature itself had an end, and that is past."),
    "suite_unknown": _("It is signed in a way that is not read here (%(detail)s), so nothing can be said of it."),
    "term_undefined": _("It uses a word that nothing explains (%(detail)s). The signature would not cover it."),
    "not_json_ld": _("Its parts contradict each other, so that what was signed cannot be told."),
    "too_complex": _("It is made so that checking it would take very long, so it is not checked."),
    "key_malformed": _("The key it names cannot be read."),
    "key_differs": _("It names one key and brings along another."),
    "key_of_another_kind": _("The key of its issuer is of another kind than the signature."),
    "key_not_known": _("The key it was signed with is not known here, so nobody can say who wrote it."),
    "method_malformed": _("It does not say properly which key it was signed with."),
    "method_unknown": _("It names its key in a way that is not known here (%(detail)s)."),
    # --- who, when, taken back ------------------------------------------------------------------------------------
    "key_not_the_issuers": _("It names one issuer and was signed by another."),
    "issuer_not_known": _(
        "The signature fits its key, but we do not know whose key that is. Anybody can make one and write any name beside it."
    ),
    "date_malformed": _("One of its dates is none."),
    "dates_reversed": _("It ends before it begins."),
    "not_yet_valid": _("It counts only from %(detail)s."),
    "expired": _("It counted until %(detail)s."),
    "revoked": _("Its issuer has taken it back."),
    "suspended": _("Its issuer has suspended it for now."),
    "status_malformed": _("What it says about being taken back cannot be read."),
    "status_kind_unknown": _("Whether it was taken back stands in a kind of list that is not read here (%(detail)s)."),
    "status_not_checked": _(
        "Whether it was taken back stands in a list at %(detail)s. Nothing is fetched from elsewhere: download that list "
        "yourself and hand in both files."
    ),
    "status_list_refused": _("The list at %(detail)s is not its issuer’s, is out of date or cannot be read, so it decides nothing."),
    # --- our own records ------------------------------------------------------------------------------------------
    "not_by_our_key": _("It names us as its issuer and was not signed with a key of ours."),
    "records_unknown": _("It carries our signature, and our records have no certificate of this code."),
    "records_differ": _("It carries our signature, and our records say something else."),
    "records_changed": _("Our record of it was changed after it was issued."),
    "records_revoked": _("We revoked it."),
    "records_superseded": _("Another certificate took its place."),
    "records_expired": _("Its time is over."),
    # --- documents ------------------------------------------------------------------------------------------------
    "paper_signed": _("It carries our signature, and nothing was changed since."),
    "paper_not_ours": _("We did not issue this file, or it was changed or saved anew since."),
    "paper_signed_by_others": _("It is signed, and not by us."),
    "paper_changed": _("It was signed by us and changed since."),
    "paper_unreadable": _("The PDF is damaged or cut off. Ask for it again."),
    "paper_unsigned": _("The document itself is not signed, or not by us: what stands on the page is not covered by this answer."),
    "paper_code_missing": _("It carries our signature, and no code of a certificate."),
}  # fmt: skip

# Unusual, and no fault.
CAUTIONS: Final[dict[str, Promise]] = {
    "older_token_form": _("It is written in an older form of token."),
    "older_data_model": _("It follows an older edition of the standard for credentials."),
    "older_context": _("It follows an older edition of Open Badges 3."),
    "older_suite": _("It is signed in an older way."),
    "parts_not_checked": _("It is a collection. The badges inside it were not checked one by one."),
    "other_proofs_not_checked": _("It carries further signatures that are not read here."),
    "issuer_without_key": _("The issuer named in it has no key of its own; the name given here is that of the key."),
    "list_unreadable": _("The second file is no status list that can be read. It was left aside."),
    "list_not_used": _("The status list you handed in is of another address than the one named in the badge."),
    "paper_not_covered": _(
        "Only the badge inside the PDF was checked. What stands on its pages may say something else: go by what stands here."
    ),
}


def reason(code: str, detail: str = "") -> str:
    """Why something did not pass, in a sentence. An unknown code says that much and no more."""
    return str(REASONS.get(code, _("It did not pass."))) % {"detail": detail or _("not named")}


def passed(check: str) -> str:
    return str(PASSED[check])


def heading(check: str) -> str:
    return str(CHECKS[check])


def caution(code: str) -> str:
    return str(CAUTIONS.get(code, ""))
