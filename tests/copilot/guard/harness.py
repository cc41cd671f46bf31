"""A process that holds the whole small estate: many statements in one go, as `run` does with one."""

from __future__ import annotations

from types import TracebackType
from typing import Any

import duckdb

from copilot.answers import Table
from copilot.guard import explaining, tabling
from copilot.guard.parsing import Checked, looked_at
from copilot.guard.process import Process
from copilot.guard.refusing import Failed
from copilot.guard.scoping import Load, loads
from copilot.guard.walking import VIEWS, Wanted
from copilot.sources import Sources
from store.estate.reading.models import Scope
from tests.copilot.guard.estate import NOW, Asker


class Harness:
    """Looks at statements and runs them, one after another."""

    def __init__(self, world: duckdb.DuckDBPyConnection, scope: Scope | None = None) -> None:
        self.process = Process(seconds=3600, memory=512 << 20)
        self.asker: Sources = Asker(world, scope)  # type: ignore[assignment]
        wanted = tuple(Wanted(type, plural) for plural, type in VIEWS.items())
        everything = Checked("", wanted, (None,) * len(wanted), None)
        for load in loads(everything, self.asker):
            self.asker.read(lambda c, load=load: self._load(c, load))  # type: ignore[misc]

    def __enter__(self) -> Harness:
        self.process.__enter__()
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, at: TracebackType | None) -> None:
        self.process.__exit__(kind, value, at)

    def _load(self, connection: duckdb.DuckDBPyConnection, load: Load) -> None:
        rows = connection.execute(load.sql, list(load.parameters))
        self.process.load(load.table, rows.to_arrow_reader(1000))

    def check(self, sql: str) -> Checked:
        return looked_at(sql, self.process.ask, NOW)

    def run(self, sql: str) -> Table:
        checked = self.check(sql)
        try:
            answer: dict[str, Any] = self.process.run(checked.text, 200)
        except Failed as error:
            raise explaining.failed(error, checked) from None
        return tabling.table(answer, checked)
