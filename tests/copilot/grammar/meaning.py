"""What the grammar makes of a question, as one line of text that says its meaning and nothing of its wording."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from copilot import query
from copilot.answers import SURE, Context, Named, Turn
from copilot.grammar.assembling import assemble
from copilot.grammar.confidence import confidence_of, unknown_words
from copilot.grammar.frames import Frame
from copilot.grammar.scanning import Scanner
from copilot.linking.names import Names
from copilot.model.registry import entity
from copilot.query import All, AnyOf, Condition, Not, Related
from copilot.service import Copilot
from tests.copilot.evaluation.sources import Fake


@dataclass(frozen=True, slots=True)
class Read:
    """A question read. `frame` is None where the grammar asks nothing."""

    frame: Frame | None
    confidence: float
    unknown: tuple[str, ...]
    ambiguous: tuple[str, ...]

    @property
    def sure(self) -> bool:
        """Whether it would be answered with confidence."""
        return self.frame is not None and self.confidence >= SURE and not self.ambiguous


class Reader:
    """Reads questions to one world."""

    def __init__(self, fake: Fake) -> None:
        self._fake = fake
        self._names = {row["id"]: row["name"] for type in fake.world.versions for row in _named(fake, type)}

    def read(self, question: str, turns: tuple[Turn, ...] = (), selected: tuple[Named, ...] = ()) -> Read:
        """The last of the turns that " >> " parts, each read after those before it."""
        for one in question.split(" >> "):
            context = Context(self._fake.world.now, self._fake.world.zone, selected, turns)
            names = Names.of(self._fake)
            parse = assemble(Scanner(one, names, context).scan(), names, selected)
            frame = Copilot()._frame(parse, context)
            left = unknown_words(parse)
            found = Read(frame, confidence_of(parse, left), left, tuple(a.typed for a in parse.ambiguous))
            turns = (*turns, Turn(one, frame))
        return found

    def meaning(self, question: str, selected: tuple[Named, ...] = ()) -> str:
        """See `Reader.told`; "unsure" for what would not be answered with confidence, "several" for an unclear name."""
        found = self.read(question, selected=selected)
        if found.ambiguous:
            return "several"
        if found.frame is None:
            return "nothing"
        return self.told(found.frame) if found.sure else "unsure"

    def told(self, frame: Frame) -> str:
        """ "count server: status = ACTIVE, project = acme-prod; by host"."""
        asked = frame.query()
        where = self._all(tuple(piece.condition for piece in frame.pieces))
        predicate = self._all(tuple(piece.condition for piece in frame.predicate))
        implied = {"count": "count", "share": "share"}.get(frame.form, "rows")
        measure = asked.measure.kind if asked.measure.kind != implied else ""
        size = [*((f"{'-' if falling else ''}{self._counted(asked, name)}") for name, falling in frame.order)]
        extras = (
            ("asks", predicate),
            (measure, asked.measure.column or (measure and "rows")),
            ("by", " ".join(asked.group)),
            ("first", "" if size in ([], ["-#"]) else " ".join(size)),
            ("limit", str(asked.limit or "")),
            ("at", self._value(asked.at) if asked.at else ""),
            ("gone", " .. ".join(self._value(one) if one else "" for one in asked.gone) if asked.gone else ""),
            ("shows", " ".join(name for name in asked.columns if name != entity(frame.entity).name_column)),
            ("more", f"{frame.expected.comparison}{frame.expected.value:g}" if frame.expected else ""),
            ("also", " ".join(frame.also)),
        )
        told = "; ".join(f"{name} {said}" for name, said in extras if said)
        return f"{frame.form} {frame.entity}" + (f": {where}" if where else "") + (f"; {told}" if told else "")

    def _all(self, conditions: tuple[Condition, ...]) -> str:
        return ", ".join(sorted(dict.fromkeys(self.condition(one) for one in conditions)))

    def condition(self, one: Condition) -> str:
        """A condition as text; of what is named by its id, the name."""
        if isinstance(one, query.Test):
            return self._test(one)
        if isinstance(one, All):
            return " & ".join(sorted(self.condition(item) for item in one.items))
        if isinstance(one, AnyOf):
            return f"({' | '.join(sorted(self.condition(item) for item in one.items))})"
        if isinstance(one, Not):
            return f"not ({self.condition(one.item)})"
        assert isinstance(one, Related)
        many = "" if (one.comparison, one.count) == (">=", 1) else f" {one.comparison} {one.count}"
        return f"{one.relation}[{self.condition(one.where)}]{many}"

    def _test(self, one: query.Test) -> str:
        values = [self._value(value) for value in one.values]
        if any(str(value) in self._names for value in one.values) or one.column.endswith("_name"):
            column = "name" if one.column == "id" else one.column.removesuffix("_id").removesuffix("_name")
            column = column.removeprefix("boot_")  # what a server was made of, whether by image or by volume
        else:
            column = one.column
        said = " or ".join(sorted(dict.fromkeys(values)))
        return f"{column} {one.operator} {said}".rstrip()

    def _counted(self, asked: query.Query, name: str) -> str:
        one = next((one for one in asked.counted if one.name == name), None)
        if one is None:
            return name
        where = "" if one.where == query.EVERYTHING else f"[{self.condition(one.where)}]"
        return f"{one.kind}({one.relation}{where}{f'.{one.column}' if one.column else ''})"

    def _value(self, value: Any) -> str:
        if isinstance(value, datetime):
            return value.astimezone(self._fake.world.zone).strftime("%Y-%m-%d %H:%M")
        return self._names.get(value, f"{value:g}" if isinstance(value, float) else str(value))


def _named(fake: Fake, type: str) -> list[Mapping[str, Any]]:
    return [version.row for version in fake.world.versions[type] if version.row.get("name")]
