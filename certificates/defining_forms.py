"""Forms in which HR lays down certificates: one for each kind, and those of an issuing body."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.utils.translation import get_language_info, gettext_lazy
from django.utils.translation import gettext as _

from certificates.defining import MOST_CRITERIA, MOST_TITLE, Said
from certificates.enums import Design, Kind
from certificates.models import IssuingBody, Signatory
from certificates.models.defining import COLOUR
from certificates.perms import bodies_open_to
from competencies.models import Competency, FrameworkVersion, ProficiencyLevel, RoleProfile
from competencies.selectors import published_versions
from courses.models import CoursePage
from learning.assign_forms import CourseChoice, PathChoice
from learning.curated_forms import UnitChoice, _in
from learning.forms import ProfileChoice
from learning.models import CuratedPath
from organisations.ids import ModelChoices, as_id
from organisations.models import Unit, User
from organisations.perms import units_served


class _ById:
    """Django lets numbers through to the database that it cannot take."""

    def to_python(self, value: Any) -> Any:
        field: Any = self
        if value not in field.empty_values and not hasattr(value, "pk") and as_id(value) is None:
            raise forms.ValidationError(field.error_messages["invalid_choice"], code="invalid_choice")
        return super().to_python(value)  # type: ignore[misc]


class RowChoice(_ById, forms.ModelChoiceField):
    """One row by id, grouped by framework."""

    def group(self, rows: list[tuple[FrameworkVersion, int, str]]) -> None:
        groups: dict[FrameworkVersion, list[tuple[int, str]]] = {}
        for version, pk, label in rows:
            groups.setdefault(version, []).append((pk, label))
        named = [
            (_("%(framework)s, edition %(edition)s") % {"framework": v.framework, "edition": v.edition}, options)
            for v, options in groups.items()
        ]
        self.choices = [("", self.empty_label), *named]


class PathOfDefinition(_ById, PathChoice):
    pass


class RoleOfDefinition(_ById, ProfileChoice):
    pass


class BodyChoice(RowChoice):
    def label_from_instance(self, body: IssuingBody) -> str:
        return body.name


class SignatoryChoices(ModelChoices):
    def label_from_instance(self, signatory: Signatory) -> str:
        return _("%(name)s, %(title)s (%(body)s)") % {
            "name": signatory.name, "title": signatory.title, "body": signatory.body.name,
        }  # fmt: skip


class DefinitionForm(forms.Form):
    """What is said of a certificate; the fields of its subject come with the kind."""

    kind: str = ""
    subject: tuple[str, ...] = ()

    def __init__(self, *args: Any, officer: User, said: Said | None = None, fixed: bool = False, **kwargs: Any) -> None:
        """`said` is what it says so far; `fixed`: what it is given for, and for whom, does not change any more."""
        super().__init__(*args, **kwargs)
        self.officer, self.said = officer, said
        self._subject_fields()
        self._unit_field()
        self._text_fields()
        self._time_fields()
        self._look_fields()
        if said is not None:
            self.initial = self._initial_of(said) | dict(self.initial or {})
        for name in (*self.subject, "unit") if fixed else ():
            self.fields[name].disabled = True

    # What it is given for: of each kind its own.
    def _subject_fields(self) -> None: ...

    def subject_of(self, said: Said) -> dict[str, Any]:
        return {name: getattr(said, name) for name in self.subject}

    def subject_said(self) -> dict[str, Any]:
        return {name: self.cleaned_data.get(name) for name in self.subject}

    def _unit_field(self) -> None:
        for_all = self.officer.is_superuser
        self.fields["unit"] = UnitChoice(
            label=_("For the people of"),
            queryset=units_served(self.officer),
            required=not for_all,
            empty_label=_("Everybody") if for_all else _("Choose a unit"),
            help_text=_(
                "Of this unit and those below it. Where a unit nearer to somebody has its own, that one counts."
            ),
            error_messages={
                "required": _("Choose the unit whose people it is for."),
                "invalid_choice": _("This unit is not among those you serve."),
            },
        )
        mandates = list(self.officer.hr_mandates.values_list("unit_id", flat=True)[:2])
        if len(mandates) == 1 and self.said is None and not for_all:
            self.fields["unit"].initial = mandates[0]

    def _text_fields(self) -> None:
        for code, language in _languages():
            self.fields[f"title_{code}"] = forms.CharField(
                label=_("Title in %(language)s") % {"language": language},
                help_text=_("As it stands on the certificate.") if code == settings.LANGUAGE_CODE else "",
                max_length=MOST_TITLE,
                required=code == settings.LANGUAGE_CODE,
                error_messages={"required": _("Write the title as it is to stand on the certificate.")},
            )
        for code, language in _languages():
            self.fields[f"criteria_{code}"] = forms.CharField(
                label=_("What it took, in %(language)s") % {"language": language},
                help_text=_(
                    "One or two sentences, for whoever checks it. Left empty, the usual sentence stands there."
                ),
                max_length=MOST_CRITERIA,
                required=False,
                widget=forms.Textarea(attrs={"rows": 2}),
            )

    def _time_fields(self) -> None:
        self.fields["validity_months"] = forms.IntegerField(
            label=_("Valid for so many months"),
            help_text=_("Leave it empty: without end."),
            required=False,
            min_value=1,
            max_value=600,
        )
        self.fields["renewal_months"] = forms.IntegerField(
            label=_("Can be renewed so many months before its end"),
            help_text=_("From then on the holder is told how. Renewed in time, no day is lost."),
            required=False,
            initial=3,
            min_value=0,
            max_value=60,
        )

    def _look_fields(self) -> None:
        bodies = bodies_open_to(self.officer)
        body = BodyChoice(
            queryset=bodies,
            label=_("Issued by"),
            required=False,
            empty_label=_("The body of each holder’s unit"),
            error_messages={"invalid_choice": _("Choose one of the bodies offered.")},
        )
        self.fields["body"] = body
        signing = Signatory.objects.filter(body__in=bodies.values("pk"), ended_at__isnull=True)
        self.fields["signatories"] = SignatoryChoices(
            queryset=signing.select_related("body").order_by("body__name", "position", "pk"),
            label=_("Signed by"),
            help_text=_("At most three of the body chosen. Nobody ticked: its first three."),
            required=False,
            widget=forms.CheckboxSelectMultiple,
            error_messages={"invalid_choice": _("Choose those who sign from the signatories of the body.")},
        )
        if not signing.exists():
            del self.fields["signatories"]
        self.fields["design"] = forms.ChoiceField(
            label=_("Design"), choices=Design.choices, required=False, initial=Design.FORMAL, widget=forms.RadioSelect
        )
        self.fields["language"] = forms.ChoiceField(
            label=_("Language of the document"),
            choices=[("", _("The holder’s")), *_languages()],
            required=False,
        )

    @property
    def parts(self) -> dict[str, str]:
        """The fields by what they answer, as the element for forms wants them named."""
        words = [name for name in self.fields if name.startswith(("title_", "criteria_"))]
        looks = [name for name in ("body", "signatories", "design", "language") if name in self.fields]
        return {
            "what": ",".join((*self.subject, "unit")),
            "words": ",".join(words),
            "time": "validity_months,renewal_months",
            "look": ",".join(looks),
        }

    @property
    def look_is_open(self) -> bool:
        """Whether somebody has said anything there, or has to put something right."""
        names = self.parts["look"].split(",")
        said = self.said
        return bool(self.errors.keys() & set(names)) or (
            said is not None and bool(said.body or said.language or said.design != Design.FORMAL)
        )

    def _initial_of(self, said: Said) -> dict[str, Any]:
        texts = {
            f"{name}_{code}": _in(getattr(said, name), code)
            for name in ("title", "criteria")
            for code, _language in settings.LANGUAGES
        }
        return {
            **texts,
            **self.subject_of(said),
            "unit": said.unit,
            "validity_months": said.validity_months,
            "renewal_months": said.renewal_months,
            "body": said.body,
            "signatories": said.signatories,
            "design": said.design,
            "language": said.language,
        }

    def said_now(self) -> Said:
        """Of a form that is valid."""
        data = self.cleaned_data
        renewal = data["renewal_months"]
        return Said(
            kind=self.kind,
            unit=data["unit"],
            title={code: data[f"title_{code}"] for code, _name in settings.LANGUAGES},
            criteria={code: data[f"criteria_{code}"] for code, _name in settings.LANGUAGES},
            validity_months=data["validity_months"],
            renewal_months=(3 if not data["validity_months"] else 0) if renewal is None else renewal,
            language=data["language"],
            design=data["design"] or Design.FORMAL,
            body=data["body"],
            signatories=tuple(data.get("signatories", ())),
            **self.subject_said(),
        )

    def refuse(self, field: str, sentence: str) -> None:
        """Put a refusal where it belongs."""
        named = {"title": f"title_{settings.LANGUAGE_CODE}", "criteria": f"criteria_{settings.LANGUAGE_CODE}"}
        where = named.get(field, field)
        self.add_error(where if where in self.fields else None, sentence)


def _choices(field: Any) -> list[Any]:
    return list(field.choices)


def _languages() -> list[tuple[str, str]]:
    return [(code, str(get_language_info(code)["name_translated"])) for code, _name in settings.LANGUAGES]


class CourseDefinitionForm(DefinitionForm):
    kind, subject = Kind.COURSE, ("course",)

    def _subject_fields(self) -> None:
        field = CourseChoice(
            label=_("Which course?"),
            help_text=_("In all its languages."),
            error_messages={
                "required": _("Choose a course."),
                "invalid_choice": _("This course is not offered any more. Choose another."),
            },
        )
        field.offer()
        if self.said is not None and self.said.course is not None:
            course = self.said.course
            if course.key not in dict(_choices(field)):  # no longer offered; the definition names it all the same
                field.choices = [*_choices(field), (course.key, course.title)]
        self.fields["course"] = field

    def subject_of(self, said: Said) -> dict[str, Any]:
        return {"course": said.course.key if said.course is not None else ""}

    def subject_said(self) -> dict[str, Any]:
        """The page in the installation's language, else the oldest."""
        key = self.cleaned_data["course"]
        before = self.said.course if self.said is not None else None
        if before is not None and before.key == key:
            return {"course": before}
        pages = list(CoursePage.objects.filter(key=key).order_by("-live", "pk"))
        own = [page for page in pages if page.language == settings.LANGUAGE_CODE]
        return {"course": next(iter([*own, *pages]), None)}


