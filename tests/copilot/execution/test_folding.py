"""Case in Python is case in DuckDB: the same question finds the same in lists and in the estate."""

from __future__ import annotations

import duckdb

from copilot.execution.folding import fold


def test_every_letter_is_folded_as_duckdb_does() -> None:
    # The planes where letters have case; none was added there since Unicode 14, which every Python we run on knows.
    letters = [chr(number) for number in (*range(1, 0xD800), *range(0xE000, 0x1F000))]
    found = duckdb.execute("SELECT list_transform(?, lambda x: lower(x))", [letters]).fetchone()
    assert found is not None
    known = {letter: lower for letter, lower in zip(letters, found[0], strict=True) if letter.isupper()}
    assert len(known) > 1000
    assert {letter: fold(letter) for letter in known} == known


def test_a_word_is_folded_letter_by_letter() -> None:
    for word in ("ÜBER", "ΟΔΟΣ", "İstanbul", "STRASSE ß", "Web-03"):
        assert duckdb.execute("SELECT lower(?)", [word]).fetchone() == (fold(word),)
