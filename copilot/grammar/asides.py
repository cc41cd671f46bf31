"""What is said beside a question: greetings, signatures, reasons. None of it limits what is asked for. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from copilot.grammar.items import Item

_THANKS = frozenset(
    {"thanks", "thank you", "thx", "regards", "regard", "cheers", "best", "kind regards", "best regards", "merci", "ty",
     "many thanks", "greetings", "danke", "br", "sincerely", "yours"}
)  # fmt: skip
_GREETINGS = frozenset({"hi", "hello", "hey", "dear", "good morning", "good evening", "good afternoon", "morning"})
_REASONS = frozenset({"because", "cause", "since", "as", "so"})
_ASKING = (
    "how_many", "how_much", "list", "which", "what", "who", "whose", "where", "when", "is", "do", "how_old", "total",
    "average",
)  # fmt: skip
_LONGEST_GREETING = 3
_LONGEST_SIGNATURE = 4


def leave_out(items: Sequence[Item]) -> None:
    """Mark what is said beside the question as dropped."""
    _greeting(items)
    _signature(items)
    _reason_before(items)
    _reason_behind(items)


def _says_nothing(item: Item) -> bool:
    """Whether it speaks of nothing that is in the estate."""
    senses = item.senses
    if item.said in ("up", "free", "report", "check", "review"):  # "to clean up"
        return True
    if item.named or item.period or item.quantity or item.value:
        return False
    return senses is None or not (senses.entities or senses.columns or senses.states or senses.topics)


def _drop(items: Sequence[Item]) -> None:
    for item in items:
        item.dropped = True


def _greeting(items: Sequence[Item]) -> None:
    """ "hi team, ...", "dear support, ...": up to a comma."""
    for at, item in enumerate(items[: _LONGEST_GREETING + 1]):
        if item.text == "," and items[0].text.lower() in _GREETINGS and all(map(_plain, items[:at])):
            _drop(items[: at + 1])


def _plain(item: Item) -> bool:
    return _says_nothing(item) and not item.is_concept(*_ASKING)


def _signature(items: Sequence[Item]) -> None:
    """ "... thanks, Martin": at the end."""
    for at in range(max(len(items) - _LONGEST_SIGNATURE, 1), len(items)):
        rest = items[at:]
        if items[at].text.lower() in _THANKS and all(map(_is_signed, rest)):
            _drop(rest)
            return


def _is_signed(item: Item) -> bool:
    """A word of thanks, a comma, or a name that nothing else is known of."""
    known = item.senses is not None and not item.only(("filler",)) and not item.corrected
    return (
        item.text == "," or item.text.lower() in _THANKS or (not known and _says_nothing(item)) or bool(item.corrected)
    )


def _reason_before(items: Sequence[Item]) -> None:
    """ "because we want to clean up, show me ...": a clause that speaks of nothing, before a question."""
    for at, item in enumerate(items):
        if item.text != "," or not at or item.dropped or at + 1 >= len(items):
            continue
        asked = next((one for one in items[at + 1 :] if not one.only(("filler",))), None)
        clause = [one for one in items[:at] if not one.dropped]
        if asked is None or not asked.is_concept(*_ASKING) or not clause:
            return
        if all(map(_says_nothing, clause)) and not any(
            one.is_concept("except", "no", "not", "in_name") for one in clause
        ):
            _drop(items[: at + 1])
        return


def _reason_behind(items: Sequence[Item]) -> None:
    """ "..., since the auditors want to know": to the end."""
    for at, item in enumerate(items):
        if not at or item.text.lower() not in _REASONS:
            continue
        rest = items[at + 1 :]
        apart = items[at - 1].text == "," or item.text.lower() in ("because", "cause")
        if apart and rest and all(map(_says_nothing, rest)):
            _drop(items[at:])
            return
