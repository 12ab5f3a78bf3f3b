"""Any content of a rulebook that is in range, for property tests."""

from __future__ import annotations

from hypothesis import strategies as st

from competencies.rulebooks import SHIPPED, Book, is_whole, limits_of, numbers_of, read_book, with_numbers, write_book

PLACES = tuple(numbers_of(write_book(SHIPPED)))


def number_at(place: str) -> st.SearchStrategy[float]:
    least, most = limits_of(place)
    return st.integers(int(least), int(most)) if is_whole(place) else st.floats(least, most)


contents = st.fixed_dictionaries({}, optional={place: number_at(place) for place in PLACES}).map(with_numbers)
books: st.SearchStrategy[Book] = contents.map(lambda content: read_book(content, version="2"))
