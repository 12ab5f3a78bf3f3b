"""A mail is plain text in the reader's language; its first line is the subject."""

from __future__ import annotations

import pytest

from organisations import mails
from tests.builders import make_person

pytestmark = pytest.mark.django_db


@pytest.fixture
def template(tmp_path, settings):
    (tmp_path / "note.txt").write_text(
        "{% load i18n %}{% translate 'Yes' %} <{{ what|safe }}>\n\nHello {{ person.get_short_name }}\n{{ site_url }}/learn/\n"
    )
    settings.TEMPLATES = [{**settings.TEMPLATES[0], "DIRS": [tmp_path, *settings.TEMPLATES[0]["DIRS"]]}]
    return "note"


def test_the_first_line_is_the_subject_in_the_reader_s_language(template, mailoutbox, settings):
    person = make_person("Ana Maria", language="es")
    assert mails.send(person, template, {"what": "a & b"})
    [mail] = mailoutbox
    assert (mail.subject, mail.to) == ("Sí <a & b>", [person.email])
    assert mail.body == f"Hello Ana\n{settings.SITE_URL}/learn/\n"


def test_a_subject_is_one_line_whatever_stands_in_it(template, mailoutbox):
    assert mails.send(make_person(), template, {"what": "a\r b\x0b\tc\u2028d"})
    assert mailoutbox[0].subject == "Yes <a b c d>"


def test_nobody_who_has_left_is_written_to(template, mailoutbox):
    assert not mails.send(make_person(is_active=False), template, {"what": ""})
    assert mailoutbox == []
