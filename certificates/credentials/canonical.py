"""The one way to write a JSON-LD document down: RDF Dataset Canonicalization (RDFC-1.0, which pyld calls URDNA2015).

Strict: a term or type that no context defines is refused rather than left out, for what is left out is not signed.
Bounded: what a hostile graph would cost is counted and refused before it is spent.
Source: W3C RDF Dataset Canonicalization 1.0; the vectors of W3C vc-di-eddsa (tests/certificates/credentials).
"""

from __future__ import annotations

import re
import threading
from collections.abc import Mapping
from functools import partial
from math import factorial
from typing import Any

from cachetools import LRUCache
from pyld import ContextResolver
from pyld.canon import URDNA2015
from pyld.identifier_issuer import IdentifierIssuer
from pyld.jsonld import JsonLdError, JsonLdProcessor

from certificates.credentials import contexts

MAX_QUADS = 20_000
# Ways of numbering alike blank nodes that are tried at most. A credential of ours needs none, a poisoned graph n!.
MAX_TRIES = 4_000
CONTEXTS_KEPT = 256
# Relative addresses are resolved against this, and so are found: nothing we sign begins with it.
_NOWHERE = "relative:///"
_ABSOLUTE = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\s<>\"{}|\\^`\x00-\x20]*|_:[^\s]+")


# Graph, then statements of subject, predicate and object, each with its `type` and `value`.
Dataset = dict[str, list[dict[str, dict[str, str]]]]


class NotCanonical(ValueError):
    """The document has no canonical form we would sign or believe."""


class UndefinedTerm(NotCanonical):
    """A property or a type that no context defines: it would not be signed."""

    def __init__(self, term: str) -> None:
        super().__init__(f"the term {term!r} is not defined")
        self.term = term


class TooComplex(NotCanonical):
    """The graph is built so that numbering its blank nodes would take very long."""


def canonical_form(document: Mapping[str, Any]) -> str:
    """The document as canonical N-Quads.

    Raises contexts.UnknownContext, UndefinedTerm, TooComplex or NotCanonical; never asks the network.
    """
    return form_of(dataset_of(document))


def dataset_of(document: Mapping[str, Any]) -> Dataset:
    """What the document says, as statements by graph. Raises as canonical_form does."""
    options = {
        "documentLoader": contexts.load,
        "contextResolver": ContextResolver(_kept.resolved, contexts.load),
        "processingMode": "json-ld-1.1",
        "produceGeneralizedRdf": False,
        "base": _NOWHERE,
    }
    try:
        dataset: Dataset = _STRICT.to_rdf(dict(document), options)
    except JsonLdError as error:
        raise _reason(error) from error
    except (RecursionError, KeyError, TypeError, AttributeError, IndexError) as error:
        raise NotCanonical("the document is not JSON-LD") from error
    if sum(len(triples) for triples in dataset.values()) > MAX_QUADS:
        raise TooComplex("too many statements")
    return dataset


def form_of(dataset: Dataset) -> str:
    """Statements as canonical N-Quads; they are changed on the way. Raises TooComplex."""
    text: str = _Bounded().main(dataset, {"format": "application/n-quads"})
    return text


def _reason(error: BaseException) -> ValueError:
    """pyld wraps what went wrong, twice or more; the innermost says it."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, (contexts.UnknownContext, NotCanonical)):
            return cause
        if isinstance(cause, contexts.DamagedContext):
            raise cause
        cause = cause.__cause__
    return NotCanonical(str(error)[:200])


def _refuse_dropped(term: Any) -> None:
    raise UndefinedTerm(str(term))


class _Strict(JsonLdProcessor):
    def __init__(self) -> None:
        super().__init__(on_property_dropped=_refuse_dropped)

    def expand(self, input_: Any, options: Any) -> Any:
        expanded = super().expand(input_, options)
        _refuse_relative(expanded)
        return expanded

    def _process_context(
        self,
        active_ctx: Any,
        local_ctx: Any,
        options: Any,
        override_protected: bool = False,
        propagate: bool = True,
        validate_scoped: bool = True,
        cycles: Any = None,
    ) -> Any:
        """What a nested context makes of the one around it, kept: pyld makes it anew for every object of a document.

        It follows from the two contexts and the flags alone (base and mode are the same for all documents here). Both
        are parts of bundled files and stay the same objects, so they are known by identity; holding on to them keeps
        their identity theirs.
        """
        again = partial(
            super()._process_context,
            active_ctx,
            local_ctx,
            options,
            override_protected=override_protected,
            propagate=propagate,
            validate_scoped=validate_scoped,
            cycles=cycles,
        )
        if cycles is not None or not isinstance(local_ctx, Mapping):
            return again()
        key = id(active_ctx), id(local_ctx), override_protected, propagate, validate_scoped
        found = _kept.processed.get(key)
        if found is None or found[0] is not active_ctx or found[1] is not local_ctx:
            found = _kept.processed[key] = (active_ctx, local_ctx, again())
        return found[2]


def _refuse_relative(expanded: Any) -> None:
    """A type or an id that is no absolute address would be left out of the graph without a word."""
    waiting = [expanded]
    while waiting:
        part = waiting.pop()
        if isinstance(part, list):
            waiting.extend(part)
        elif isinstance(part, dict):
            if "@value" in part:
                continue
            for name in ("@id", "@type"):
                for address in _listed(part.get(name)):
                    if not isinstance(address, str) or not _ABSOLUTE.fullmatch(address):
                        raise UndefinedTerm(str(address))
                    if address.startswith(_NOWHERE[:9]):
                        raise UndefinedTerm(address.removeprefix(_NOWHERE))
            waiting.extend(inner for name, inner in part.items() if name not in ("@id", "@type"))


def _listed(value: Any) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


_STRICT = _Strict()


class _Bounded(URDNA2015):
    def __init__(self) -> None:
        super().__init__()
        self.tries = 0

    def create_hash_to_related(self, id_: str, issuer: IdentifierIssuer) -> dict[str, list[str]]:
        related: dict[str, list[str]] = super().create_hash_to_related(id_, issuer)
        self.tries += 1
        for alike in related.values():
            self.tries += factorial(len(alike)) if len(alike) < 9 else MAX_TRIES
        if self.tries > MAX_TRIES:
            raise TooComplex("too many blank nodes that look alike")
        return related


class _Kept(threading.local):
    """What a thread keeps from one document to the next; pyld's own store is shared and not made for threads."""

    def __init__(self) -> None:
        self.resolved: LRUCache[str, Any] = LRUCache(maxsize=CONTEXTS_KEPT)
        self.processed: LRUCache[tuple[Any, ...], tuple[Any, Any, Any]] = LRUCache(maxsize=CONTEXTS_KEPT)


_kept = _Kept()
