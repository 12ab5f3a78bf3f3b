"""Change in the CMS: an initiative is told in two languages, questionnaires change while they are drafts, results are not here."""

from __future__ import annotations

import re
from datetime import date, timedelta
from html import unescape
from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth.models import Group, Permission
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from i18nfield.strings import LazyI18nString
from wagtail.models import ModelLogEntry
from wagtail.snippets.models import get_snippet_models
from wagtail.test.utils.form_data import inline_formset, nested_form_data

from competencies.models.framework import in_languages
from readiness import questionnaire_editor as doors
from readiness.content import content_of
from readiness.enums import InitiativeStatus, InstrumentStatus, TeamRole
from readiness.instruments import make_ready, next_version
from readiness.loading import DATA, load_instrument
from readiness.models import Block, Champion, Impact, Initiative, Instrument, Item, Suggestion, TeamMember
from readiness.perms import CHANGE_EDITORS
from readiness.waves import reviewed_languages
from tests.builders import competency, make_framework, make_hr, make_person, make_profile, make_unit
from tests.competencies.test_editor import page, sentences
from tests.readiness.surveys import draft as draft_wave
from tests.readiness.surveys import make_initiative, make_instrument

pytestmark = pytest.mark.django_db
EDITED = {Initiative, Impact, Champion, Instrument, Block, Suggestion}


def cms(model: str, view: str, *args: Any) -> str:
    return reverse(f"wagtailsnippets_readiness_{model}:{view}", args=args)


@pytest.fixture
def editor(client):
    """Somebody of the group that tells of changes, with just its permissions."""
    person = make_person("Edith Editor")
    group = Group.objects.get(name=CHANGE_EDITORS)
    models = {model._meta.model_name for model in EDITED}
    told = group.permissions.filter(content_type__app_label="readiness").values_list("content_type__model", flat=True)
    assert set(told) == models
    person.groups.add(group)
    client.force_login(person)
    return person


@pytest.fixture
def unit(request):
    """The unit the editor serves as HR officer, where there is one."""
    ministry = make_unit("Ministry")
    if "editor" in request.fixturenames:
        make_hr(request.getfixturevalue("editor"), ministry)
    return ministry


@pytest.fixture
def shipped() -> Instrument:
    return load_instrument(path=DATA / "readiness-core.json")[0]


@pytest.fixture
def draft(shipped) -> Instrument:
    return next_version(instrument=shipped, by=None)


# --- What is edited here -----------------------------------------------------------------------------------------
def test_surveys_answers_and_results_have_no_page_in_the_cms():
    ours = {model for model in get_snippet_models() if model._meta.app_label == "readiness"}
    assert ours == EDITED
    for model in set(apps.get_app_config("readiness").get_models()) - EDITED:
        with pytest.raises(NoReverseMatch):
            cms(model._meta.model_name, "list")


@pytest.mark.parametrize("model", [model._meta.model_name for model in EDITED])
def test_nobody_without_permission_gets_to_them(client, model):
    client.force_login(make_person())
    for view in ("list", "add"):
        assert client.get(cms(model, view)).status_code in {302, 403}


def test_an_editor_finds_them_all_in_the_menu(client, editor):
    shown = page(client, "/cms/")
    for words in ("Change initiatives", "Questionnaires", "Blocks and statements", "Suggestions for low blocks"):
        assert words in shown


# --- An initiative ---------------------------------------------------------------------------------------------------
def of_initiative(unit: Any, **changes: Any) -> dict[str, Any]:
    words = {
        "title": ("One counter", "Ventanilla única"), "short_name": ("One counter", "Ventanilla única"),
        "summary": ("All services at one counter.", "Todo en una ventanilla."), "why": ("Five times.", "Cinco veces."),
    }  # fmt: skip
    empty = (
        "service_name", "evidence", "if_we_do_nothing", "for_citizens", "what_changes", "what_stays", "still_open",
        "decider",
    )  # fmt: skip
    texts = {f"{name}_{n}": text for name, both in words.items() for n, text in enumerate(both)}
    texts |= {f"{name}_{n}": "" for name in empty for n in (0, 1)}
    rows = {name: inline_formset([]) for name in ("role_impacts", "milestones", "needs", "team")}
    values = {
        "slug": "", "unit": unit.pk, "status": "published", "starts_on": "2026-11-01", "ends_on": "", **texts, **rows,
    }  # fmt: skip
    return nested_form_data(values | changes)


