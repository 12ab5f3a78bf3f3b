"""The form of a standing rule: what it gives as for any assignment, and conditions as groups of rows.

Without script a row is added or taken away by sending the form: it comes back with everything that was answered. Rows are
named c<group>-<row>-<field>; `kind` says which sort of condition a row is.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cached_property
from typing import Any, ClassVar

from django import forms
from django.conf import settings
from django.http import QueryDict
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from competencies.enums import MAX_RANK
from competencies.models import Competency
from competencies.searching import containing, words_of
from competencies.selectors import frameworks_own_first, published_profiles
from learning.asking import read_repeat
from learning.assign_forms import NO, YES, WhatForm, WhenForm
from learning.conditions import (
    MAX_CONDITIONS,
    MAX_DAYS,
    Condition,
    ConditionRefused,
    HasGrade,
    HasLanguage,
    HasManager,
    HasRole,
    HasTag,
    HoldsLevel,
    InUnit,
    Leaf,
    Mentions,
    Row,
    Started,
    from_rows,
    mentions,
    read_condition,
    read_rows,
    to_rows,
)
from learning.due_dates import DuePolicy, PolicyRefused, read_policy
from learning.enums import AssignmentKind, OnLeaving
from learning.hr import people_served
from learning.models import AssignmentRule
from learning.periods import RecurrenceRefused
from learning.rule_words import Names, language_name, names_of, role_name
from learning.rules import Said
from organisations.ids import as_id
from organisations.models import PersonTag, Post, Unit, User
from organisations.perms import units_served

MOST_TAGS = 500
MOST_FOUND = 8
_ROW = re.compile(r"c([0-9]{1,3})-([0-9]{1,3})-kind")
Choices = list[tuple[str, Any]]


class Offer:
    """What rows may choose from, read when the first of them asks. What a rule names already stays on offer."""

    def __init__(self, officer: User, named: Mentions) -> None:
        self.officer, self.named = officer, named

    @cached_property
    def names(self) -> Names:
        return names_of([self.named])

    @cached_property
    def units(self) -> dict[int, Unit]:
        served = {unit.pk: unit for unit in units_served(self.officer)}
        more = self.named.units - served.keys()
        return served | (Unit.objects.in_bulk(more) if more else {})

    @cached_property
    def unit_choices(self) -> Choices:
        return [(str(pk), "\u2003" * max(u.depth - 1, 0) + str(u.name)) for pk, u in self.units.items()]

    @cached_property
    def role_choices(self) -> Choices:
        profiles = list(published_profiles())
        order = frameworks_own_first({p.role.version.framework_id: p.role.version.framework.slug for p in profiles})
        grouped: dict[str, Choices] = {}
        for profile in sorted(profiles, key=lambda p: order.index(p.role.version.framework_id)):
            grouped.setdefault(str(profile.role.version.framework), []).append(
                (str(profile.lineage), role_name(profile))
            )
        offered = {lineage for group in grouped.values() for lineage, _name in group}
        more = [(lineage, self.names.roles.get(lineage, lineage)) for lineage in sorted(self.named.roles - offered)]
        return [*grouped.items(), *more]

    @cached_property
    def grade_choices(self) -> Choices:
        posts = Post.objects.filter(unit__in=list(self.units)).exclude(grade="").order_by()
        grades = {*posts.values_list("grade", flat=True).distinct(), *self.named.grades}
        return [(grade, grade) for grade in sorted(grades)]

    @cached_property
    def language_choices(self) -> Choices:
        more = sorted(self.named.languages - dict(settings.LANGUAGES).keys())
        return [*settings.LANGUAGES, *((code, language_name(code)) for code in more)]

    @cached_property
    def tag_choices(self) -> Choices:
        tags = PersonTag.objects.filter(person__in=people_served(self.officer).values("pk")).order_by("name")
        names = {*tags.values_list("name", flat=True).distinct()[:MOST_TAGS], *self.named.tags}
        return [(name, name) for name in sorted(names, key=str.casefold)]


# --- Rows ------------------------------------------------------------------------------------------------------------
class RowForm(forms.Form):
    """One condition. `verbs` are what it says, and what it says turned round."""

    sort: ClassVar[str]
    title: ClassVar[str | Promise]
    verbs: ClassVar[tuple[str | Promise, str | Promise]]

    says_optional = False

    kind = forms.CharField(widget=forms.HiddenInput, max_length=10)
    verb = forms.ChoiceField(
        label=_("Who"), required=False, error_messages={"invalid_choice": _("Choose one of the two.")}
    )
    field_order = ("kind", "verb")

    def __init__(self, *args: Any, offer: Offer, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.offer = offer
        self.fields["verb"].choices = [("", self.verbs[0]), ("not", self.verbs[1])]  # type: ignore[attr-defined]
        self.fields["kind"].initial = self.sort
        self.prepare()

    def prepare(self) -> None:
        """Fill in what there is to choose from."""

    def choose(self, name: str, choices: Choices, empty: str | Promise) -> None:
        self.fields[name].choices = [("", empty), *choices]  # type: ignore[attr-defined]

    def said(self) -> dict[str, Any]:
        """The condition as it is written down, of what is valid."""
        raise NotImplementedError("each sort of condition says how it is written down")

    def row(self) -> Row | None:
        """The row of a valid form; otherwise its errors say why there is none."""
        if not self.is_valid():
            return None
        said = {"is": self.sort, **self.said()}
        try:
            return read_rows([[{"not": said} if self.cleaned_data["verb"] == "not" else said]])[0][0]
        except ConditionRefused:
            self.add_error(None, _("This condition cannot be kept. Choose again."))
            return None

    @classmethod
    def raw_of(cls, leaf: Any, offer: Offer) -> dict[str, Any]:
        """What the row's fields hold for a condition already written down."""
        raise NotImplementedError("each sort of condition says how it is shown again")


