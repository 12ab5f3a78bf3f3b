"""QR codes made by us are those segno makes."""

from __future__ import annotations

import segno
from hypothesis import given, settings
from hypothesis import strategies as st

from organisations import qr


@settings(max_examples=60, deadline=None)
@given(st.from_regex(r"https://[a-z.]{4,120}/verify/[2-9A-Z]{10}/", fullmatch=True))
def test_the_same_modules_and_the_same_mask_are_chosen(url):
    made = segno.make(url, error="m", micro=False, boost_error=False)
    assert qr.symbol(url).tolist() == [list(row) for row in made.matrix]


def test_the_same_address_gives_the_same_modules():
    assert (qr.symbol("https://talent.gov.example/") == qr.symbol("https://talent.gov.example/")).all()