def test_an_initiative_is_told_in_two_languages_with_all_that_belongs_to_it(client, editor, unit):
    version = make_framework("ours", codes="AB")
    profile = make_profile(version, {"B": 1})
    lead, needed = make_person("Lead"), competency(version, "A")
    level = version.levels.get(rank=2)
    data = of_initiative(
        unit,
        milestones=inline_formset([{"on": "2026-12-01", "text_0": "First", "text_1": "Primera", "ORDER": "1"}]),
        role_impacts=inline_formset([{"profile": profile.pk, "text_0": "More", "text_1": "Más", "ORDER": "1"}]),
        needs=inline_formset(
            [
                {"competency": needed.pk, "level": level.pk, "profile": "", "by": "2027-01-01", "ORDER": "1"},
                {"competency": "", "level": "", "profile": profile.pk, "by": "2027-01-01", "ORDER": "2"},
            ]
        ),
        team=inline_formset([{"person": f" {lead.email.upper()} ", "role": "lead", "ORDER": "1"}]),
    )
    response = client.post(cms("initiative", "add"), data)
    assert response.status_code == 302, sentences(response)
    initiative = Initiative.objects.get()
    assert initiative.title.data == {"en": "One counter", "es": "Ventanilla única"}
    assert (initiative.slug, initiative.unit, initiative.updated_on) == ("one-counter", unit, timezone.localdate())
    assert [str(milestone.text) for milestone in initiative.milestones.all()] == ["First"]
    assert initiative.role_impacts.get().text.data["es"] == "Más"
    assert [(need.competency, need.profile) for need in initiative.needs.all()] == [(needed, None), (None, profile)]
    assert (initiative.team.get().person, initiative.team.get().role) == (lead, TeamRole.LEAD)


def test_two_initiatives_of_one_title_get_addresses_of_their_own(client, editor, unit):
    for _time in range(2):
        assert client.post(cms("initiative", "add"), of_initiative(unit)).status_code == 302
    assert set(Initiative.objects.values_list("slug", flat=True)) == {"one-counter", "one-counter-2"}


def test_saving_says_when_it_was_last_changed(client, editor, unit):
    initiative = make_initiative(unit, updated_on=date(2020, 1, 1))
    TeamMember.objects.filter(initiative=initiative).delete()
    data = of_initiative(unit, slug=initiative.slug)
    assert client.post(cms("initiative", "edit", initiative.pk), data).status_code == 302
    initiative.refresh_from_db()
    assert initiative.updated_on == timezone.localdate()


@pytest.mark.parametrize(
    ("rows", "sentence"),
    [
        (
            {"team": [{"person": "nobody@example.org", "role": "lead", "ORDER": "1"}]},
            "Nobody here has this e-mail address.",
        ),
        ({"team": [{"person": "a\0b", "role": "lead", "ORDER": "1"}]}, "Nobody here has this e-mail address."),
        (
            {"needs": [{"competency": "", "level": "", "profile": "", "by": "2027-01-01", "ORDER": "1"}]},
            "Name a competency with its level, or a role: one of the two.",
        ),
        ({"milestones": [{"on": "", "text_0": "x", "text_1": "", "ORDER": "1"}]}, "This field is required."),
    ],
)
def test_a_row_that_is_wrong_says_so_and_nothing_is_saved(client, editor, unit, rows, sentence):
    data = of_initiative(unit, **{name: inline_formset(some) for name, some in rows.items()})
    response = client.post(cms("initiative", "add"), data)
    assert response.status_code == 200
    assert sentence in sentences(response)
    assert not Initiative.objects.exists()


def test_nobody_does_the_same_twice_in_a_team(client, editor, unit):
    lead = make_person("Lead")
    rows = [{"person": lead.email, "role": "lead", "ORDER": str(n)} for n in (1, 2)]
    response = client.post(cms("initiative", "add"), of_initiative(unit, team=inline_formset(rows)))
    assert response.status_code == 200
    assert "duplicate" in unescape(response.content.decode())
    assert not Initiative.objects.exists()