class UnitRow(RowForm):
    sort, title = "unit", _("Unit")
    verbs = (_("is in"), _("is not in"))
    unit = forms.ChoiceField(
        label=_("Unit"),
        error_messages={
            "required": _("Choose the unit."),
            "invalid_choice": _("This unit is not among those you serve."),
        },
    )
    below = forms.BooleanField(label=_("Also the units below it"), required=False, initial=True)

    def prepare(self) -> None:
        self.choose("unit", self.offer.unit_choices, _("Choose a unit"))

    def said(self) -> dict[str, Any]:
        unit = self.offer.units[int(self.cleaned_data["unit"])]
        return {"unit": unit.pk, "path": unit.path, "below": self.cleaned_data["below"]}

    @classmethod
    def raw_of(cls, leaf: InUnit, offer: Offer) -> dict[str, Any]:
        return {"unit": str(leaf.unit), "below": leaf.below}


class RoleRow(RowForm):
    sort, title = "role", _("Role")
    verbs = (_("has the role"), _("does not have the role"))
    role = forms.ChoiceField(
        label=_("Role"),
        error_messages={
            "required": _("Choose the role."),
            "invalid_choice": _("This role is not offered any more. Choose another."),
        },
    )

    def prepare(self) -> None:
        self.choose("role", self.offer.role_choices, _("Choose a role"))

    def said(self) -> dict[str, Any]:
        return {"role": self.cleaned_data["role"]}

    @classmethod
    def raw_of(cls, leaf: HasRole, offer: Offer) -> dict[str, Any]:
        return {"role": leaf.role}


