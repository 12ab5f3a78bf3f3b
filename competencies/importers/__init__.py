"""Frameworks as other houses write them. Each format is one module with one contract: TITLE, sniff, read; no database.

A format is chosen by what the files contain, not by what they are called. Another format is another module and a line
in FORMATS; what it hands over is competencies.importers.content, which competencies.loading stores.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NoReturn, Protocol

from django.utils.functional import Promise
from django.utils.translation import gettext as _

from competencies.importers import case, ddat, digcomp, esco, nice, onet, platform, template, workbooks
from competencies.importers.content import CannotImport, Deviation, Fault, FrameworkContent, refuse, shown
from competencies.importers.sources import Source, gather

__all__ = ["FORMATS", "CannotImport", "Deviation", "Fault", "Format", "FrameworkContent", "read"]


class Format(Protocol):
    @property
    def TITLE(self) -> str | Promise:
        """What the format is and what it needs, for people who must find the right file."""

    def sniff(self, sources: Sequence[Source]) -> bool:
        """Whether a source is of this format, or would be if it were whole. Cheap, and never raises."""

    def read(self, sources: Sequence[Source]) -> FrameworkContent:
        """The framework, whole. Raises CannotImport with every fault and its place."""


FORMATS: dict[str, Format] = {
    "nice": nice,
    "ddat": ddat,
    "esco": esco,
    "onet": onet,
    "digcomp": digcomp,
    "case": case,
    "template": template,
    "platform": platform,
}


def read(path: Path, format: str | None = None) -> FrameworkContent:
    """Read one edition of a framework from a file, or from a folder that holds its files.

    Raises CannotImport when nothing or more than one thing is understood, and with every fault of what is understood.
    """
    sources = gather(path)
    reader = _named(format, sources, path) if format else _recognised(sources, path)
    content = reader.read(sources)
    if not content.competencies:
        refuse(shown(path, 200), _("The framework has no competency. Export it again, whole."))
    unread = [source.name for source in sources if not reader.sniff([source])]
    deviations = tuple(Deviation(name, _("This file is not part of the format and was not read.")) for name in unread)
    return replace(content, deviations=content.deviations + deviations)


def _named(name: str, sources: Sequence[Source], path: Path) -> Format:
    reader = FORMATS.get(name)
    if reader is None:
        refuse(shown(name), _("This format is not known. Choose one of: %(known)s.") % {"known": ", ".join(FORMATS)})
    if not reader.sniff(sources):
        _refuse_unrecognised(sources, path, [reader])
    return reader


def _recognised(sources: Sequence[Source], path: Path) -> Format:
    found = {name: reader for name, reader in FORMATS.items() if reader.sniff(sources)}
    if not found:
        _refuse_unrecognised(sources, path, FORMATS.values())
    if len(found) > 1:
        refuse(
            shown(path, 200),
            _("Several frameworks stand here (%(formats)s). Give the path of one, or name the format.")
            % {"formats": ", ".join(found)},
        )
    return next(iter(found.values()))


def _refuse_unrecognised(sources: Sequence[Source], path: Path, readers: Iterable[Format]) -> NoReturn:
    """Say what would have been understood, after what is wrong with files that nobody can read."""
    faults: list[Fault] = []
    for source in sources:
        try:
            if source.looks_like_json:
                source.document()
            elif source.looks_like_workbook:
                workbooks.read_workbook(source)
            else:
                source.decoded()
        except CannotImport as error:
            faults += error.faults
    understood = " · ".join(str(reader.TITLE) for reader in readers)
    message = _("No framework is recognised here. What is understood: %(formats)s.") % {"formats": understood}
    raise CannotImport([*faults, Fault(shown(path, 200), message)])