def test_a_level_belongs_to_the_framework_of_its_competency(client, editor, unit):
    ours, theirs = make_framework("ours"), make_framework("theirs")
    row = {"competency": competency(ours, "A").pk, "level": theirs.levels.get(rank=1).pk, "profile": "",
           "by": "2027-01-01", "ORDER": "1"}  # fmt: skip
    response = client.post(cms("initiative", "add"), of_initiative(unit, needs=inline_formset([row])))
    assert "This level belongs to another framework than the competency." in sentences(response)


def test_the_form_shows_people_by_their_address_and_keeps_them(client, editor, unit):
    initiative = make_initiative(unit)
    shown = page(client, cms("initiative", "edit", initiative.pk))
    for member in initiative.team.all():
        assert f'value="{member.person.email}"' in shown


@pytest.mark.parametrize("status", [InitiativeStatus.PUBLISHED, InitiativeStatus.DRAFT])
def test_what_people_have_read_or_been_asked_about_is_not_deleted(client, editor, unit, status):
    initiative = make_initiative(unit)
    draft_wave(initiative, make_instrument(), at=timezone.now() + timedelta(days=1))
    Initiative.objects.filter(pk=initiative.pk).update(status=status)
    response = client.post(cms("initiative", "delete", initiative.pk), follow=True)
    assert "it is ended, not deleted" in sentences(response) or "it stays" in sentences(response)
    assert Initiative.objects.filter(pk=initiative.pk).exists()


def test_a_draft_that_nobody_has_seen_is_deleted(client, editor, unit):
    initiative = make_initiative(unit, status=InitiativeStatus.DRAFT)
    assert client.post(cms("initiative", "delete", initiative.pk)).status_code == 302
    assert not Initiative.objects.exists()


# --- Whose initiatives -------------------------------------------------------------------------------------------
@pytest.fixture
def foreign(unit):
    """A change of a unit the editor has nothing to do with, with a champion and an impact."""
    elsewhere = make_unit("Elsewhere")
    change = make_initiative(elsewhere, title={"en": "Not for Edith"}, status=InitiativeStatus.DRAFT)
    Champion.objects.create(initiative=change, person=make_person("Far Champion"), unit=elsewhere)
    Impact.objects.create(initiative=change, unit=elsewhere, people=3)
    return change


def things_of(change: Initiative) -> list[tuple[str, Any]]:
    return [("initiative", change), ("champion", change.champions.get()), ("impact", change.impacts.get())]


def test_an_editor_finds_changes_of_her_units_and_those_she_works_for(client, editor, unit, foreign):
    make_initiative(make_unit("Below", parent=unit), title={"en": "Of a unit below"})
    team = make_initiative(make_unit(), title={"en": "Of her team"})
    TeamMember.objects.create(initiative=team, person=editor, role=TeamRole.EDITOR)
    seen = page(client, cms("initiative", "list"))
    assert "Of a unit below" in seen and "Of her team" in seen
    assert "Not for Edith" not in seen
    assert client.get(cms("initiative", "edit", team.pk)).status_code == 200


@pytest.mark.parametrize("n", range(3), ids=["initiative", "champion", "impact"])
def test_what_is_of_other_units_is_as_good_as_none(client, editor, foreign, n):
    model, thing = things_of(foreign)[n]
    for view in ("edit", "delete", "usage", "history", "history_results"):
        assert client.get(cms(model, view, thing.pk)).status_code == 404, view
    for view in ("edit", "delete"):
        assert client.post(cms(model, view, thing.pk), {}).status_code == 404, view
    address = f"/cms/bulk/readiness/{model}/delete/?id={thing.pk}"
    for response in (client.get(address), client.post(address)):
        assert response.status_code in {302, 403}
        assert str(thing) not in response.content.decode()
    assert type(thing).objects.filter(pk=thing.pk).exists()
    for view in ("list", "list_results"):
        shown = client.get(cms(model, view)).content.decode()
        assert "Not for Edith" not in shown and "Far Champion" not in shown and "Elsewhere" not in shown


@pytest.mark.parametrize("n", range(3), ids=["initiative", "champion", "impact"])
def test_nothing_of_other_units_is_chosen(client, editor, foreign, n):
    thing = things_of(foreign)[n][1]
    chooser = type(thing).snippet_viewset.chooser_viewset
    for view in ("choose", "choose_results"):
        assert str(thing) not in client.get(reverse(chooser.get_url_name(view))).content.decode()
    assert client.get(reverse(chooser.get_url_name("chosen"), args=[thing.pk])).status_code == 404
    many = client.get(f"{reverse(chooser.get_url_name('chosen_multiple'))}?id={thing.pk}&multiple=1")
    assert str(thing) not in many.content.decode()


