"""Figures that R and separate Python code agree on, and the data behind them (S1). Tests skip where they are not here."""

from __future__ import annotations

import csv
import json
import os
from math import isclose
from pathlib import Path
from typing import Any

import numpy as np
import pytest

DATA = Path(os.environ.get("SHARED_DATA", Path(__file__).resolve().parents[3] / "shared" / "data")) / "psychometrics"
HERE = pytest.mark.skipif(
    not (DATA / "expected.json").exists(), reason="the shared test data are not here (SHARED_DATA)"
)


def every_case() -> dict[str, Any]:
    return json.loads((DATA / "expected.json").read_text(encoding="utf-8"))["cases"]


def cases(name: str) -> Any:
    return every_case()[name]


def rows(name: str) -> list[dict[str, str]]:
    with (DATA / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def close(found: Any, expected: Any) -> bool:
    """Within 1e-6, None for None."""
    if isinstance(expected, (list, tuple)):
        return found is not None and len(found) == len(expected) and all(map(close, found, expected))
    if expected is None or found is None:
        return found is expected
    return isclose(found, expected, rel_tol=0, abs_tol=1e-6)


def turned(row: dict[str, str], scale: dict[str, Any]) -> list[float]:
    """The answers of a person to a scale, nan where there is none, reversed items turned round."""
    ends = scale["scale_min"] + scale["scale_max"]
    found = [float(row[item]) if row[item] not in ("", "NA") else np.nan for item in scale["items"]]
    return [ends - v if item in scale.get("reversed", ()) else v for item, v in zip(scale["items"], found, strict=True)]


def answers_to(data: str, scale: dict[str, Any]) -> np.ndarray:
    """People x items of a scale."""
    return np.array([turned(row, scale) for row in rows(data)])
