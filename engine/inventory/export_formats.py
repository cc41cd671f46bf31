"""Rows as files: CSV, JSON, Excel workbooks and Parquet, from Arrow batches."""

from __future__ import annotations

import contextlib
import csv
import io
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import IO, TYPE_CHECKING, Any

from store import times
from store.formulas import SHOWN, cell, escaped

if TYPE_CHECKING:
    import pyarrow

LONGEST_CELL = 32_767  # characters of a cell of a workbook
_BLOCK = 256 * 1024


@dataclass(frozen=True, slots=True)
class Format:
    """One format: the ending of its files and its media type."""

    ending: str
    media_type: str


FORMATS = {
    "csv": Format("csv", "text/csv; charset=utf-8"),
    "json": Format("json", "application/json"),
    "xlsx": Format("xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    "parquet": Format("parquet", "application/vnd.apache.parquet"),
}


def write_csv(batches: Iterable[pyarrow.RecordBatch], names: list[str]) -> Iterator[bytes]:
    """Pieces of a CSV file with a header: RFC 4180 but for its line ends, which are those of Unix."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([cell(name) for name in names])
    yield _taken(out)
    for batch in batches:
        columns = [[cell(value) for value in _values(column)] for column in batch.columns]
        writer.writerows(zip(*columns, strict=True))
        yield _taken(out)


def _rows(batch: pyarrow.RecordBatch) -> Iterator[tuple[Any, ...]]:
    return zip(*map(_values, batch.columns), strict=True)


def _values(column: pyarrow.Array) -> list[Any]:
    """Values as Python's; times are made here, since Arrow looks for pandas for each of them."""
    import pyarrow

    if not pyarrow.types.is_timestamp(column.type):
        return column.to_pylist()
    micros = column.cast(pyarrow.int64()).to_pylist()
    return [None if value is None else times.from_micros(value) for value in micros]


def _taken(out: io.StringIO) -> bytes:
    text = out.getvalue()
    out.seek(0)
    out.truncate()
    return text.encode("utf-8", "replace")


def write_json(batches: Iterable[pyarrow.RecordBatch], names: list[str]) -> Iterator[bytes]:
    """Pieces of a JSON array with one object on each line."""
    before = "[\n"
    for batch in batches:
        lines = []
        for row in _rows(batch):
            lines.append(json.dumps(dict(zip(names, row, strict=True)), ensure_ascii=False, default=_in_json))
        if lines:
            yield escaped(before + ",\n".join(lines)).encode("utf-8", "backslashreplace")
            before = ",\n"
    yield b"[]\n" if before == "[\n" else b"\n]\n"


def _in_json(value: Any) -> Any:
    return times.text(value) if isinstance(value, datetime) else str(value)


def write_xlsx(
    batches: Iterable[pyarrow.RecordBatch], names: list[str], title: str, file: IO[bytes]
) -> Iterator[bytes]:
    """Write a workbook with one sheet to a file; empty pieces say that it goes on.

    Texts are texts and never formulas; times are UTC, and their heads say so.
    """
    from openpyxl import Workbook

    book = Workbook(write_only=True)
    sheet = book.create_sheet(title[:31])
    sheet.freeze_panes = "A2"
    try:
        heads = names
        for batch in batches:
            if heads:
                sheet.append([_text(sheet, name) for name in _heads(heads, batch.schema)])
                heads = []
            for row in _rows(batch):
                sheet.append([_in_workbook(sheet, value) for value in row])
            yield b""
        if heads:
            sheet.append([_text(sheet, name) for name in heads])
        book.save(file)
    finally:
        with contextlib.suppress(Exception):  # of a workbook that was given up: its rows lie in a file of their own
            sheet.close()
            sheet._writer.cleanup()


def _heads(names: list[str], schema: pyarrow.Schema) -> list[str]:
    import pyarrow

    return [f"{n} UTC" if pyarrow.types.is_timestamp(f.type) else n for n, f in zip(names, schema, strict=True)]


def _text(sheet: Any, value: str) -> Any:
    """A cell with a text, also of one that begins with "=" or looks like an error."""
    from openpyxl.cell import WriteOnlyCell
    from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

    made = WriteOnlyCell(sheet)
    made.value = ILLEGAL_CHARACTERS_RE.sub(SHOWN, value.encode("utf-8", "replace").decode())[:LONGEST_CELL]
    made.data_type = "s"
    return made


def _in_workbook(sheet: Any, value: Any) -> Any:
    if value is None or value is True or value is False:
        return value
    if isinstance(value, str):
        return _text(sheet, value)
    if isinstance(value, list | dict):
        words = ", ".join(map(str, value)) if isinstance(value, list) else json.dumps(value, ensure_ascii=False)
        return _text(sheet, words)
    if isinstance(value, datetime):
        return value.replace(tzinfo=None)
    # Workbooks know floating-point numbers only: what they would round is kept as text.
    return _text(sheet, str(value)) if isinstance(value, int) and abs(value) > 2**53 else value


def write_book(sheets: Iterable[tuple[str, Sequence[str], Iterable[Sequence[Any]]]], file: IO[bytes]) -> None:
    """Write a workbook of several small sheets (title, heads, rows); texts are texts, times are UTC and say so."""
    from openpyxl import Workbook

    book = Workbook(write_only=True)
    for title, names, rows in sheets:
        sheet = book.create_sheet(title[:31])
        sheet.freeze_panes = "A2"
        sheet.append([_text(sheet, f"{name} UTC" if name.endswith("_at") else name) for name in names])
        for row in rows:
            sheet.append([_in_workbook(sheet, value) for value in row])
    book.save(file)


def csv_of(names: Sequence[str], rows: Iterable[Sequence[Any]]) -> bytes:
    """A small table as `write_csv` writes it."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([cell(name) for name in names])
    writer.writerows([cell(value) for value in row] for row in rows)
    return _taken(out)


def json_of(names: Sequence[str], rows: Iterable[Sequence[Any]]) -> bytes:
    """A small table as `write_json` writes it."""
    lines = [json.dumps(dict(zip(names, row, strict=True)), ensure_ascii=False, default=_in_json) for row in rows]
    body = "[\n" + ",\n".join(lines) + "\n]\n" if lines else "[]\n"
    return escaped(body).encode("utf-8", "backslashreplace")


def blocks(file: IO[bytes]) -> Iterator[bytes]:
    """The whole file from its beginning, in pieces."""
    file.seek(0)
    while piece := file.read(_BLOCK):
        yield piece
