"""JSON from strangers."""

from __future__ import annotations

import contextlib
import json
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from certificates.credentials import reading
from certificates.credentials.reading import Unreadable, read_object

values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-reading.LARGEST_WHOLE, reading.LARGEST_WHOLE)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="utf-8"), max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(st.characters(codec="utf-8"), max_size=9), inner, max_size=4)
    ),
    max_leaves=20,
)


@settings(max_examples=150, deadline=None)
@given(st.dictionaries(st.text(st.characters(codec="utf-8"), max_size=9), values, max_size=4), st.booleans())
def test_what_is_within_bounds_is_read_as_it_was_written(document, ascii_only):
    assert read_object(json.dumps(document, ensure_ascii=ascii_only).encode()) == document


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "not_json"),
        (b"{", "not_json"),
        (b'{"a":1} x', "not_json"),
        (b'{"a":NaN}', "not_json"),
        (b'{"a":-Infinity}', "not_json"),
        (b'{"a":1e400}', "number_too_large"),
        (b'{"a":' + b"9" * 5_000 + b"}", "number_too_large"),
        (b'{"a":9007199254740992}', "number_too_large"),
        (b'{"a":1,"a":1}', "name_twice"),
        (b'{"b":{"a":1,"\\u0061":2}}', "name_twice"),
        (b'{"a":"\\ud800"}', "not_text"),
        (b'{"\\udc00":1}', "not_text"),
        (b'{"a":"\xff"}', "not_json"),
        ('{"a":1}'.encode("utf-16"), "not_json"),
        (b"[]", "not_an_object"),
        (b'"a"', "not_an_object"),
        (b"[" * 100_000, "too_deep"),
        (b'{"a":' * 100_000, "too_deep"),
        (b'{"a":"' + b"x" * 1_000_000 + b'"}', "too_large"),
        (b'{"a":[' + b"1," * 1_000 + b"1]}", "too_many_values"),
        (b'{"a":[' + b"[1,1,1,1]," * 900 + b"1]}", "too_many_values"),
        (b'{"a":[' + b"{}," * 999 + b"{}]}", "too_many_values"),
    ],
    ids=range(22),
)
def test_what_is_not_is_refused(data, code):
    with pytest.raises(Unreadable) as caught:
        read_object(data)
    assert caught.value.code == code


@pytest.mark.parametrize("data", [b'{"a":"[[[[{{{{\\"[[[' + b"[" * 1_000 + b'"}', b'{"a":"\\\\"}'])
def test_brackets_in_texts_are_no_depth(data):
    assert read_object(data) == json.loads(data)


@pytest.mark.parametrize(
    "data", [b'{"a":"' + b'\\"' * 450_000, b'"' * 900_000, b"\\" * 900_000, b'{"' + b"\\" * 900_000]
)
def test_a_text_that_never_ends_is_given_up_at_once(data):
    started = time.process_time()
    with pytest.raises(Unreadable):
        read_object(data)
    assert time.process_time() - started < 1


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200) | st.text(alphabet='{}[]",:\\u0a1e-+.NaIfinity', max_size=80).map(str.encode))
def test_any_bytes_are_read_or_refused(data):
    with contextlib.suppress(Unreadable):
        assert isinstance(read_object(data), dict)
