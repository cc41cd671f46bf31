"""Why a statement that was looked at did not run to its end, as a sentence for the model that wrote it."""

from __future__ import annotations

import difflib
import re

from copilot.guard.parsing import Checked
from copilot.guard.refusing import Failed, Refused, shown
from copilot.guard.scoping import columns_of
from store import formulas

_MISSING = re.compile(
    r'Referenced column "([^"]{1,128})" (?:was )?not found|does not have a column named "([^"]{1,128})"'
)
_SECTIONS = re.compile(r"\n\s*(?:LINE \d+:|Candidate functions:|Candidate bindings:|Did you mean)", re.IGNORECASE)
_FIXED = re.compile(r"^(?:Binder|Catalog|Conversion|Invalid Input|Out of Range|Parser|Not implemented) Error:\s*", re.I)
_SPOKEN = {
    "BinderException",
    "CatalogException",
    "ConversionException",
    "InvalidInputException",
    "OutOfRangeException",
    "ParserException",
    "SyntaxException",
    "TypeMismatchException",
    "NotImplementedException",
}


def ended(why: str, seconds: float, memory: int) -> Refused:
    """It was ended from outside: `why` as of process.Ended."""
    if why == "time":
        return Refused(
            f"The statement was ended after {seconds:g} s: read fewer views or times, join on ids, or narrow it with "
            "WHERE."
        )
    if why == "broken":
        return Refused("The statement broke off while it ran: write it in a simpler way, with less data.")
    return Refused(
        f"The statement needed more than {memory >> 20} MB and was ended: name columns instead of *, join on ids, and "
        "count or sum instead of listing."
    )


def failed(error: Failed, checked: Checked | None) -> Refused:
    """DuckDB's own error. It ran on the asker's rows alone, so that its words can tell of nothing else."""
    if error.kind in ("memory", "MemoryError"):
        return Refused(
            "The statement needed too much memory: name columns instead of *, join on ids, and count or sum instead of "
            "listing."
        )
    missing = _MISSING.search(error.message)
    if missing and checked is not None:
        return Refused(_no_column(missing[1] or missing[2], checked))
    if error.kind not in _SPOKEN:
        return Refused("The statement could not be run: write it in a simpler way.")
    said = _FIXED.sub("", _SECTIONS.split(error.message)[0].strip().splitlines()[0])
    return Refused(f"The statement can not be run: {formulas.inert(said)[:300].rstrip('.!')}. Correct it.")


def _no_column(name: str, checked: Checked) -> str:
    types = {wanted.type.plural: wanted.type for wanted in checked.wanted}
    words = []
    for plural, type in types.items():
        columns = columns_of(type)
        near = difflib.get_close_matches(name.lower(), columns, n=5, cutoff=0.5)
        words.append(f"{plural} has {', '.join(near)}" if near else f"{plural} has {', '.join(columns)}")
    found = "; ".join(words)[:1500] or "Name the view that it belongs to in FROM"
    return f"There is no column {shown(name)} here. {found}."
