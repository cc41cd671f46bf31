"""A text that was looked for, made to stand out in a drawn line."""

from __future__ import annotations

import itertools
import re

from rich.segment import Segment
from rich.style import Style

from tui.table.paint import Line

LIT = Style(underline=True)  # besides the style's colour: seen without colours, too


def lit(line: Line, text: str, style: Style) -> Line:
    """The line with every occurrence of the text, in any case, in that style over its own; its width stays."""
    if not text:
        return line
    whole = "".join(segment.text for segment in line)
    spans = [found.span() for found in re.finditer(re.escape(text), whole, re.IGNORECASE)]
    if not spans:
        return line
    segments: list[Segment] = []
    at = 0
    for segment in line:
        end = at + len(segment.text)
        cuts = sorted({at, end, *(edge for span in spans for edge in span if at < edge < end)})
        for start, stop in itertools.pairwise(cuts):
            inside = any(first <= start and stop <= last for first, last in spans)
            own = segment.style or Style.null()
            segments.append(Segment(whole[start:stop], own + style + LIT if inside else own))
        at = end
    return segments
