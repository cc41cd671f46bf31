"""The hand-over page as Markdown and CSV. What clouds and people wrote is text in both, never markup or a formula."""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from store import times
from store.formulas import harmless

_MARKUP = re.compile(r"([\\`*_{}\[\]<>#|~!&])")


def markdown(page: Mapping[str, Any]) -> str:
    """The page: a head, then one table for each section."""
    mark = page["mark"]
    began = " (shift start" + (f": {_escaped(mark['note'])}" if mark["note"] else "") + ")" if mark else ""
    lines = [
        f"# Hand-over of {_escaped(page['by'])}",
        "",
        f"From {_time(page['since'])}{began} to {_time(page['until'])}.",
    ]
    for section in page["sections"]:
        lines += ["", f"## {section['title']}", ""]
        if section["problem"]:
            lines.append(f"Not known: {_escaped(section['problem'])}")
        elif not section["rows"]:
            lines.append(f"{section['none'][:1].upper()}{section['none'][1:]}.")
        else:
            columns = section["columns"]
            lines.append("| " + " | ".join(column["title"] for column in columns) + " |")
            lines.append("|" + "---|" * len(columns))
            for row in section["rows"]:
                lines.append("| " + " | ".join(_escaped(_text(row.get(c["name"]))) for c in columns) + " |")
            if section["total"] > len(section["rows"]):
                lines += ["", f"{section['total'] - len(section['rows'])} more are not on this page."]
    return "\n".join(lines) + "\n"


def comma_separated(page: Mapping[str, Any]) -> str:
    """One row for each row of each section: the section, then (name, value) columns of all sections together."""
    names = list(dict.fromkeys(column["name"] for section in page["sections"] for column in section["columns"]))
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\r\n")
    writer.writerow(["section", *names])
    for section in page["sections"]:
        if section["problem"]:
            writer.writerow(
                [section["name"], *(("" if n != "reason" else harmless(section["problem"])) for n in names)]
            )
        for row in section["rows"]:
            writer.writerow([section["name"], *(harmless(_text(row.get(name))) for name in names)])
    return file.getvalue()


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return _time(value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return _plain(str(value))


def _time(value: datetime) -> str:
    return times.text(value.replace(microsecond=0))


def _plain(text: str) -> str:
    """One line without what a terminal or an editor would act on: controls, escapes, changes of direction."""
    spaced = " ".join(text.split())
    return "".join("\N{REPLACEMENT CHARACTER}" if unicodedata.category(c)[0] == "C" else c for c in spaced)


def _escaped(text: str) -> str:
    return _MARKUP.sub(r"\\\1", _plain(text)).replace("\\<", "&lt;").replace("\\>", "&gt;")
