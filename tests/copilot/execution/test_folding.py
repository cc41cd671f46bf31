"""Case in Python is case in DuckDB: the same question finds the same in lists and in the estate."""

from __future__ import annotations

import duckdb

from copilot.execution.folding import fold


def test_every_letter_is_folded_as_duckdb_does() -> None:
    # The planes where letters have case; none was added there since Unicode 14, which every Python we run on knows.
    found = duckdb.sql(
        "SELECT chr(n::INTEGER), lower(chr(n::INTEGER)) FROM range(1, 126976) r(n) WHERE n NOT BETWEEN 55296 AND 57343"
    ).fetchall()
    cased = [(letter, lower) for letter, lower in found if letter.isupper()]
    assert len(cased) > 1000
    assert [(letter, fold(letter)) for letter, _ in cased] == cased


def test_a_word_is_folded_letter_by_letter() -> None:
    for word in ("ÜBER", "ΟΔΟΣ", "İstanbul", "STRASSE ß", "Web-03"):
        assert duckdb.execute("SELECT lower(?)", [word]).fetchone() == (fold(word),)
