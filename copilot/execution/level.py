"""One entity's rows in a statement: its columns, conditions, and what is counted of related rows, each joined once.

Related rows are counted for all rows at once in a derived table that is joined: asked row by row, a hundred thousand
rows would cost minutes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from copilot.execution import comparing
from copilot.execution.result import QueryError
from copilot.execution.speech import Speech, View, within
from copilot.model.declaration import Attribute, Entity
from copilot.model.declaration import Relation as Leads
from copilot.query import EVERYTHING, All, AnyOf, Condition, Counted, Not, Related, Test
from store.estate.reading.relation import LEADING, Relation, quoted
from store.types.declaration import ResourceType

Model = Callable[[str], Entity]
Period = tuple[datetime | None, datetime | None]

AGGREGATES = {"sum": "sum", "average": "avg", "maximum": "max", "minimum": "min"}
_SINCE = Attribute("valid_from", "time", "SINCE", "TIMESTAMP", ("since",))
_GONE = Attribute("valid_to", "time", "GONE", "TIMESTAMP", ("gone",))


def attribute_of(entity: Entity, name: str, gone: bool = False) -> Attribute:
    """The entity's column. Raises QueryError."""
    if name in entity.attributes:
        return entity.attributes[name]
    if entity.type is not None and name in LEADING:
        return Attribute(name, "id" if name == "id" else "name", name.upper())
    if entity.type is not None and name == _SINCE.column:
        return _SINCE
    if gone and name == _GONE.column:
        return _GONE
    raise QueryError(f"{entity.plural} have no column {name[:60]!r}")


def relation_of(entity: Entity, name: str) -> Leads:
    """The entity's relation. Raises QueryError."""
    if name not in entity.relations:
        raise QueryError(f"nothing is known that leads from {entity.plural} to {name[:60]!r}")
    return entity.relations[name]


def type_of(entity: Entity) -> ResourceType:
    """Its resource type. Raises QueryError for a list of a room, which no statement reads."""
    if entity.type is None:
        raise QueryError(f"{entity.plural} are not read from the estate")
    return entity.type


