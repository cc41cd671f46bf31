"""What a view becomes as a file: the request to the engine for its lists, text for everything else."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from pathlib import PurePath
from typing import Any

from store.formulas import cell, escaped, inert
from tui.panes.detail import RawPane, as_json, as_yaml
from tui.panes.log import LogPane
from tui.panes.pane import Pane
from tui.panes.resources import ResourcesPane
from tui.table.marks import Marks
from tui.table.source import LocalSource
from tui.table.spec import Spec

LISTS = ("csv", "xlsx", "parquet", "json")  # formats of lists of resources: the engine makes them
ROWS = ("csv", "json", "txt")  # of other lists, whose rows are here


def endings(pane: Pane) -> tuple[str, ...]:
    """Endings of the files that a view can be saved as; the first one is offered."""
    if isinstance(pane, ResourcesPane):
        return LISTS
    if isinstance(pane, RawPane):
        return (pane.view.format,)
    return ("txt",) if isinstance(pane, LogPane) else ROWS


def ending_of(path: str, known: Sequence[str]) -> str:
    """The format of `known` that a file's name says; "" when it says none of them."""
    ending = PurePath(path).suffix.lstrip(".").lower()
    ending = {"yml": "yaml", "log": "txt", "text": "txt"}.get(ending, ending)
    return ending if ending in known else ""


def request(pane: ResourcesPane, marks: Marks, format: str) -> dict[str, Any]:
    """The body of `POST /q/exports` for the list as it is shown: its marked rows when there are any.

    Where a row is comes before the shown columns and its id behind them: without these nothing could be done with it.
    """
    spec = marks.of or pane.spec()
    shown = [name for name in pane.shown_columns if name not in ("cloud", "region", "id")]
    body = spec.body() | {"format": format, "columns": ["cloud", "region", *shown, "id"]}
    if marks.of is not None:
        body["minus"] = [list(key) for key in sorted(marks.keys)]
    elif marks.keys:
        body["keys"] = [list(key) for key in sorted(marks.keys)]
    return body


def text_of(pane: Pane, spec: Spec, ending: str) -> str:
    """The whole of a view that is not a list of resources, as it is shown but uncut."""
    if isinstance(pane, RawPane):
        document = pane.answer.get("doc")
        return inert(as_json(document) if pane.view.format == "json" else as_yaml(document)) + "\n"
    if isinstance(pane, LogPane):
        return "".join(f"{line}\n" for line in pane.lines)
    columns, rows = _rows(pane, spec)
    if ending == "json":
        items = [dict(zip(columns, row, strict=True)) for row in rows]
        return escaped(json.dumps(items, ensure_ascii=False, indent=1, default=str)) + "\n"
    if ending == "txt":
        return "".join("  ".join(line).rstrip() + "\n" for line in _aligned([list(columns), *rows]))
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([cell(value) for value in row] for row in rows)
    return out.getvalue()


def _rows(pane: Pane, spec: Spec) -> tuple[tuple[str, ...], list[list[Any]]]:
    source = pane.source
    if not isinstance(source, LocalSource):
        return (), []
    return source.columns, [row.values for row in source.selected(spec)]


def _aligned(rows: list[list[Any]]) -> list[list[str]]:
    texts = [["" if value is None else inert(str(value)).replace("\n", " ") for value in row] for row in rows]
    widths = [min(60, max(len(text) for text in column)) for column in zip(*texts, strict=True)]
    return [[text.ljust(width) for text, width in zip(row, widths, strict=True)] for row in texts]