def test_what_is_hers_is_chosen(client, editor, unit):
    change = make_initiative(unit)
    chooser = Initiative.snippet_viewset.chooser_viewset
    for address in (
        reverse(chooser.get_url_name("choose")),
        reverse(chooser.get_url_name("chosen"), args=[change.pk]),
        f"{reverse(chooser.get_url_name('chosen_multiple'))}?id={change.pk}&multiple=1",
    ):
        assert "One counter" in client.get(address).content.decode()


def test_champions_and_impacts_are_of_her_own_changes(client, editor, unit, foreign):
    data = {"initiative": foreign.pk, "person": make_person().email, "unit": unit.pk, "hours_month": "4"}
    assert client.post(cms("champion", "add"), data).status_code == 200
    data = {
        "initiative": foreign.pk, "unit": unit.pk, "people": "1", "role": "0", "process": "0", "tool": "0", "skill": "0",
        "workload": "0", "identity": "0", "mitigation_0": "", "mitigation_1": "",
    }  # fmt: skip
    assert client.post(cms("impact", "add"), data).status_code == 200
    assert Champion.objects.count() == Impact.objects.count() == 1
    # Neither moves away from her to somebody else's.
    mine = Champion.objects.create(initiative=make_initiative(unit), person=make_person(), unit=unit)
    data = {"initiative": foreign.pk, "person": mine.person.email, "unit": unit.pk, "hours_month": "4"}
    assert client.post(cms("champion", "edit", mine.pk), data).status_code == 200
    mine.refresh_from_db()
    assert mine.initiative != foreign


def test_a_change_is_begun_and_moved_within_units_she_serves(client, editor, unit):
    sentence = "You tell of changes of units you serve as HR officer: choose one of those."
    elsewhere, below = make_unit("Elsewhere"), make_unit("Below", parent=unit)
    assert sentence in sentences(client.post(cms("initiative", "add"), of_initiative(elsewhere)))
    assert not Initiative.objects.exists()
    assert client.post(cms("initiative", "add"), of_initiative(unit)).status_code == 302
    change = Initiative.objects.get()
    address = cms("initiative", "edit", change.pk)
    assert sentence in sentences(client.post(address, of_initiative(elsewhere, slug=change.slug)))
    assert client.post(address, of_initiative(below, slug=change.slug)).status_code == 302
    change.refresh_from_db()
    assert change.unit == below


@pytest.fixture
def told(editor):
    """A change of another unit, in whose team the editor is to tell of it."""
    change = make_initiative(make_unit("Elsewhere"))
    change.team.all().delete()
    TeamMember.objects.create(initiative=change, person=editor, role=TeamRole.EDITOR)
    return change


def of_team(change: Initiative, *more: dict[str, str]) -> Any:
    rows = [
        {"id": one.pk, "person": one.person.email, "role": one.role, "ORDER": str(n)}
        for n, one in enumerate(change.team.all(), start=1)
    ]
    return inline_formset([*rows, *more], initial=len(rows))


def test_who_only_tells_of_a_change_writes_it_where_it_is(client, editor, told):
    data = of_initiative(told.unit, slug=told.slug, title_0="Told anew", team=of_team(told))
    assert client.post(cms("initiative", "edit", told.pk), data).status_code == 302
    told.refresh_from_db()
    assert told.title.data["en"] == "Told anew"
    # But she begins none: no unit is hers.
    assert client.get(cms("initiative", "add")).status_code in {302, 403}
    assert client.post(cms("initiative", "add"), of_initiative(told.unit)).status_code in {302, 403}
    assert Initiative.objects.count() == 1


@pytest.mark.parametrize("role", [TeamRole.LEAD, TeamRole.APPROVER, TeamRole.STEWARD])
def test_who_only_tells_of_a_change_makes_nobody_run_it(client, editor, told, role):
    more = {"person": editor.email, "role": role, "ORDER": "2"}
    response = client.post(
        cms("initiative", "edit", told.pk), of_initiative(told.unit, slug=told.slug, team=of_team(told, more))
    )
    assert "Who is in the team is decided by its sponsor and lead, and by HR of the unit." in sentences(response)
    assert [member.role for member in told.team.all()] == [TeamRole.EDITOR]