class Level:
    """The rows of one entity and what is joined to them. Names of columns and relations raise QueryError."""

    def __init__(
        self,
        speech: Speech,
        model: Model,
        entity: Entity,
        at: datetime | None,
        *,
        counted: tuple[Counted, ...] = (),
        gone: Period | None = None,
    ) -> None:
        self.speech, self.model, self.entity, self.at, self.gone = speech, model, entity, at, gone
        self.type = type_of(entity)
        self.relation = self._rows()
        self.read = {entity.name}
        self._counted = {one.name: one for one in counted}
        self._joins: list[str] = []
        self._known: dict[tuple[str, Condition, str, str], str] = {}

    def _rows(self) -> Relation:
        return self.speech.rows(self.type, self.at, ended=self.gone is not None)

    # Columns

    def attribute(self, name: str) -> Attribute:
        """The column, or the counted number as one. Raises QueryError."""
        if name not in self._counted:
            return attribute_of(self.entity, name, self.gone is not None)
        one = self._counted[name]
        if not one.column:
            return Attribute(name, "number", name.upper(), "BIGINT")
        other = self.model(relation_of(self.entity, one.relation).to)
        made = attribute_of(other, one.column)
        return Attribute(name, made.role, name.upper(), "DOUBLE" if one.kind == "average" else made.sql)

    def column(self, name: str) -> str:
        """SQL of a column or counted number. Raises QueryError."""
        self.attribute(name)
        if name in self._counted:
            one = self._counted[name]
            return self.aggregate(one.relation, one.where, one.kind, one.column)
        return self.relation.column(name)

    # Conditions

    def condition(self, condition: Condition) -> str:
        """SQL of a condition; NULL counts as not fulfilled."""
        if isinstance(condition, Test):
            return comparing.sql(
                condition, self.attribute(condition.column), self.column(condition.column), self.speech
            )
        if isinstance(condition, All):
            return " AND ".join(self._grouped(item) for item in condition.items) or "true"
        if isinstance(condition, AnyOf):
            return " OR ".join(self._grouped(item) for item in condition.items) or "false"
        if isinstance(condition, Not):
            return self._negated(condition.item)
        assert isinstance(condition, Related)
        sign = "<>" if condition.comparison == "!=" else condition.comparison
        return f"{self.aggregate(condition.relation, condition.where, 'count')} {sign} {int(condition.count)}"

    def _negated(self, item: Condition) -> str:
        return f"({self.condition(item)}) IS NOT TRUE"

    def _grouped(self, item: Condition) -> str:
        sql = self.condition(item)
        alone = isinstance(item, Test | Related | Not) or len(getattr(item, "items", ())) < 2
        return sql if alone and " OR " not in sql else f"({sql})"

    def where(self, condition: Condition) -> str:
        """Time, scope and condition together."""
        wanted = self._grouped(condition)
        scope = within(self.speech, self.relation)
        parts = [self.there(self.relation), f"({scope})" if " OR " in scope else scope, wanted]
        return " AND ".join(part for part in parts if part != "true") or "true"

    def there(self, relation: Relation) -> str:
        """The condition of being one of the rows in question, whatever is asked of them."""
        if self.gone is None:
            return relation.at(relation.alias)
        since, until = self.gone
        t, later, value = relation.alias, "", self.speech.value
        parts = [f"{t}.valid_to IS NOT NULL"]
        parts += [f"{t}.valid_to >= {value(since)}"] if since else []
        parts += [f"{t}.valid_to < {value(until)}"] if until else []
        if self.at is not None:
            parts.append(f"{t}.valid_to <= {value(self.at)}")
            later = f" AND newer.valid_from <= {value(self.at)}"
        parts.append(
            f"NOT EXISTS (SELECT 1 FROM {relation.source} newer WHERE newer.cloud = {t}.cloud AND newer.region ="
            f" {t}.region AND newer.id = {t}.id AND (newer.valid_to IS NULL OR newer.valid_to > {t}.valid_to){later})"
        )
        return " AND ".join(parts)

    @property
    def from_clause(self) -> str:
        """`FROM ...` with everything that columns and conditions asked for so far."""
        return "\n".join([self.relation.from_clause, *self._joins])

    # Related rows

    def aggregate(self, relation: str, where: Condition = EVERYTHING, kind: str = "count", column: str = "") -> str:
        """SQL of a number made of the related rows of each row."""
        key = (relation, where, kind, column)
        if key not in self._known:
            self._known[key] = self._join(relation_of(self.entity, relation), where, kind, column)
        number = f"{self._known[key]}.n"
        return f"coalesce({number}, 0)" if kind == "count" else number

    def _join(self, leads: Leads, where: Condition, kind: str, column: str) -> str:
        other = Level(self.speech, self.model, self.model(leads.to), self.at)
        made, value = "count(*)", ""
        if kind != "count":
            summable(other.attribute(column), kind)
            made, value = f"{AGGREGATES[kind]}(value)", f", {other.column(column)} AS value"
        places = ["cloud"]
        if not self.type.listing.global_ and not other.type.listing.global_:
            places.append("region")
        if attribute_of(self.entity, leads.own).is_list:
            sql, keys = self._through_own_list(leads, other, where, made, value, places)
            on = [f"{{0}}.{place} = {self.relation.column(place)}" for place in keys]
        else:
            pairs = other.keyed(leads.column, where, value, places)
            grouped = ", ".join((*places, "key"))
            sql = f"SELECT {grouped}, {made} AS n FROM ({pairs}) WHERE key <> '' GROUP BY {grouped}"
            on = [f"{{0}}.{place} = {self.relation.column(place)}" for place in places]
            on.append(f"{{0}}.key = {self.relation.column(leads.own)}")
        alias = self.speech.alias(other.type.plural)
        self._joins.append(f"LEFT JOIN ({sql}) {alias} ON {' AND '.join(on).format(alias)}")
        self.read |= other.read
        return alias

    def keyed(self, column: str, where: Condition, more: str, places: list[str]) -> str:
        """SELECT of (places, key, ...) of the rows that fulfil `where`: one for each value of the column."""
        shown = self.relation.column(column)
        key = self.each(shown) if attribute_of(self.entity, column).is_list else shown
        picked = named(self.relation, places)
        kept = self.where(where)
        return self.finished(f"SELECT {picked}, {key} AS key{more} {self.from_clause}{filtered(kept)}")

    def each(self, column: str) -> str:
        """Each value of a list once, as rows. Most lists have one value, and looking for twins costs more than all
        the rest: people are spared the sight of that.
        """
        if self.speech.readable:
            return f"unnest(list_distinct({column}))"
        return f"unnest(CASE WHEN len({column}) > 1 THEN list_distinct({column}) ELSE {column} END)"

    def finished(self, sql: str) -> str:
        """A whole statement of this level, as it can stand in another."""
        return finished(self.relation, sql, alone=not self._joins)

    def _through_own_list(
        self, leads: Leads, other: Level, where: Condition, made: str, value: str, places: list[str]
    ) -> tuple[str, tuple[str, ...]]:
        """Where one row names several: a related row counts once, however many values they share."""
        own = self._rows()
        key = self.each(own.column(leads.own))
        rows = f"{own.from_clause}{filtered(self.there(own))}"
        holders = finished(own, f"SELECT {named(own, LEADING)}, {key} AS key {rows}", alone=True)
        names = ", ".join(f"{other.relation.column(name)} AS of_{name}" for name in LEADING)
        pairs = other.keyed(leads.column, where, f", {names}{value}", places)
        kept = "SELECT DISTINCT" if attribute_of(other.entity, leads.column).is_list else "SELECT"
        matched = " AND ".join(f"held.{place} = holder.{place}" for place in (*places, "key"))
        shown = ", ".join(f"holder.{name}" for name in LEADING)
        taken = f"{shown}, held.of_cloud, held.of_region, held.of_id{', held.value' if value else ''}"
        joined = f"{kept} {taken} FROM ({holders}) holder JOIN ({pairs}) held ON {matched} WHERE held.key <> ''"
        grouped = ", ".join(LEADING)
        return f"SELECT {grouped}, {made} AS n FROM ({joined}) GROUP BY {grouped}", LEADING


def summable(attribute: Attribute, kind: str) -> None:
    """Raise QueryError when no such number can be made of the column."""
    if attribute.is_number or (kind in ("maximum", "minimum") and attribute.sql == "TIMESTAMP"):
        return
    raise QueryError(f"{attribute.title or attribute.column} is no number: it has no {kind}")


def named(relation: Relation, names: Sequence[str]) -> str:
    """Columns under their own names, for a SELECT."""
    return ", ".join(
        relation.column(name) if isinstance(relation, View) else f"{relation.column(name)} AS {quoted(name)}"
        for name in names
    )


def filtered(condition: str, lead: str = " ") -> str:
    """`WHERE ...`, or nothing where everything is meant."""
    return "" if condition == "true" else f"{lead}WHERE {condition}"


def finished(relation: Relation, sql: str, *, alone: bool) -> str:
    """The statement with the relation's columns named as they must be."""
    return relation.finished(sql, alone) if isinstance(relation, View) else sql