class PathDefinitionForm(DefinitionForm):
    kind, subject = Kind.PATH, ("path",)

    def _subject_fields(self) -> None:
        field = PathOfDefinition(
            label=_("Which learning path?"),
            error_messages={
                "required": _("Choose a path."),
                "invalid_choice": _("This path is not in use, or not yours to assign. Choose another."),
            },
        )
        field.offer(self.officer)
        path = self.said.path if self.said is not None else None
        offered = [pk for pk, _title in _choices(field) if pk]
        if path is not None and path.pk not in offered:  # put away since; the definition names it all the same
            choices = [*_choices(field), (path.pk, path.key)]
            field.queryset = CuratedPath.objects.filter(pk__in=[*offered, path.pk])
            field.choices = choices
        self.fields["path"] = field


class LevelDefinitionForm(DefinitionForm):
    kind, subject = Kind.LEVEL, ("competency", "level")

    def _subject_fields(self) -> None:
        versions = list(published_versions().filter(levels__rank__gt=0).distinct().select_related("framework"))
        if self.said is not None and self.said.level is not None and self.said.competency is not None:
            versions += [v for v in [self.said.competency.version] if v not in versions]
        by_id = {version.pk: version for version in versions}
        competency = RowChoice(
            queryset=Competency.objects.filter(version__in=versions).select_related("version"),
            label=_("Which competency?"),
            empty_label=_("Choose a competency"),
            error_messages={"required": _("Choose a competency."), "invalid_choice": _("Choose a competency.")},
        )
        rows = Competency.objects.filter(version__in=versions).order_by("version", "position", "code")
        competency.group(
            [
                (by_id[version_id], pk, str(title))
                for version_id, pk, title in rows.values_list("version_id", "pk", "title")
            ]
        )
        level = RowChoice(
            queryset=ProficiencyLevel.objects.filter(version__in=versions, rank__gt=0),
            label=_("At which level, or above?"),
            empty_label=_("Choose a level"),
            error_messages={"required": _("Choose a level."), "invalid_choice": _("Choose a level.")},
        )
        levels = ProficiencyLevel.objects.filter(version__in=versions, rank__gt=0).order_by("version", "rank")
        level.group([(by_id[one.version_id], one.pk, f"{one.rank} · {one.label}") for one in levels])
        self.fields["competency"], self.fields["level"] = competency, level