class GradeRow(RowForm):
    sort, title = "grade", _("Grade")
    verbs = (_("holds a post of grade"), _("holds no post of grade"))
    grade = forms.ChoiceField(
        label=_("Grade"),
        error_messages={
            "required": _("Choose the grade."),
            "invalid_choice": _("No post of your units has this grade. Choose another."),
        },
    )

    def prepare(self) -> None:
        self.choose("grade", self.offer.grade_choices, _("Choose a grade"))
        if not self.offer.grade_choices:
            self.fields["grade"].help_text = _(
                "No post in your units has a grade. Administrators enter grades under Content."
            )

    def said(self) -> dict[str, Any]:
        return {"grade": self.cleaned_data["grade"]}

    @classmethod
    def raw_of(cls, leaf: HasGrade, offer: Offer) -> dict[str, Any]:
        return {"grade": leaf.grade}


class LanguageRow(RowForm):
    sort, title = "language", _("Language")
    verbs = (_("reads in"), _("does not read in"))
    language = forms.ChoiceField(
        label=_("Language"),
        error_messages={"required": _("Choose the language."), "invalid_choice": _("Choose one of these languages.")},
    )

    def prepare(self) -> None:
        self.choose("language", self.offer.language_choices, _("Choose a language"))

    def said(self) -> dict[str, Any]:
        return {"language": self.cleaned_data["language"]}

    @classmethod
    def raw_of(cls, leaf: HasLanguage, offer: Offer) -> dict[str, Any]:
        return {"language": leaf.language}


class StartedRow(RowForm):
    sort, title = "started", _("Start in the post")
    verbs = (_("started in the post"), _("did not start in the post"))
    how = forms.ChoiceField(
        label=_("When"),
        choices=[
            ("after", _("on this day or later")),
            ("before", _("before this day")),
            ("days_ago_at_least", _("at least so many days ago")),
            ("days_ago_at_most", _("at most so many days ago")),
        ],
        error_messages={"required": _("Choose when."), "invalid_choice": _("Choose when.")},
    )
    on = forms.DateField(
        label=_("Day"), required=False, widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )
    days = forms.IntegerField(
        label=_("Days"),
        required=False,
        min_value=0,
        max_value=MAX_DAYS,
        widget=forms.NumberInput(attrs={"min": 0, "max": MAX_DAYS}),
    )

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        wanted, other = ("on", "days") if data.get("how") in {"after", "before"} else ("days", "on")
        self.errors.pop(other, None)
        if wanted not in self.errors and data.get(wanted) is None:
            self.add_error(wanted, _("Give the day.") if wanted == "on" else _("Give the number of days."))
        return data

    def said(self) -> dict[str, Any]:
        how = self.cleaned_data["how"]
        if how in {"after", "before"}:
            return {how: self.cleaned_data["on"].isoformat()}
        return {how: self.cleaned_data["days"]}

    @classmethod
    def raw_of(cls, leaf: Started, offer: Offer) -> dict[str, Any]:
        for how in ("after", "before"):
            if getattr(leaf, how) is not None:
                return {"how": how, "on": getattr(leaf, how).isoformat()}
        for how in ("days_ago_at_least", "days_ago_at_most"):
            if getattr(leaf, how) is not None:
                return {"how": how, "days": str(getattr(leaf, how))}
        return {}


class ManagerRow(RowForm):
    sort, title = "manager", _("Manager")
    verbs = (_("reports to"), _("does not report to"))
    email = forms.CharField(
        label=_("E-mail address of the manager"),
        max_length=254,
        error_messages={
            "required": _("Give the manager’s e-mail address."),
            "max_length": _("This is too long for an e-mail address."),
        },
    )

    def clean_email(self) -> User:
        email = self.cleaned_data["email"]
        named = User.objects.filter(pk__in=self.offer.named.people, email__iexact=email).first()
        person = named or User.objects.visible_to(self.offer.officer).active().filter(email__iexact=email).first()
        if person is None:
            raise forms.ValidationError(_("Nobody in the units you serve has this address."))
        return person

    def said(self) -> dict[str, Any]:
        return {"person": self.cleaned_data["email"].pk}

    @classmethod
    def raw_of(cls, leaf: HasManager, offer: Offer) -> dict[str, Any]:
        email = User.objects.filter(pk=leaf.person).values_list("email", flat=True).first()
        return {"email": email or ""}


