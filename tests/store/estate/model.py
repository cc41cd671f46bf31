"""A naive estate in plain Python: what the store must be equal to after any sequence of listings.

Written from the rules, not from the SQL: one row at a time, everything in dicts.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from store.estate.visibility import Visibility

TICK = timedelta(microseconds=1)
Doc = dict[str, Any]


@dataclass
class Version:
    start: datetime
    end: datetime | None
    known: Doc  # everything known of the version
    shown: Doc  # as it was listed last
    seen_by: tuple[Visibility, str]  # who listed it last, and for which scope


@dataclass
class Step:
    """One listing. `rows` in the order of arrival: (id, document or None for a bare row, deleted)."""

    kind: str
    scope: str
    visibility: Visibility
    start: datetime
    rows: list[tuple[str, Doc | None, bool]]
    broken: bool


@dataclass
class Model:
    history: dict[str, list[Version]] = field(default_factory=dict)
    missing: dict[str, dict[str, bool]] = field(default_factory=dict)  # scope -> id -> kept by a person
    last_whole: dict[str, Visibility] = field(default_factory=dict)
    state: dict[str, str] = field(default_factory=dict)
    started: dict[str, datetime] = field(default_factory=dict)

    def current(self, id: str) -> Version | None:
        versions = self.history.get(id, [])
        return versions[-1] if versions and versions[-1].end is None else None

    def apply(self, step: Step) -> None:
        final: dict[str, tuple[Doc | None, bool]] = {}
        for id, doc, deleted in step.rows:
            if doc is not None or id not in final:
                final[id] = (doc, deleted)
        for id, (doc, deleted) in final.items():
            if deleted and not step.broken:
                self._close(id, step.start)
            elif deleted:
                # Not believed, as the listing broke off; but the row was in its view.
                self._touch(id, step)
            elif doc is not None:
                self._see(id, doc, step)
        for waiting in self.missing.values():
            for id in final:
                waiting.pop(id, None)
        state = "failed" if step.broken else "ok"
        if not step.broken and step.kind != "delta":
            state = self._absent(set(final), step)
            self.last_whole[step.scope] = step.visibility
            self.started[step.scope] = step.start
        elif not step.broken and self.state.get(step.scope) in ("suspect", "degraded"):
            state = self.state[step.scope]
        self.state[step.scope] = state

    def decide(self, accept: bool) -> None:
        for scope, waiting in self.missing.items():
            if self.state.get(scope) in ("suspect", "degraded"):
                self.state[scope] = "ok" if accept else "degraded"
            for id in waiting:
                waiting[id] = True
        if accept:
            when: dict[str, datetime] = {}
            for scope, waiting in self.missing.items():
                for id in waiting:
                    when[id] = max(self.started[scope], when.get(id, self.started[scope]))
            for id, start in when.items():
                self._close(id, start)
            self.missing.clear()
            for scope, state in self.state.items():
                self.state[scope] = "ok" if state in ("suspect", "degraded") else state
        else:
            for scope, state in self.state.items():
                self.state[scope] = "degraded" if state == "suspect" else state

    def _close(self, id: str, start: datetime) -> None:
        version = self.current(id)
        if version is not None:
            version.end = max(start, version.start + TICK)
        for waiting in self.missing.values():
            waiting.pop(id, None)

    def _touch(self, id: str, step: Step) -> None:
        version = self.current(id)
        if version is not None:
            version.seen_by = (step.visibility, step.scope)

    def _see(self, id: str, doc: Doc, step: Step) -> None:
        seen_by = (step.visibility, step.scope)
        version = self.current(id)
        if version is None:
            versions = self.history.setdefault(id, [])
            start = max([step.start, *(old.end for old in versions if old.end)])
            versions.append(Version(start, None, dict(doc), doc, seen_by))
        elif doc == version.shown:
            version.seen_by = seen_by
        elif seen_by != version.seen_by and all(version.known[key] == doc[key] for key in doc if key in version.known):
            version.known = {**version.known, **doc}
            version.shown, version.seen_by = doc, seen_by
        else:
            version.end = max(step.start, version.start + TICK)
            self.history[id].append(Version(version.end, None, dict(doc), doc, seen_by))

    def _absent(self, seen: set[str], step: Step) -> str:
        before = self.missing.get(step.scope, {})
        covered, gone, blocked, kept, fresh = 0, set(), set(), set(), set()
        for id in self.history:
            version = self.current(id)
            if version is None:
                continue
            if step.scope not in ("all", version.known["project_id"], version.seen_by[1]):
                continue
            covered += 1
            if id in seen:
                continue
            gone.add(id)
            if before.get(id):
                kept.add(id)
            elif step.visibility.covers(version.seen_by[0]) not in ("same", "wider"):
                blocked.add(id)
            elif id not in before:
                fresh.add(id)
        undecided = gone - kept
        last = self.last_whole.get(step.scope)
        changed = last is not None and step.visibility.covers(last) != "same"
        suspect = (bool(undecided) and changed) or (len(fresh) >= 10 and len(fresh) > covered / 5)
        if not suspect:
            for id in undecided - blocked:
                self._close(id, step.start)
            gone -= undecided - blocked
        self.missing[step.scope] = {id: id in kept for id in gone}
        if suspect or blocked:
            return "suspect"
        return "degraded" if kept else "ok"