def test_an_administrator_finds_all(client, foreign, unit):
    client.force_login(make_person(is_superuser=True, is_staff=True))
    assert "Not for Edith" in page(client, cms("initiative", "list"))
    for model, thing in things_of(foreign):
        assert client.get(cms(model, "edit", thing.pk)).status_code == 200
    data = of_initiative(foreign.unit, slug=foreign.slug, status="draft", team=of_team(foreign))
    assert client.post(cms("initiative", "edit", foreign.pk), data).status_code == 302


@pytest.mark.parametrize("model", ["initiative", "champion", "impact"])
def test_lists_ask_as_many_queries_for_ten_as_for_one(client, editor, unit, count_queries, model):
    def another() -> None:
        change = make_initiative(make_unit(parent=unit))
        Champion.objects.create(initiative=change, person=make_person(), unit=unit)
        Impact.objects.create(initiative=change, unit=make_unit(parent=unit), people=3)

    another()
    client.get(cms(model, "list"))
    few = count_queries(lambda: client.get(cms(model, "list")).content)
    for _time in range(9):
        another()
    many = count_queries(lambda: client.get(cms(model, "list")).content)
    # The filter by initiative is a choice of all of hers, however many: one query.
    assert many == few


# --- Champions, impacts, suggestions -----------------------------------------------------------------------------
def test_a_champion_is_named_by_her_address(client, editor, unit):
    initiative, person = make_initiative(unit), make_person("Clara Champion")
    data = {"initiative": initiative.pk, "person": person.email, "unit": unit.pk, "hours_month": "4"}
    assert client.post(cms("champion", "add"), data).status_code == 302
    assert Champion.objects.get().person == person
    assert f'value="{person.email}"' in page(client, cms("champion", "edit", Champion.objects.get().pk))


def test_how_much_changes_is_said_in_words(client, editor, unit):
    initiative = make_initiative(unit)
    assert "a great deal" in page(client, cms("impact", "add"))
    data = {
        "initiative": initiative.pk, "unit": unit.pk, "people": "12", "role": "0", "process": "3", "tool": "3",
        "skill": "2", "workload": "1", "identity": "0", "mitigation_0": "Time", "mitigation_1": "Tiempo",
    }  # fmt: skip
    assert client.post(cms("impact", "add"), data).status_code == 302
    impact = Impact.objects.get()
    assert (impact.process, impact.workload, impact.mitigation.data["es"]) == (3, 1, "Tiempo")
    response = client.post(cms("impact", "edit", impact.pk), data | {"role": "4"})
    assert response.status_code == 200


def test_a_suggestion_is_for_a_block_that_some_questionnaire_has(client, editor, shipped):
    data = {"block": "why", "kind": "guide", "order": "1", "title_0": "Talk", "title_1": "", "text_0": "", "text_1": "",
            "link": ""}  # fmt: skip
    assert client.post(cms("suggestion", "add"), data | {"block": "nothing"}).status_code == 200
    assert client.post(cms("suggestion", "add"), data).status_code == 302
    assert Suggestion.objects.get().block == "why"


def test_blocks_of_suggestions_read_as_what_they_are_called(client, editor, shipped):
    for block in ("citizen_focus", "why", "gone"):
        Suggestion.objects.create(block=block, kind="guide", title=LazyI18nString({"en": f"Help for {len(block)}"}))
    called = str(Block.objects.get(instrument=shipped, code="citizen_focus").title)
    assert called
    listed = page(client, cms("suggestion", "list"))
    rows = "".join(re.findall(r'<table[^>]*class="[^"]*listing.*?</table>', listed, re.DOTALL))
    table = " ".join(re.sub(r"<[^>]*>", " ", rows).split())
    assert "Help for 13" in table
    assert called in table
    assert "citizen_focus" not in table
    assert "gone" in table  # no questionnaire has it any more: there are no other words for it
    only = page(client, f"{cms('suggestion', 'list')}?block=why")
    assert "Help for 3" in only
    assert "Help for 13" not in only
    assert "Help for 3" not in page(client, f"{cms('suggestion', 'list')}?block=citizen_focus")
    options = dict(
        re.findall(r'<option value="(\w+)"[^>]*>\s*([^<]*?)\s*</option>', page(client, cms("suggestion", "add")))
    )
    assert options["citizen_focus"] == called