class RoleDefinitionForm(DefinitionForm):
    kind, subject = Kind.ROLE, ("role",)

    def _subject_fields(self) -> None:
        field = RoleOfDefinition(
            label=_("Which role?"),
            help_text=_("It is given to people who carry the role and show all that it requires."),
            error_messages={
                "required": _("Choose a role."),
                "invalid_choice": _("This role is not offered any more. Choose another."),
            },
        )
        field.offer()
        if self.said is not None and self.said.role is not None:
            role = self.said.role
            offered: Any = field.queryset
            field.queryset = offered | RoleProfile.objects.filter(pk=role.pk)
            known = {pk for _group, options in _choices(field)[1:] for pk, _label in options}
            if role.pk not in known:  # of an edition before; it is followed to the one in force
                field.choices = [*_choices(field), (role.pk, field.label_from_instance(role))]
        self.fields["role"] = field


FORMS: dict[str, type[DefinitionForm]] = {
    form.kind: form for form in (RoleDefinitionForm, LevelDefinitionForm, PathDefinitionForm, CourseDefinitionForm)
}


# --- Issuing bodies ----------------------------------------------------------------------------------------------
class BodyForm(forms.Form):
    name = forms.CharField(
        label=gettext_lazy("Name on the certificate"),
        max_length=200,
        error_messages={"required": gettext_lazy("Write the name as it is to stand on the certificate.")},
    )
    colour = forms.CharField(
        label=gettext_lazy("Colour"),
        max_length=7,
        initial=COLOUR,
        help_text=gettext_lazy("Of the strip and the title: # and six of 0-9 and A-F."),
        widget=forms.TextInput(attrs={"type": "color"}),
        error_messages={"required": gettext_lazy("Choose a colour.")},
    )