class TagRow(RowForm):
    sort, title = "tag", _("Tag")
    verbs = (_("has the tag"), _("does not have the tag"))
    tag = forms.ChoiceField(
        label=_("Tag"),
        error_messages={
            "required": _("Choose the tag."),
            "invalid_choice": _("Nobody you serve has this tag. Choose another."),
        },
    )

    def prepare(self) -> None:
        self.choose("tag", self.offer.tag_choices, _("Choose a tag"))
        if not self.offer.tag_choices:
            self.fields["tag"].help_text = _("Nobody you serve has a tag. Administrators enter tags under Content.")

    def said(self) -> dict[str, Any]:
        return {"tag": self.cleaned_data["tag"]}

    @classmethod
    def raw_of(cls, leaf: HasTag, offer: Offer) -> dict[str, Any]:
        return {"tag": leaf.tag}


class LevelRow(RowForm):
    sort, title = "level", _("Level held")
    verbs = (_("holds the competency"), _("does not hold the competency"))
    competency = forms.CharField(
        label=_("Competency"),
        max_length=300,
        help_text=_("Its code or its name, as in the framework."),
        error_messages={
            "required": _("Name the competency."),
            "max_length": _("This is too long for a name. Its code is enough."),
        },
    )
    how = forms.ChoiceField(
        label=_("At"),
        choices=[("at_least", _("this level or above")), ("below", _("a level below this"))],
        error_messages={"required": _("Choose one of the two."), "invalid_choice": _("Choose one of the two.")},
    )
    rank = forms.ChoiceField(
        label=_("Level"),
        choices=[(str(rank), str(rank)) for rank in range(1, MAX_RANK + 1)],
        error_messages={"required": _("Choose the level."), "invalid_choice": _("Choose one of the levels shown.")},
    )

    def clean_competency(self) -> str:
        """The lineage of the one competency that is called so. Several are named, for her to choose."""
        text = " ".join(self.cleaned_data["competency"].replace("\0", " ").split())
        for lineage in self.offer.named.competencies:
            if self.offer.names.competencies.get(lineage) == text:
                return lineage
        rows = Competency.objects.published().select_related("version__framework")
        exact = list(rows.filter(code__iexact=text)[: MOST_FOUND + 1])
        found = exact or [c for c in containing(rows, words_of(text)).order_by("pk")[:200] if str(c.title) == text]
        if not found:
            found = list(containing(rows, words_of(text)).order_by("pk")[: MOST_FOUND + 1]) if words_of(text) else []
        if len(found) == 1:
            return str(found[0].lineage)
        if not found:
            raise forms.ValidationError(_("No competency in use is called so. Look it up under Frameworks."))
        shown = "; ".join(f"{c.code} {c.title} ({c.version.framework})" for c in found[:MOST_FOUND])
        raise forms.ValidationError(
            _("Several competencies fit: %(names)s. Give the code or the whole name of one."), params={"names": shown}
        )

    def said(self) -> dict[str, Any]:
        data = self.cleaned_data
        return {"competency": data["competency"], data["how"]: int(data["rank"])}

    @classmethod
    def raw_of(cls, leaf: HoldsLevel, offer: Offer) -> dict[str, Any]:
        how, rank = ("at_least", leaf.at_least) if leaf.at_least is not None else ("below", leaf.below)
        return {"competency": offer.names.competencies.get(leaf.competency, ""), "how": how, "rank": str(rank)}


SORTS: dict[str, type[RowForm]] = {
    row.sort: row for row in (UnitRow, RoleRow, GradeRow, LanguageRow, StartedRow, ManagerRow, TagRow, LevelRow)
}
_SORT_OF: dict[type[Leaf], str] = {
    InUnit: "unit", HasRole: "role", HasGrade: "grade", HasLanguage: "language", Started: "started",
    HasManager: "manager", HasTag: "tag", HoldsLevel: "level",
}  # fmt: skip
Raw = dict[str, Any]
RawGroups = list[list[Raw]]


