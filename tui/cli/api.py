"""`qdeck api METHOD PATH`: any endpoint, with the engine found and the caller known."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from tui.cli.engine_link import connected
from tui.cli.exits import USAGE, leave
from tui.cli.options import GlobalOptions
from tui.cli.output import Format, write_document, write_rows

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")


def call(options: GlobalOptions, method: str, path: str, fields: list[str], body: str | None, output: Format) -> None:
    """Call the endpoint and print its answer; text answers are printed as they are."""
    verb = method.upper()
    if verb not in METHODS:
        leave(USAGE, f"{method} is no method of the API; use one of {', '.join(METHODS)}")
    if not path.startswith("/"):
        leave(USAGE, f'the path starts with "/": /{path}')
    values = dict(_field(text) for text in fields)
    document = _document(body)
    if document is None and verb != "GET":
        document, values = values, {}
    with connected(options) as client:
        answer = client.request(verb, path, json=document if verb != "GET" else None, params=values)
    if isinstance(answer, str):
        sys.stdout.write(answer if answer.endswith("\n") else answer + "\n")
    elif output in (Format.json, Format.yaml):
        write_document(answer, output)
    else:
        rows = [row if isinstance(row, dict) else {"value": row} for row in _rows(answer)]
        write_rows(rows, list(dict.fromkeys(name for row in rows for name in row)), output)


def _rows(answer: Any) -> list[Any]:
    """The list in an answer: its items, itself, or the one thing it is."""
    if isinstance(answer, dict):
        answer = answer.get("items", answer.get("results", answer))
    return answer if isinstance(answer, list) else [answer]


def _field(text: str) -> tuple[str, Any]:
    name, equals, value = text.partition("=")
    if not equals or not name:
        leave(USAGE, f"-f {text}: write name=value, or name:=JSON")
    if not name.endswith(":"):
        return name, value
    try:
        return name[:-1], json.loads(value)
    except ValueError as error:
        leave(USAGE, f"-f {text}: the value is no JSON: {error}")


def _document(source: str | None) -> Any:
    if source is None:
        return None
    try:
        return json.loads(sys.stdin.read() if source == "-" else Path(source).read_text())
    except OSError as error:
        leave(USAGE, f"--input {source} can't be read: {error.strerror}")
    except ValueError as error:
        leave(USAGE, f"--input {source} is no JSON: {error}")