def test_two_blocks_of_one_name_are_told_apart_by_their_codes(client, editor, shipped):
    why = Block.objects.get(instrument=shipped, code="why")
    Block.objects.filter(instrument=shipped, code="support").update(title=why.title)
    called = str(why.title)
    words = doors.block_words()
    assert (words["why"], words["support"]) == (f"{called} (why)", f"{called} (support)")
    assert words["benefit"] == str(Block.objects.get(instrument=shipped, code="benefit").title)


# --- Questionnaires ----------------------------------------------------------------------------------------------
LANGUAGES = ("en", "es", "pt", "fr")


def in_four(name: str, text: Any) -> dict[str, str]:
    return {f"{name}_{n}": in_languages(text).get(language, "") for n, language in enumerate(LANGUAGES)}


def of_instrument(instrument: Instrument, **changes: Any) -> dict[str, Any]:
    blocks = [
        {"id": b.pk, "code": b.code, "kind": b.kind, **in_four("title", b.title), "ORDER": str(n)}
        for n, b in enumerate(instrument.blocks.all(), start=1)
    ]
    questions = [
        {"id": q.pk, "code": q.code, "pulse": "on" if q.pulse else "", **in_four("text", q.text), "ORDER": str(n)}
        for n, q in enumerate(instrument.questions.all(), start=1)
    ]
    values = {
        **in_four("title", instrument.title), **in_four("about", instrument.about), "answers": "readiness-core",
        "minutes": instrument.minutes, "licence": instrument.licence, "attribution": instrument.attribution,
        "source": instrument.source, "blocks": inline_formset(blocks, initial=len(blocks)),
        "questions": inline_formset(questions, initial=len(questions)),
    }  # fmt: skip
    return nested_form_data(values) | changes


def of_block(block: Block, **changes: Any) -> dict[str, Any]:
    items = [
        {"id": i.pk, "code": i.code, "pulse": "on" if i.pulse else "", **in_four("text", i.text), "ORDER": str(n)}
        for n, i in enumerate(block.items.all(), start=1)
    ]
    values = {
        **in_four("about", block.about), **in_four("lead_in", block.lead_in),
        "items": inline_formset(items, initial=len(items)),
    }  # fmt: skip
    return nested_form_data(values) | changes


def test_saving_a_draft_as_it_is_loses_no_language_and_no_review(client, editor, draft):
    before = content_of(draft)
    assert client.post(cms("instrument", "edit", draft.pk), of_instrument(draft)).status_code == 302
    block = draft.blocks.all()[0]
    assert client.post(cms("block", "edit", block.pk), of_block(block)).status_code == 302
    assert content_of(draft) == before
    assert reviewed_languages(draft) == ["en"]


def test_a_questionnaire_of_ones_own_is_written_reviewed_and_made_ready(client, editor, shipped):
    data = {
        "slug": "our-own", "title_0": "Our own", "title_1": "La nuestra", "title_2": "", "title_3": "",
        "answers": "readiness-core", "minutes": "2", "licence": "CC0-1.0", "attribution": "", "source": "",
        "blocks": inline_formset(
            [{"code": "calm", "kind": "outcome", "title_0": "It is calm", "title_1": "Hay calma", "ORDER": "1"}]
        ),
        "questions": inline_formset([]),
    } | {f"about_{n}": "" for n in range(4)}  # fmt: skip
    response = client.post(cms("instrument", "add"), nested_form_data(data))
    assert response.status_code == 302, sentences(response)
    instrument = Instrument.objects.get(slug="our-own")
    assert (instrument.scale, instrument.status) == (shipped.scale, InstrumentStatus.DRAFT)
    look = cms("instrument", "inspect", instrument.pk)
    assert "needs at least 2" in page(client, look)
    client.post(cms("instrument", "make_ready", instrument.pk))
    assert Instrument.objects.get(pk=instrument.pk).status == InstrumentStatus.DRAFT

    block = instrument.blocks.get()
    rows = [
        {"code": f"calm{n}", "text_0": f"Calm {n}", "text_1": f"Calma {n}", "text_2": "", "text_3": "", "ORDER": str(n)}
        for n in (1, 2)
    ]
    data = {**in_four("about", block.about), **in_four("lead_in", block.lead_in), "items": inline_formset(rows)}
    response = client.post(cms("block", "edit", block.pk), nested_form_data(data))
    assert response.url == look, sentences(response)
    client.post(cms("instrument", "review", instrument.pk), {"language": "en", "note": "Five of us read it"})
    assert "Five of us read it" in page(client, look)
    assert "Make ready for use" in page(client, look)
    client.post(cms("instrument", "make_ready", instrument.pk))
    assert Instrument.objects.get(pk=instrument.pk).status == InstrumentStatus.READY
    entry = ModelLogEntry.objects.get(action="readiness.make_instrument_ready", object_id=instrument.pk)
    assert entry.user == editor


