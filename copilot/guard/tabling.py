"""The rows of a statement as the copilot's table: titles and roles from the views, texts made harmless."""

from __future__ import annotations

from typing import Any

from copilot.answers import Field, Key, Table
from copilot.guard.parsing import Checked
from store import formulas
from store.types.declaration import Column, Computed, Joined

MAX_CELL = 500  # characters
MAX_NAME = 60
_KEY_ROLES = {"cloud": "name", "region": "name", "id": "id", "valid_from": "time"}


def table(answer: dict[str, Any], checked: Checked) -> Table:
    """Of the process's answer (process.Process.run)."""
    names = _names([str(column["name"]) for column in answer["columns"]])
    fields = tuple(
        _field(name, str(column["name"]).lower(), str(column["type"]), checked)
        for name, column in zip(names, answer["columns"], strict=True)
    )
    rows = tuple({name: harmless(value) for name, value in zip(names, row, strict=True)} for row in answer["rows"])
    return Table(fields, rows, int(answer["total"]), _keys(rows, checked))


def harmless(value: Any) -> Any:
    """A value without anything that acts on a screen or turns text around; long texts are cut."""
    if isinstance(value, str):
        short = value if len(value) <= MAX_CELL else f"{value[: MAX_CELL - 1]}…"
        return formulas.inert(short).replace("\t", " ").replace("\r", " ").replace("\n", " ")
    if isinstance(value, list):
        return [harmless(part) for part in value]
    if isinstance(value, dict):
        return {str(harmless(key)): harmless(part) for key, part in value.items()}
    return value


def _names(found: list[str]) -> list[str]:
    """Names of columns, made harmless and each one once."""
    names: list[str] = []
    for one in found:
        name = str(harmless(one))[:MAX_NAME].strip() or "column"
        fresh, number = name, 2
        while fresh in names:
            fresh, number = f"{name}_{number}", number + 1
        names.append(fresh)
    return names


def _field(name: str, column: str, kind: str, checked: Checked) -> Field:
    declared = _declared(column, checked)
    if declared is not None and _fits(declared.role, kind):
        return Field(name, declared.title or name, declared.role)
    if column in _KEY_ROLES and _fits(_KEY_ROLES[column], kind):
        return Field(name, name.replace("_", " ").upper(), _KEY_ROLES[column])
    return Field(name, name.replace("_", " ").upper(), _role(kind))


def _declared(column: str, checked: Checked) -> Column | Joined | Computed | None:
    """The column of that name, where all views that have one mean the same by it."""
    found = []
    for wanted in checked.wanted:
        try:
            found.append(wanted.type.column(column))
        except KeyError:
            continue
    return found[0] if len({(one.role, one.title) for one in found}) == 1 else None


def _role(kind: str) -> str:
    kind = kind.upper()
    if kind.endswith("[]") or kind in ("LIST", "ARRAY"):
        return "list"
    if kind.startswith(("TIMESTAMP", "DATE", "DATETIME")):
        return "time"
    if kind.startswith("BOOL"):
        return "bool"
    if kind.startswith(("NUMBER", "DECIMAL", "DOUBLE", "FLOAT", "REAL", "HUGEINT")) or (
        "INT" in kind and "INTER" not in kind
    ):
        return "number"
    return "text"


def _fits(role: str, kind: str) -> bool:
    """Whether a value of the kind can be what the role says: `count(*) AS name` is no name."""
    plain = _role(kind)
    if role in ("number", "size_mb", "size_gb", "size_bytes"):
        return plain == "number"
    if role in ("time", "bool", "list"):
        return plain == role
    return plain in ("text", "list") if role == "address" else plain == "text"


def _keys(rows: tuple[dict[str, Any], ...], checked: Checked) -> tuple[tuple[str, Key], ...]:
    if checked.about is None or not all({"cloud", "region", "id"} <= row.keys() for row in rows):
        return ()
    kind = checked.about.type.name
    return tuple((kind, (str(row["cloud"]), str(row["region"] or ""), str(row["id"]))) for row in rows)
