"""One drift event: what changed, who did it and how sure that is, when, and what people decided on it."""

from __future__ import annotations

from typing import Any

from engine.drift.models import GRADE_MEANING, GRADE_WORDS, NOT_ASKED
from tui.drift import full_side, state_words, subject_words, type_words
from tui.panes.drift import EVENTS, resource_of, subject_of
from tui.panes.pane import FetchedSource, Pane, Parts, Rows
from tui.panes.told import local
from tui.state import View
from tui.table.cells import clean
from tui.table.layout import Head
from tui.table.paint import LINK
from tui.table.spec import Key, Row, RowSource


class DriftEventPane(Pane):
    """Fields as rows, what leads on first. Opening it has the engine ask the cloud who did it, where it was not yet."""

    places = ("list", "drift_event")
    topics = frozenset({"drift"})
    noun = "field"

    def make_source(self) -> RowSource:
        """Fields and links as rows."""
        self.item: dict[str, Any] = {}
        return FetchedSource(("field", "value"), self._rows)

    async def _rows(self) -> Rows:
        id = self.view.subject[0] if self.view.subject else ""
        if not id.isdecimal():
            return []
        self.item = await self.world.get(f"{EVENTS}/{id}")
        rows: Rows = self._what() + _who(self.item) + _times(self.item) + _where(self.item) + _decided(self.item)
        return rows + self._related()

    def _what(self) -> Rows:
        item = self.item
        name = clean(item.get("resource_name") or item.get("resource_id") or "")
        rows: Rows = [(("change",), ["change", subject_words(item)])]
        if resource_of(item) is not None:
            rows.append(((LINK, "resource"), [f"→ {type_words(item)}", name]))
        if item.get("kind") == "changed":
            rows += [_row("field", item.get("field_changed"))]
            rows += [_row("was", full_side(item, "old")), _row("is", full_side(item, "new"))]
        rows += [_row("severity", item.get("severity")), _row("state", state_words(item))]
        if item.get("flapping") or int(item.get("count") or 0) > 1:
            often = f"{int(item.get('count') or 0)} times: {', '.join(local(at) for at in item.get('times') or ())}"
            rows.append(_row("goes back and forth" if item.get("flapping") else "came again", often))
        return rows

    def _related(self) -> Rows:
        rows: Rows = []
        for other in self.item.get("related") or ():
            words = f"{subject_words(other)}  {local(other.get('opened_at'))}"
            rows.append(((LINK, "event", str(other.get("id"))), ["→ related", words]))
        return rows

    def heads(self, columns: tuple[str, ...]) -> list[Head]:
        """Field and value."""
        return [Head("field", "FIELD", "name", 20, 0), Head("value", "VALUE", "text", 400, 1)]

    def title(self) -> str:
        """Which."""
        return f"drift {clean(self.item.get('resource_name') or self.item.get('resource_id') or '')}".strip()

    def empty(self) -> str:
        """There is always something, unless a filter hides it."""
        return "no field matches this filter\nesc clears it" if self.view.filter else "reading …"

    def enter(self, row: Row) -> View | None:
        """The resource, or the related event."""
        if row.key[:2] == (LINK, "resource") and (found := resource_of(self.item)) is not None:
            return View("detail", found[0], subject=found[1])
        return View("drift_event", subject=row.key[2:3]) if row.key[:2] == (LINK, "event") else None

    def resource_here(self, row: Row | None) -> tuple[str, Key, str] | None:
        """(type, key, name) of the event's resource."""
        return resource_of(self.item or None)

    def note_subject(self, row: Row | None) -> dict[str, Any] | None:
        """What a note here would be about."""
        return subject_of(self.item)

    def strip(self, row: Row) -> list[Parts]:
        """The whole value of the field, over the lines there are."""
        if row.key[:1] == (LINK,):
            return [[("enter opens it; d the resource, h its history, t what uses it", "muted")]]
        value, room = str(row.values[1]), max(20, self.world.cells - 4)
        return [[(value[start : start + room], "text")] for start in range(0, min(len(value), room * 3), room)] or [[]]


def _row(name: str, value: Any) -> tuple[Key, list[Any]]:
    return ((name,), [name, clean("-" if value in (None, "") else value)])


def _who(item: dict[str, Any]) -> Rows:
    """Who did it, never more than is known, and by which record."""
    grade = item.get("grade")
    nobody = "nobody is named" if grade in ("one_of", "service", "unknown") else "-"
    rows: Rows = [_row("who", item.get("actor") or (NOT_ASKED if grade is None else nobody))]
    if grade is not None:
        rows.append(_row("how sure", f"{GRADE_WORDS.get(grade, grade)}: {GRADE_MEANING.get(grade, '')}"))
    for name, title in (("source", "record"), ("request_id", "request"), ("job", "job"), ("problem", "not asked")):
        if item.get(name):
            rows.append(_row(title, item[name]))
    for number, one in enumerate(item.get("candidates") or (), 1):
        words = f"{one.get('action')} by {one.get('actor') or 'unknown'}, {local(one.get('at'))}"
        request = f"  {one['request_id']}" if one.get("request_id") else ""
        rows.append((("candidate", str(number)), ["can have done it", clean(words + request)]))
    if item.get("created_by"):
        rows.append(_row("created by", f"{item['created_by']} (made it; that does not say who changed it)"))
    return rows


def _times(item: dict[str, Any]) -> Rows:
    """Between which listings it happened, and when it went back."""
    rows: Rows = [_row("seen", local(item.get("seen_at") or item.get("opened_at")))]
    if item.get("seen_before"):
        rows.append(_row("last seen before", local(item["seen_before"])))
    if item.get("first_at") and item["first_at"] != item.get("opened_at"):
        rows.append(_row("first", local(item["first_at"])))
    if item.get("resolved_at"):
        rows.append(_row("went back", local(item["resolved_at"])))
    return rows


def _where(item: dict[str, Any]) -> Rows:
    """Whose it is and where; the rule that looked."""
    rows: Rows = []
    for name in ("project_name", "domain_name", "cloud", "region"):
        if item.get(name):
            rows.append(_row(name.removesuffix("_name"), item[name]))
    rule = f"{item.get('rule_id')} {item.get('rule_name') or ''}: {item.get('rule_description') or ''}"
    return [*rows, _row("id", item.get("resource_id")), _row("rule", rule), _row("event", item.get("id"))]


def _decided(item: dict[str, Any]) -> Rows:
    """Every acknowledgement, the newest first."""
    rows: Rows = []
    for number, ack in enumerate(item.get("acks") or (), 1):
        words = f"{ack.get('by')} {local(ack.get('at'))}"
        words += f", until {local(ack['until'])}" if ack.get("until") else ""
        words += f": {ack['note']}" if ack.get("note") else ""
        if ack.get("undone_at"):
            words += f" (undone by {ack.get('undone_by')} {local(ack['undone_at'])})"
        elif not ack.get("in_force"):
            words += " (run out)"
        rows.append((("ack", str(number)), ["acknowledged", clean(words)]))
    return rows