def test_a_short_name_is_given_once(client, editor, shipped):
    data = nested_form_data(
        {"slug": "readiness-core", "title_0": "X", "answers": "oric", "minutes": "1", "licence": "x",
         "blocks": inline_formset([]), "questions": inline_formset([])}
    )  # fmt: skip
    assert "There is a questionnaire with this short name." in sentences(client.post(cms("instrument", "add"), data))


def test_answers_are_chosen_among_scales_that_are_tried_and_stay_where_they_are_others(client, editor, draft):
    assert client.post(cms("instrument", "edit", draft.pk), of_instrument(draft, answers="mine")).status_code == 200
    own = [{"value": value, "text": {"en": f"Label {value}"}} for value in (1, 2, 3, 4, 5)]
    draft.refresh_from_db()
    draft.scale = own
    draft.save()
    assert "Label 1 … Label 5" in page(client, cms("instrument", "edit", draft.pk))
    client.post(cms("instrument", "edit", draft.pk), of_instrument(draft, answers="as-it-is"))
    assert Instrument.objects.get(pk=draft.pk).scale == own
    client.post(cms("instrument", "edit", draft.pk), of_instrument(draft, answers="oric"))
    assert len(Instrument.objects.get(pk=draft.pk).scale) == 5
    assert Instrument.objects.get(pk=draft.pk).scale != own


def test_a_survey_takes_some_time(client, editor, draft):
    assert client.post(cms("instrument", "edit", draft.pk), of_instrument(draft, minutes="0")).status_code == 200


def test_rewording_in_the_cms_takes_the_review_back_and_the_page_says_so(client, editor, draft):
    block = draft.blocks.all()[0]
    client.post(cms("block", "edit", block.pk), of_block(block) | {"items-0-text_0": "I know why {initiative} comes."})
    assert reviewed_languages(draft) == []
    assert "No language has been reviewed yet." in page(client, cms("instrument", "inspect", draft.pk))


@pytest.fixture(params=["ready", "retired"])
def frozen(request, client, editor, shipped) -> Instrument:
    if request.param == "retired":
        client.post(cms("instrument", "retire", shipped.pk))
        shipped.refresh_from_db()
    return shipped


def test_no_form_changes_or_deletes_what_is_frozen(client, editor, frozen):
    before, block = content_of(frozen), frozen.blocks.all()[0]
    for response in (
        client.get(cms("instrument", "edit", frozen.pk)),
        client.post(cms("instrument", "edit", frozen.pk), of_instrument(frozen) | {"title_0": "Other"}),
        client.get(cms("block", "edit", block.pk)),
        client.post(cms("block", "edit", block.pk), of_block(block) | {"items-0-text_0": "Other"}),
        client.post(cms("instrument", "delete", frozen.pk)),
        client.post(f"/cms/bulk/readiness/instrument/delete/?id={frozen.pk}"),
        client.post(f"/cms/bulk/readiness/block/delete/?id={block.pk}"),
    ):
        assert response.status_code in {302, 403}
    assert content_of(frozen) == before
    for model, thing in (("instrument", frozen), ("block", block)):
        with pytest.raises(NoReverseMatch):
            cms(model, "copy", thing.pk)