class NewBodyForm(BodyForm):
    def __init__(self, *args: Any, officer: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for_all = officer.is_superuser
        self.fields["unit"] = UnitChoice(
            label=_("Issues the certificates of"),
            queryset=units_served(officer) if not for_all else Unit.objects.order_by("path"),
            required=not for_all,
            empty_label=_("Everybody who has none of her own") if for_all else _("Choose a unit"),
            help_text=_("Of this unit and those below it that have none of their own."),
            error_messages={
                "required": _("Choose a unit."),
                "invalid_choice": _("This unit is not among those you serve."),
            },
        )
        self.order_fields(["unit", "name", "colour"])


class LogoForm(forms.Form):
    logo = forms.FileField(
        label=gettext_lazy("Picture"),
        help_text=gettext_lazy("PNG or JPEG, at most 500 kB and 2000 pixels a side."),
        error_messages={
            "required": gettext_lazy("Choose a picture."),
            "empty": gettext_lazy("The file is empty. Choose another."),
            "max_length": gettext_lazy("The name of the file is too long. Give it a shorter one."),
        },
        widget=forms.FileInput(attrs={"accept": "image/png,image/jpeg"}),
    )


class SignatoryForm(forms.Form):
    name = forms.CharField(
        label=gettext_lazy("Name of who signs"),
        max_length=120,
        error_messages={"required": gettext_lazy("Write the name of who signs, in 120 characters at most.")},
    )
    title = forms.CharField(
        label=gettext_lazy("As what"),
        max_length=160,
        help_text=gettext_lazy("Minister of Digital Affairs, say."),
        error_messages={"required": gettext_lazy("Write as what she or he signs, in 160 characters at most.")},
    )
