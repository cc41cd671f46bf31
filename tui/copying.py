"""What of a view can be copied: values, rows as tab-separated text, and the commands that show the same thing."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from store.types import registry
from tui import copilot
from tui.clipboard import many_lines, one_line
from tui.exporting import text_of
from tui.panes.detail import RawPane
from tui.panes.log import LogPane
from tui.panes.pane import Pane
from tui.panes.resources import ResourcesPane
from tui.state import OF_ONE
from tui.table.marks import Marks
from tui.table.spec import Key, Row, Spec

# Words of the `openstack` command for types that it calls otherwise; "" = it shows none by id.
_NOUNS = {
    "snapshot": "volume snapshot", "backup": "volume backup", "trunk": "network trunk",
    "cinder_message": "volume message", "role_assignment": "", "availability_zone": "", "compute_service": "",
    "volume_service": "", "storage_pool": "",
}  # fmt: skip
_BY_NAME = ("keypair",)
_OF_ITSELF = ("detail", "raw", "log")  # views whose rows are no resources


@dataclass(frozen=True, slots=True)
class Copy:
    """One thing to copy. `key`: the letter that chooses it; `text` makes it, cleaned; `reason`: why it can't be."""

    key: str
    title: str
    text: Callable[[], str]
    reason: str = ""


def choices(
    pane: Pane, row: Row | None, column: str, marks: Marks, spec: Spec, account: Callable[[str], str]
) -> list[Copy]:
    """What can be copied here.

    column   name of the column under the cursor, "" = none
    account  gives the entry of clouds.yaml for a cloud's name
    """
    found = _marked(marks) if marks and isinstance(pane, ResourcesPane) else []
    subject = subject_of(pane, row)
    if subject is not None:
        type, key, name = subject
        found.append(Copy("i", "id", lambda: one_line(key[-1])))
        found.append(Copy("n", "name", lambda: one_line(name), "" if name else "it has none"))
    if row is not None:
        found += _of_row(pane, row, column)
    if isinstance(pane, RawPane | LogPane):
        what = "document" if isinstance(pane, RawPane) else f"log, {len(pane.lines):,} lines"
        found.append(Copy("a", f"all: the whole {what}", lambda: many_lines(text_of(pane, spec, "txt"))))
    if subject is not None:
        words = openstack_words(type, key, name, account(key[0]))
        found.append(Copy("o", "openstack command", lambda: command(words), "" if words else "it shows none of these"))
        found.append(Copy("s", "qdeck command", lambda: command(qdeck_words(type, key))))
    return found


def _marked(marks: Marks) -> list[Copy]:
    if marks.of is not None:
        return [Copy("m", "marked ids", str, "all that pass are marked: E saves them to a file")]
    ids = "\n".join(one_line(key[-1]) for key in sorted(marks.keys))
    return [Copy("m", f"ids of the {len(marks.keys):,} marked, one a line", lambda: ids)] if marks.keys else []


def _of_row(pane: Pane, row: Row, column: str) -> list[Copy]:
    names = _columns(pane)
    values = dict(zip(names, row.values, strict=False))
    if isinstance(pane, RawPane | LogPane):
        return [Copy("c", "line", lambda: one_line(str(row.values[0]).strip()))]
    if pane.view.kind == "detail":
        column = "value"
    shown = pane.shown_columns if isinstance(pane, ResourcesPane) else names
    found = []
    if column in values:
        title = one_line(str(values.get("field"))) if pane.view.kind == "detail" else column
        found.append(Copy("c", f"cell: {title}", lambda: plain(values[column])))
    found.append(Copy("r", "row, tab-separated", lambda: "\t".join(plain(values.get(name)) for name in shown)))
    return found


def _columns(pane: Pane) -> Sequence[str]:
    return pane.columns if isinstance(pane, ResourcesPane) else getattr(pane.source, "columns", ())


def plain(value: Any) -> str:
    """A value as it is, not as it is shown: sizes are bare numbers, times RFC 3339; on one line."""
    if value is None:
        return ""
    if value is True or value is False:
        return "true" if value else "false"
    if isinstance(value, list):
        return one_line(", ".join(str(item) for item in value))
    return one_line(json.dumps(value, ensure_ascii=False) if isinstance(value, dict) else str(value))


def subject_of(pane: Pane, row: Row | None) -> tuple[str, Key, str] | None:
    """(type, key, name) of the resource under the cursor, else of the one that the view is about."""
    own = getattr(pane, "resource_here", None)  # a pane of other things says itself what its rows are about
    if own is not None:
        found: tuple[str, Key, str] | None = own(row)
        return found
    view = pane.view
    target = pane.enter(row) if row is not None and view.kind not in _OF_ITSELF else None
    if row is not None and target is not None and target.kind == "detail" and len(target.subject) == 3:
        name = dict(zip(_columns(pane), row.values, strict=False)).get("name") if target.type else None
        return target.type, target.subject, str(name or "")
    if view.kind in OF_ONE and len(view.subject) == 3:
        name = str(getattr(pane, "name", "") or "")
        return view.type, view.subject, "" if name == view.subject[-1] else name
    return None


def of_answer(question: str, answer: Mapping[str, Any]) -> list[Copy]:
    """What of an answer of the copilot can be copied."""
    names, rows = copilot.names_of(answer), copilot.rows_of(answer)
    queries = [str(one.get("text") or "") for one in answer.get("queries") or ()]
    table = "\n".join(["\t".join(names), *("\t".join(plain(value) for value in values) for _, values in rows)])
    return [
        Copy("a", "answer", lambda: copilot.as_text(question, answer)),
        Copy("r", f"{len(rows):,} rows, tab-separated", lambda: many_lines(table), "" if rows else "it has none"),
        Copy("s", "query", lambda: many_lines("\n\n".join(queries)), "" if queries else "it has none"),
        Copy("l", "command line", lambda: command(["qdeck", "ask", question])),
    ]


def openstack_words(type_name: str, key: Key, name: str, account: str) -> list[str]:
    """The `openstack` command that shows a resource; [] when there is none."""
    noun = _NOUNS.get(type_name, type_name.replace("_", " "))
    if not noun:
        return []
    region = ["--os-region-name", key[1]] if key[1] else []
    id = name if type_name in _BY_NAME and name else key[-1]
    return ["openstack", "--os-cloud", account or key[0], *region, *noun.split(), "show", id]


def qdeck_words(type_name: str, key: Key) -> list[str]:
    """Our own command that shows a resource."""
    region = ["--region", key[1]] if key[1] else []
    return ["qdeck", "show", registry.ALL[type_name].name, key[-1], "--cloud", key[0], *region]


def command(words: Sequence[str]) -> str:
    """A line for a shell: every word is one word whatever it holds."""
    return shlex.join(one_line(word) for word in words)
