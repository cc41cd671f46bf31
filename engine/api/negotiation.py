"""Which of two forms of an answer an `Accept` header prefers."""

from __future__ import annotations


def prefers_json(accept: str) -> bool:
    """Whether `accept` ranks application/json above text/plain. No header, or no preference, means text."""
    json, text = _quality(accept, "application", "json"), _quality(accept, "text", "plain")
    return json > text


def _quality(accept: str, kind: str, subtype: str) -> float:
    """The weight that `accept` gives to a media type: that of the most specific range that covers it, else 0."""
    best = (-1, 0.0)
    for part in accept.split(","):
        media, *parameters = (piece.strip().lower() for piece in part.split(";"))
        specific = {f"{kind}/{subtype}": 2, f"{kind}/*": 1, "*/*": 0}.get(media)
        if specific is not None:
            best = max(best, (specific, _weight(parameters)))
    return best[1]


def _weight(parameters: list[str]) -> float:
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            try:
                weight = float(value)
            except ValueError:
                return 0.0
            return weight if 0.0 <= weight <= 1.0 else 0.0
    return 1.0