def sent_rows(data: QueryDict) -> RawGroups:
    """The rows of a form as they were sent, group by group; what is no row is passed over, what is too much too."""
    places = sorted((int(m[1]), int(m[2])) for m in map(_ROW.fullmatch, data) if m)
    groups: dict[int, list[Raw]] = {}
    for group, row in places[:MAX_CONDITIONS]:
        prefix = f"c{group}-{row}"
        form = SORTS.get(data.get(f"{prefix}-kind", ""))
        if form is not None:
            groups.setdefault(group, []).append(
                {
                    name: f"{prefix}-{name}" in data
                    if isinstance(field, forms.BooleanField)
                    else _plain(data, prefix, name)
                    for name, field in form.base_fields.items()
                }
            )
    return list(groups.values())


def _plain(data: QueryDict, prefix: str, name: str) -> str:
    return data.get(f"{prefix}-{name}", "")


def rows_of_condition(condition: Condition, offer: Offer) -> RawGroups | None:
    """The rows that say a condition; None where the form cannot say it."""
    groups = to_rows(condition)
    if groups is None:
        return None
    return [
        [
            {
                "kind": _SORT_OF[type(row.leaf)],
                "verb": "not" if row.negated else "",
                **SORTS[_SORT_OF[type(row.leaf)]].raw_of(row.leaf, offer),
            }
            for row in group
        ]
        for group in groups
    ]


def change_rows(groups: RawGroups, do: str, data: QueryDict) -> RawGroups:
    """What a button makes of the rows: "and" (a new group), "or-<group>", "remove-<group>-<row>"."""
    groups = [list(group) for group in groups]
    verb, _dash, rest = do.partition("-")
    total = sum(len(group) for group in groups)
    numbers = [as_id(part) for part in rest.split("-")] if rest else []
    if verb == "and" and total < MAX_CONDITIONS:
        new = _new_row(data.get("new", ""))
        return [*groups, [new]] if new else groups
    if verb == "or" and len(numbers) == 1 and numbers[0] is not None and numbers[0] < len(groups):
        new = _new_row(data.get(f"new-{numbers[0]}", ""))
        if new and total < MAX_CONDITIONS:
            groups[numbers[0]].append(new)
    elif verb == "remove" and len(numbers) == 2 and None not in numbers:
        group, row = numbers
        if group is not None and row is not None and group < len(groups) and row < len(groups[group]):
            del groups[group][row]
    return [group for group in groups if group]


def _new_row(chosen: str) -> Raw | None:
    sort = chosen.removeprefix("c-")
    return {"kind": sort, "verb": "", "below": True} if sort in SORTS else None


def row_forms(groups: RawGroups, offer: Offer, *, bound: bool) -> list[list[RowForm]]:
    """The forms of the rows, numbered from the first; bound to be judged, or only to be shown."""
    made = []
    for g, group in enumerate(groups):
        forms_of_group = []
        for r, raw in enumerate(group):
            form, prefix = SORTS[raw["kind"]], f"c{g}-{r}"
            if bound:
                data = {f"{prefix}-{name}": value for name, value in raw.items() if value is not False}
                forms_of_group.append(form(data, prefix=prefix, offer=offer))
            else:
                forms_of_group.append(form(initial=raw, prefix=prefix, offer=offer))
        made.append(forms_of_group)
    return made


def condition_in(groups: Sequence[Sequence[RowForm]]) -> Condition | None:
    """What bound rows say together; None where one of them has errors, or there is none."""
    rows = [[form.row() for form in group] for group in groups]
    if not rows or any(row is None for group in rows for row in group):
        return None
    return from_rows([[row for row in group if row is not None] for group in rows])


