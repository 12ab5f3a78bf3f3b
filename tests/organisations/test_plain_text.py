import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from organisations.plain_text import without_links


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("See the [service manual](https://www.gov.uk/service-manual).", "See the service manual."),
        ("[one](http://a.example) and [two](https://b.example/x_(y))", "one and two"),
        ('[titled](https://a.example "A title")', "titled"),
        ("[mail](mailto:a@b.example), [here](/roles/)", "mail, here"),
        ("You can:\n- [understand](https://a.example) risk\n- help", "You can:\n- understand risk\n- help"),
        ("levels [1] (see https://a.example) and f[x](y)", "levels [1] (see https://a.example) and f[x](y)"),
        ("[evil](javascript:alert(1))", "[evil](javascript:alert(1))"),
        ("", ""),
    ],
)
def test_a_link_is_shown_by_its_words_and_everything_else_as_it_is(text, expected):
    assert without_links(text) == expected


@given(st.text(alphabet='ab []()\n<>"!/:', max_size=60))
def test_a_text_without_an_address_stays_as_it_is_and_lines_are_never_joined(text):
    if "(/" not in text.replace(" ", "").replace("\n", "").replace("<", ""):
        assert without_links(text) == text


def test_a_text_of_brackets_takes_no_longer_than_others():
    started = time.perf_counter()
    without_links("[" * 50_000 + "](http://" * 5_000)
    assert time.perf_counter() - started < 5