def test_a_form_that_was_open_when_it_was_made_ready_saves_nothing(client, editor, draft, monkeypatch):
    """Between looking and locking somebody else makes it ready."""
    before, hold = content_of(draft), doors.hold

    def overtaken(instrument: Instrument) -> Instrument:
        make_ready(instrument=instrument, by=None)
        return hold(instrument)

    monkeypatch.setattr(doors, "hold", overtaken)
    response = client.post(
        cms("instrument", "edit", draft.pk), of_instrument(draft) | {"title_0": "Other"}, follow=True
    )
    assert "no draft any more" in sentences(response)
    assert content_of(draft)["instrument"] == before["instrument"]


def test_blocks_come_and_go_on_the_page_of_their_questionnaire(client, editor, draft):
    block = draft.blocks.all()[0]
    assert client.get(cms("block", "add")).status_code in {302, 403}
    assert client.post(cms("block", "delete", block.pk)).status_code in {302, 403}
    client.post(f"/cms/bulk/readiness/block/delete/?id={block.pk}")
    assert Block.objects.filter(pk=block.pk).exists()
    client.post(cms("instrument", "edit", draft.pk), of_instrument(draft) | {"blocks-0-DELETE": "on"})
    assert not Block.objects.filter(pk=block.pk).exists()
    assert not Item.objects.filter(block_id=block.pk).exists()


def test_a_draft_is_deleted_with_its_parts_but_not_while_a_survey_is_prepared_with_it(client, editor, unit, draft):
    wave = draft_wave(make_initiative(unit), draft, at=timezone.now() + timedelta(days=1))
    response = client.post(cms("instrument", "delete", draft.pk), follow=True)
    assert "A survey is being prepared with this questionnaire." in sentences(response)
    wave.delete()
    assert client.post(cms("instrument", "delete", draft.pk)).status_code == 302
    assert not Instrument.objects.filter(pk=draft.pk).exists()


def test_the_next_version_leads_to_its_own_page(client, editor, shipped):
    first, again = (client.post(cms("instrument", "next_version", shipped.pk)) for _time in range(2))
    made = Instrument.objects.get(slug="readiness-core", version=2)
    assert first.url == again.url == cms("instrument", "inspect", made.pk)


def test_a_language_that_lacks_texts_is_not_reviewed_and_the_sentence_says_what_it_lacks(client, editor, draft):
    item = Item.objects.filter(block__instrument=draft)[0]
    item.text = {language: words for language, words in item.text.data.items() if language != "fr"}
    item.save()
    response = client.post(cms("instrument", "review", draft.pk), {"language": "fr", "note": ""}, follow=True)
    assert "Français: these texts are missing: why1." in sentences(response)
    for language in ("xx", "", "\0"):
        assert client.post(cms("instrument", "review", draft.pk), {"language": language}).status_code == 302
    assert reviewed_languages(draft) == ["en"]


def test_a_review_is_withdrawn_on_the_same_page(client, editor, shipped):
    client.post(cms("instrument", "review", shipped.pk), {"language": "es", "note": "Read"})
    assert reviewed_languages(shipped) == ["en", "es"]
    client.post(cms("instrument", "withdraw", shipped.pk), {"language": "es"})
    assert reviewed_languages(shipped) == ["en"]


def test_who_may_not_change_questionnaires_presses_nothing(client, editor, draft):
    group = Group.objects.get(name=CHANGE_EDITORS)
    group.permissions.remove(Permission.objects.get(codename="change_instrument"))
    for action in ("make_ready", "retire", "next_version", "review", "withdraw"):
        assert client.post(cms("instrument", action, draft.pk), {"language": "es"}).status_code in {302, 403}
        assert client.get(cms("instrument", action, draft.pk)).status_code == 405
    draft.refresh_from_db()
    assert (draft.status, reviewed_languages(draft)) == (InstrumentStatus.DRAFT, ["en"])
    assert "Make ready for use" not in page(client, cms("instrument", "inspect", draft.pk))


def test_the_pages_open_whatever_the_questionnaire_is(client, editor, shipped, draft):
    block = draft.blocks.all()[6]
    for url in (
        cms("instrument", "list"), cms("instrument", "inspect", shipped.pk), cms("block", "list"),
        f"{cms('block', 'list')}?instrument={draft.pk}", cms("block", "inspect", shipped.blocks.all()[0].pk),
        cms("suggestion", "list"), cms("initiative", "list"), cms("impact", "list"), cms("champion", "list"),
    ):  # fmt: skip
        assert client.get(url).status_code == 200
    assert "Si aún no conoce {service}" in page(client, cms("block", "edit", block.pk))