# --- The rest of the rule --------------------------------------------------------------------------------------------
class UnitChoice(forms.ModelChoiceField):
    def label_from_instance(self, unit: Unit) -> str:
        return "\u2003" * max(unit.depth - 1, 0) + str(unit.name)

    def to_python(self, value: Any) -> Any:
        if value not in self.empty_values and not isinstance(value, Unit) and as_id(value) is None:
            raise forms.ValidationError(self.error_messages["invalid_choice"], code="invalid_choice")
        return super().to_python(value)


class RuleForm(forms.Form):
    title = forms.CharField(
        label=_("Title"),
        max_length=200,
        help_text=_("For HR, for example “Data protection for new managers”."),
        error_messages={"required": _("Give the rule a title.")},
    )
    unit = UnitChoice(
        label=_("For people of"),
        queryset=Unit.objects.none(),
        empty_label=_("Choose a unit"),
        help_text=_("The rule reaches this unit and those below it, never further."),
        error_messages={
            "required": _("Choose the unit whose people the rule is about."),
            "invalid_choice": _("This unit is not among those you serve."),
        },
    )
    on_leaving = forms.ChoiceField(
        label=_("Who no longer meets the conditions"),
        choices=[
            (OnLeaving.END.value, _("loses it; what is begun may be finished")),
            (OnLeaving.KEEP.value, _("keeps it, as if given by hand")),
            (OnLeaving.ARCHIVE.value, _("loses it, and it is put away, begun or not")),
        ],
        initial=OnLeaving.END.value,
        widget=forms.RadioSelect,
        error_messages={
            "required": _("Say what happens to those who no longer meet the conditions."),
            "invalid_choice": _("Say what happens to those who no longer meet the conditions."),
        },
    )

    def __init__(self, *args: Any, officer: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["unit"].queryset = units_served(officer)  # type: ignore[attr-defined]

    def clean_title(self) -> str:
        return " ".join(self.cleaned_data["title"].split())


def initial_of(rule: AssignmentRule) -> dict[str, Any]:
    """What the fields beside the conditions show of a rule."""
    try:
        policy = read_policy(rule.due_policy)
    except PolicyRefused:
        policy = DuePolicy()
    try:
        repeat = read_repeat(rule.repeat)
    except (RecurrenceRefused, TypeError):
        repeat = None
    return {
        "title": rule.title,
        "unit": rule.unit_id,
        "on_leaving": rule.on_leaving,
        "kind": rule.kind,
        "profile": rule.profile_id,
        "curated_path": rule.curated_path_id,
        "course": rule.course_key,
        "mandatory": YES if rule.mandatory else NO,
        "note": rule.note,
        "due": policy.kind,
        "due_on": policy.on,
        "due_days": policy.days or None,
        "due_course": policy.course_key,
        "repeat_months": repeat.every_months if repeat else None,
        "opens_days": repeat.opens_days_before if repeat else 90,
        "grace_days": repeat.grace_days if repeat else 0,
    }


def said_in(rule: RuleForm, what: WhatForm, when: WhenForm, condition: Condition) -> Said:
    """What valid forms say together."""
    data = what.cleaned_data
    return Said(
        title=rule.cleaned_data["title"],
        unit=rule.cleaned_data["unit"],
        condition=condition,
        kind=AssignmentKind(data["kind"]),
        on_leaving=OnLeaving(rule.cleaned_data["on_leaving"]),
        profile=data.get("profile") or None,
        curated_path=data.get("curated_path") or None,
        course_key=data.get("course") or "",
        mandatory=data.get("mandatory") != NO,
        note=data["note"],
        due_policy=when.due_policy(),
        repeat=when.cleaned_data["repeat"],
    )


def mentioned_by(rule: AssignmentRule | None) -> Mentions:
    if rule is None:
        return Mentions()
    try:
        return mentions(read_condition(rule.condition))
    except ConditionRefused:
        return Mentions()


def too_few_words() -> str:
    return gettext("Say whom the rule is about: add at least one condition. For everybody, add the unit itself.")
