"""A text that was looked for, made to stand out in a drawn line."""

from __future__ import annotations

import itertools
import re

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

LIT = Style(underline=True)  # besides the style's colour: seen without colours, too


def lit(strip: Strip, text: str, style: Style) -> Strip:
    """The line with every occurrence of the text, in any case, in that style over its own; its width stays."""
    if not text:
        return strip
    line = strip.text
    spans = [found.span() for found in re.finditer(re.escape(text), line, re.IGNORECASE)]
    if not spans:
        return strip
    segments: list[Segment] = []
    at = 0
    for segment in strip:
        end = at + len(segment.text)
        cuts = sorted({at, end, *(edge for span in spans for edge in span if at < edge < end)})
        for start, stop in itertools.pairwise(cuts):
            inside = any(first <= start and stop <= last for first, last in spans)
            own = segment.style or Style.null()
            segments.append(Segment(line[start:stop], own + style + LIT if inside else own))
        at = end
    return Strip(segments, strip.cell_length)
