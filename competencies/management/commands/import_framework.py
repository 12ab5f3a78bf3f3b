"""manage.py import_framework PATH: read a framework from a file or a folder and store it as a new version."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from competencies import importers
from competencies.importers import CannotImport, FrameworkContent
from competencies.lifecycle import (
    confirm_certain,
    objections_to_publishing,
    propose_crosswalk,
    publish_version,
)
from competencies.loading import edition_of, load_framework, same_version
from competencies.models import FrameworkVersion

SHOWN_DEVIATIONS = 20
SHOWN_FAULTS = 50
LABELS = {
    "levels": gettext_lazy("Levels"),
    "areas": gettext_lazy("Areas"),
    "families": gettext_lazy("Role families"),
    "competencies": gettext_lazy("Competencies"),
    "competencies_competency": gettext_lazy("of them competencies"),
    "competencies_skill": gettext_lazy("of them skills"),
    "competencies_knowledge": gettext_lazy("of them knowledge"),
    "competencies_task": gettext_lazy("of them tasks"),
    "competencies_tool": gettext_lazy("of them technology"),
    "competencies_statement": gettext_lazy("of them statements"),
    "competencies_outcome": gettext_lazy("of them learning outcomes"),
    "descriptors": gettext_lazy("Level descriptors"),
    "roles": gettext_lazy("Roles"),
    "profiles": gettext_lazy("Role profiles"),
    "requirements": gettext_lazy("Requirements"),
    "requirements_without_level": gettext_lazy("of them without a level"),
    "requirements_optional": gettext_lazy("of them optional"),
    "requirements_uncertain": gettext_lazy("of them too uncertain to be used"),
    "links": gettext_lazy("Links between competencies"),
    "role_levels": gettext_lazy("Role levels in the source"),
    "rows": gettext_lazy("Rows in the source"),
    "opm_codes": gettext_lazy("OPM codes in the source"),
    "sort_keys": gettext_lazy("Sort keys in the source"),
    "nodes": gettext_lazy("Nodes in the source"),
    "level_nodes": gettext_lazy("Nodes of levels in the source"),
    "glossary_terms": gettext_lazy("Glossary terms in the source"),
    "elements": gettext_lazy("Elements in the source"),
    "relations": gettext_lazy("Relations in the source"),
    "relations_by_label": gettext_lazy("of them matched by label"),
    "skills_from_relations": gettext_lazy("Skills known from relations alone"),
    "ratings": gettext_lazy("Ratings in the source"),
    "cf_items": gettext_lazy("CASE items in the source"),
    "cf_associations": gettext_lazy("CASE associations in the source"),
    "cf_associations_outside": gettext_lazy("of them to something outside"),
}


class Command(BaseCommand):
    help = "Import a competency framework from a file, or from a folder that holds one edition."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("path", type=Path, help="A file, or a folder that holds the files of one edition.")
        parser.add_argument(
            "--format", choices=sorted(importers.FORMATS), help="Read as this format instead of recognising it."
        )
        parser.add_argument(
            "--edition", help="Call the edition so: for a source that names none, or for content that has changed."
        )
        parser.add_argument(
            "--publish",
            action="store_true",
            help="Publish a later edition too, where every line of its crosswalk is sure. Without it, it waits as a draft.",
        )
        parser.add_argument("--dry-run", action="store_true", help="Read and check everything, write nothing.")
        parser.add_argument("--json", action="store_true", help="Print one JSON object instead of text.")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            content = importers.read(options["path"], options["format"])
            result = self.load(content, options["edition"], dry_run=options["dry_run"], publish=options["publish"])
        except CannotImport as error:
            self.refuse(error, as_json=options["json"])
        else:
            self.report(content, result, as_json=options["json"])

    def load(self, content: FrameworkContent, edition: str | None, *, dry_run: bool, publish: bool) -> dict[str, Any]:
        """Store the content, or find out what storing it would do."""
        objections: list[str] = []
        if dry_run:
            version, created = same_version(content, edition), False
        else:
            loaded = load_framework(content=content, edition=edition)
            version, created = loaded.version, loaded.created
            if publish and version.is_draft:
                version, objections = self.publish(version)
        return {
            "framework": content.slug,
            "edition": edition_of(content, edition) if version is None else version.edition,
            "digest": content.digest,
            "dry_run": dry_run,
            "already_there": version is not None and not created,
            "created": created,
            "draft": version is not None and version.is_draft,
            "objections": objections,
        }

    def publish(self, version: FrameworkVersion) -> tuple[FrameworkVersion, list[str]]:
        """The version, published where nothing needs a person's decision, and else what does."""
        version = propose_crosswalk(version=version)
        confirm_certain(version=version, by=None)
        objections = objections_to_publishing(version)
        return (version if objections else publish_version(version=version, by=None)), objections

    def report(self, content: FrameworkContent, result: dict[str, Any], *, as_json: bool) -> None:
        if as_json:
            deviations = [{"place": item.place, "message": item.message} for item in content.deviations]
            self.print_json({**result, "counts": content.counts, "deviations": deviations})
            return
        self.stdout.write(f"{result['framework']} · {result['edition']}")
        self.stdout.write(table(content.counts))
        if count := len(content.deviations):
            heading = ngettext("%(count)s deviation:", "%(count)s deviations:", count)
            self.stdout.write("\n" + heading % {"count": count})
            for deviation in content.deviations[:SHOWN_DEVIATIONS]:
                self.stdout.write(f"  {deviation}")
            self.write_rest(count - SHOWN_DEVIATIONS)
        self.stdout.write("\n" + outcome(result))

    def refuse(self, error: CannotImport, *, as_json: bool) -> None:
        heading = ngettext(
            "Nothing was imported, there is %(count)s fault:",
            "Nothing was imported, there are %(count)s faults:",
            error.count,
        ) % {"count": error.count}
        if as_json:
            faults = [{"place": fault.place, "message": fault.message} for fault in error.faults[:SHOWN_FAULTS]]
            self.print_json({"created": False, "faults": faults, "fault_count": error.count})
            raise CommandError(heading.rstrip(":") + ".")
        lines = [heading, *map(str, error.faults[:SHOWN_FAULTS])]
        if (more := error.count - SHOWN_FAULTS) > 0:
            lines.append(_("… and %(count)s more") % {"count": more})
        raise CommandError("\n".join(lines))

    def write_rest(self, more: int) -> None:
        if more > 0:
            self.stdout.write("  " + _("… and %(count)s more") % {"count": more})

    def print_json(self, result: dict[str, Any]) -> None:
        self.stdout.write(json.dumps(result, ensure_ascii=False, indent=2))


def table(counts: Mapping[str, int]) -> str:
    labels = {key: str(LABELS.get(key, key)) for key in counts}
    width = max(map(len, labels.values()))
    return "\n".join(f"  {labels[key]:<{width}}  {count:>7,}" for key, count in counts.items())


def outcome(result: Mapping[str, Any]) -> str:
    names = {"framework": result["framework"], "edition": result["edition"]}
    if result["created"]:
        words = _("Imported “%(framework)s” as edition %(edition)s.") % names
        if result["objections"]:
            return "\n".join([words, _("It is not published yet:"), *result["objections"]])
        if result["draft"]:
            return (
                words + " " + _("It waits as a draft: read what it changes on the framework desk and publish it there.")
            )
        return words
    if result["already_there"]:
        return _("This content is there already as edition %(edition)s. Nothing was written.") % names
    return _("Dry run: it can be imported as edition %(edition)s. Nothing was written.") % names
