"""A query as one statement."""

from __future__ import annotations

from datetime import datetime

from copilot.execution import shape
from copilot.execution.level import AGGREGATES, Level, Model, filtered, summable
from copilot.execution.result import QueryError
from copilot.execution.speech import Speech, View, identifier
from copilot.model.declaration import Attribute, Entity
from copilot.query import Query
from store.estate.reading.order import Term, order_by
from store.estate.reading.relation import EXTRA, LEADING, Moment, Relation, quoted

_LINE = "\n"


class Statement:
    """The statement of one query. `sql` may be asked for once; the level then knows what was read."""

    def __init__(self, query: Query, entity: Entity, speech: Speech, model: Model, at: datetime | None) -> None:
        self.query, self.entity, self.speech, self.at = query, entity, speech, at
        self.level = Level(speech, model, entity, at, counted=query.counted, gone=query.gone)
        self.measured = self._measured()

    def _measured(self) -> Attribute | None:
        """The column that the measure is made of. Raises QueryError."""
        measure = self.query.measure
        if measure.kind not in AGGREGATES:
            return None
        attribute = self.level.attribute(measure.column)
        summable(attribute, measure.kind)
        return attribute

    @property
    def sql(self) -> str:
        """The whole statement. Raises QueryError."""
        if self.query.group:
            return self._groups()
        if self.query.measure.kind in ("rows", "exists"):
            return self._readable_rows() if self.speech.readable else self._rows()
        made = self._number()
        kept = self.level.where(self.query.where)
        if not self.speech.readable:
            made = f"count(*), {made}"
        return self.level.finished(f"SELECT {made}\n{self.level.from_clause}{filtered(kept, _LINE)}")

    def _number(self, column: str = "") -> str:
        """SQL of the measure, made of `column` or of the measure's own."""
        measure = self.query.measure
        if measure.kind in AGGREGATES:
            return f"{AGGREGATES[measure.kind]}({column or self.level.column(measure.column)})"
        if measure.kind == "share":
            part = f"count(*) FILTER ({column or self.level.condition(measure.of)})"
            return f"round(100.0 * {part} / count(*), 1)" if self.speech.readable or column else part
        return "count(*)"

    # Groups

    def _groups(self) -> str:
        query, level = self.query, self.level
        names = [f"g{place}" for place in range(len(query.group))]
        if self.speech.readable:
            names = [identifier(name) for name in query.group]
        lists = [name for name in query.group if level.attribute(name).is_list]
        if len(lists) > 1:
            raise QueryError("groups can be made by one column with several values, not by two")
        values = [f"{self._group(name)} AS {shown}" for name, shown in zip(query.group, names, strict=True)]
        if lists or (query.measure.kind == "share" and not self.speech.readable):
            made = self._value()
            inner = f"SELECT {', '.join((*values, f'{made} AS value'))}"
            kept = level.where(query.where)
            rows = level.finished(f"{inner} {level.from_clause}{filtered(kept)}")
            grouped = f"SELECT {', '.join(names)}, {self._number('value')} AS measure\nFROM ({rows})\nGROUP BY ALL"
        else:
            made, kept = self._number(), level.where(query.where)
            picked = ", ".join((*values, f"{made} AS measure"))
            grouped = level.finished(f"SELECT {picked}\n{level.from_clause}{filtered(kept, _LINE)}\nGROUP BY ALL")
        most = shape.most(query)
        if not self.speech.readable:
            grouped = f"SELECT *, count(*) OVER () AS groups FROM ({grouped})"
            most = max(shape.read(query), 1)  # some row has to say how many there are
        terms = [Term(str(place + 1), descending) for place, descending in shape.group_order(query)]
        return f"{grouped}\nORDER BY {_short(terms)}\nLIMIT {most}"

    def _group(self, name: str) -> str:
        """SQL of a group's value: what is empty is none, of a list each of its values."""
        attribute, column = self.level.attribute(name), self.level.column(name)
        if attribute.is_list:
            return f"unnest(CASE WHEN len({column}) > 0 THEN list_distinct({column}) ELSE [NULL] END)"
        return f"nullif({column}, '')" if attribute.sql == "VARCHAR" else column

    def _value(self) -> str:
        measure = self.query.measure
        if measure.kind in AGGREGATES:
            return self.level.column(measure.column)
        return f"({self.level.condition(measure.of)}) IS TRUE" if measure.kind == "share" else "1"

    # Rows

    @property
    def shown(self) -> list[str]:
        """Names of the columns of rows."""
        return shape.columns(self.query, self.entity)

    def _terms(self) -> list[Term]:
        """The order, ended by the key: every row has one place."""
        asked = shape.order(self.query, self.entity)
        terms = [Term(self.level.column(name), descending, name not in LEADING) for name, descending in asked]
        named = {name for name, _ in asked}
        return terms + [Term(self.level.relation.column(name), False, False) for name in LEADING if name not in named]

    def _readable_rows(self) -> str:
        level = self.level
        views = isinstance(level.relation, View)
        counted = {one.name for one in self.query.counted}
        picked = [
            level.column(name) if views and name not in counted else f"{level.column(name)} AS {identifier(name)}"
            for name in self.shown
        ]
        terms, kept = self._terms(), level.where(self.query.where)
        ordered = f"ORDER BY {_short(terms)}\nLIMIT {shape.most(self.query)}"
        return level.finished(f"SELECT {', '.join(picked)}\n{level.from_clause}{filtered(kept, _LINE)}\n{ordered}")

    def _rows(self) -> str:
        """Total, keys and columns. Rows are chosen with what condition and order look at; the rest is joined to the
        few that were chosen.
        """
        level, counted = self.level, [one.name for one in self.query.counted]
        terms = self._terms()
        carried = [f"{term.sql} AS o{place}" for place, term in enumerate(terms)]
        carried += [f"{level.column(name)} AS c{place}" for place, name in enumerate(counted)]
        kept = level.where(self.query.where)
        hits = f"SELECT {level.relation.alias}.rowid AS rid, {', '.join(carried)} {level.from_clause} WHERE {kept}"
        places = [Term(f"o{place}", term.descending, term.nullable) for place, term in enumerate(terms)]
        chosen = f"SELECT * FROM hits ORDER BY {order_by(places)} LIMIT {shape.read(self.query)}"

        stored = [name for name in self.shown if name not in counted]
        page = Relation(level.type, Moment(self.at), "page")
        needed = [*LEADING, *page.needs([name for name in stored if name not in EXTRA])]
        needed += [name for name in stored if name in EXTRA]
        columns = {name: f"t.c{place}" for place, name in enumerate(counted)}
        picked = [columns.get(name) or page.column(name) for name in (*LEADING, *self.shown)]
        taken = ", ".join(f"w.{quoted(name)}" for name in needed)
        ordered = order_by([Term(f"t.{term.sql}", term.descending, term.nullable) for term in places])
        numbered = f"row_number() OVER (ORDER BY {ordered}) AS place"
        found = ", ".join((numbered, *(f"{sql} AS x{place}" for place, sql in enumerate(picked))))
        return (
            f"WITH hits AS MATERIALIZED ({hits}), chosen AS MATERIALIZED ({chosen}), page AS (SELECT {taken}, chosen.*"
            f" FROM chosen JOIN {quoted(level.type.table)} w ON w.rowid = chosen.rid)"
            f" SELECT counted.n, found.* FROM (SELECT count(*) AS n FROM hits) counted"
            f" LEFT JOIN (SELECT {found} {page.from_clause}) found ON true ORDER BY found.place"
        )


def _short(terms: list[Term]) -> str:
    """The order without what goes without saying; nulls come last in DuckDB's ascending order anyway."""
    return order_by(terms).replace(" ASC NULLS LAST", "").replace(" ASC", "")
