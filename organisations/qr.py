"""QR codes fast enough for thousands: segno's symbols, with the choice of the mask reckoned by numpy.

Seven tenths of segno's time go into weighing eight masks in pure Python. Here the eight are weighed at once, by the
same rules, and the same one is chosen: tests/organisations/test_qr.py compares the two. A fixed mask would be quicker
still, but a paper has to be read from a bad photocopy.
Source: ISO/IEC 18004:2015, 7.8.2 (masks), 7.8.3 (how they are weighed).
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
import segno

Modules = npt.NDArray[np.uint8]


def symbol(text: str) -> Modules:
    """The modules of the QR code of a text, 1 is dark, without quiet zone. Level M, as small as it can be."""
    plain = segno.make(text, error="m", micro=False, boost_error=False, mask=0)
    matrix = np.array(plain.matrix, dtype=np.uint8)
    region, masks, formats = _ground(int(plain.version))
    bare = matrix ^ (masks[0] & region)
    candidates = np.where(formats[0] == 2, bare ^ (masks & region), formats)
    # segno weighs them before the format information is there, its places light.
    weighed = np.where((region == 0) & _changing(int(plain.version)), 0, candidates)
    return np.asarray(candidates[int(np.argmin(_penalties(weighed)))], dtype=np.uint8)


@lru_cache(maxsize=8)
def _ground(version: int) -> tuple[Modules, Modules, Modules]:
    """Of a version: where data lies, the eight masks, and the eight symbols' fixed modules (2 where data lies)."""
    size = 17 + 4 * version
    i, j = np.indices((size, size))
    masks = np.array(
        [
            (i + j) % 2 == 0,
            i % 2 == 0,
            j % 3 == 0,
            (i + j) % 3 == 0,
            (i // 2 + j // 3) % 2 == 0,
            i * j % 2 + i * j % 3 == 0,
            (i * j % 2 + i * j % 3) % 2 == 0,
            ((i + j) % 2 + i * j % 3) % 2 == 0,
        ],
        dtype=np.uint8,
    )
    drawn = np.array([_segno("0", version, mask) for mask in range(8)], dtype=np.uint8)
    # What a mask does not touch is the same after taking it off again; where the eight agree nowhere else, data lies.
    fixed = _fixed(size, version)
    region = np.where(fixed, 0, 1).astype(np.uint8)
    return region, masks, np.where(region == 1, 2, drawn).astype(np.uint8)


def _fixed(size: int, version: int) -> npt.NDArray[np.bool_]:
    """Finders with their borders and format information, timing, alignment and version: no data there."""
    fixed = np.zeros((size, size), dtype=bool)
    fixed[:9, :9] = fixed[:9, -8:] = fixed[-8:, :9] = True
    fixed[6, :] = fixed[:, 6] = True
    if version > 1:
        places = _alignment(version)
        for row in places:
            for column in places:
                if not fixed[row, column] or (row == 6) != (column == 6):
                    in_finder = (row, column) in ((6, 6), (6, places[-1]), (places[-1], 6))
                    if not in_finder:
                        fixed[row - 2 : row + 3, column - 2 : column + 3] = True
    if version > 6:
        fixed[:6, -11:-8] = fixed[-11:-8, :6] = True
    return fixed


def _alignment(version: int) -> list[int]:
    """Rows and columns in which alignment patterns have their middle (Annex E)."""
    count = version // 7 + 2
    step = 26 if version == 32 else (version * 4 + count * 2 + 1) // (count * 2 - 2) * 2
    return [6, *sorted(version * 4 + 10 - n * step for n in range(count - 1))]


@lru_cache(maxsize=8)
def _changing(version: int) -> npt.NDArray[np.bool_]:
    """Where format and version information lies, and the module that is always dark."""
    size = 17 + 4 * version
    where = np.zeros((size, size), dtype=bool)
    where[8, :9] = where[:9, 8] = where[8, -8:] = where[-8:, 8] = True
    where[8, 6] = where[6, 8] = False
    if version > 6:
        where[:6, -11:-8] = where[-11:-8, :6] = True
    return where


def _segno(text: str, version: int, mask: int) -> Any:
    return segno.make(text, error="m", micro=False, boost_error=False, version=version, mask=mask).matrix


_FINDER = np.array([1, 0, 1, 1, 1, 0, 1], dtype=np.int64)


def _penalties(symbols: Modules) -> npt.NDArray[np.int64]:
    """What each of the symbols (count × size × size) costs by the four rules; the least is best."""
    count, size, _ = symbols.shape
    lines = np.concatenate([symbols, symbols.transpose(0, 2, 1)], axis=1)
    # Rule 1: runs of five or more of one colour cost their length less two. A run of length n holds n - 4 windows of
    # five equal modules, so all windows, and two more for each run's first.
    same = lines[:, :, 1:] == lines[:, :, :-1]
    five = same[:, :, :-3] & same[:, :, 1:-2] & same[:, :, 2:-1] & same[:, :, 3:]
    first = five.copy()
    first[:, :, 1:] &= ~five[:, :, :-1]
    score = five.sum(axis=(1, 2)) + 2 * first.sum(axis=(1, 2))
    # Rule 2: each block of two by two costs three.
    across = symbols[:, :, 1:] == symbols[:, :, :-1]
    down = symbols[:, 1:, :] == symbols[:, :-1, :]
    score += 3 * (across[:, 1:, :] & across[:, :-1, :] & down[:, :, 1:]).sum(axis=(1, 2))
    # Rule 3: what looks like a finder, with four light modules (or the edge) on one side, costs forty.
    padded = np.zeros((count, 2 * size, size + 8), dtype=np.uint8)
    padded[:, :, 4:-4] = lines
    looks = np.ones((count, 2 * size, size - 6), dtype=bool)
    for place, module in enumerate(_FINDER):
        looks &= padded[:, :, 4 + place : 4 + place + size - 6] == module
    before = ~(
        padded[:, :, 0 : size - 6]
        | padded[:, :, 1 : size - 5]
        | padded[:, :, 2 : size - 4]
        | padded[:, :, 3 : size - 3]
    ).astype(bool)
    after = ~(
        padded[:, :, 11 : size + 5]
        | padded[:, :, 12 : size + 6]
        | padded[:, :, 13 : size + 7]
        | padded[:, :, 14 : size + 8]
    ).astype(bool)
    looks &= before | after
    # Of two that overlap, segno counts the first.
    for apart in (4, 6):
        looks[:, :, apart:] &= ~looks[:, :, :-apart]
    score += 40 * looks.sum(axis=(1, 2))
    # Rule 4: each full five per cent away from half dark costs ten.
    percent = symbols.sum(axis=(1, 2), dtype=np.int64) / (size * size) * 100
    return np.asarray(score + 10 * (np.abs(percent - 50) / 5).astype(np.int64), dtype=np.int64)
