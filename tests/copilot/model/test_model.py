"""The model and the schema fit together: whatever it declares can be read from the views that people are shown."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from copilot import query
from copilot.answers import Named
from copilot.execution.run import run
from copilot.model import paths, registry
from copilot.model.declaration import Entity
from copilot.model.states import STATES
from copilot.query import All, AnyOf, Condition, Counted, Measure, Not, Query, Related
from store.types import registry as types
from tests.copilot.execution.estates import NOW, Handed
from tests.store.estate.reading.tables import database, put

TYPES = [one for one in registry.entities().values() if one.type is not None]
EVERY = pytest.mark.parametrize("one", TYPES, ids=lambda one: one.name)
TEXTS = ("contains", "starts", "ends")


@pytest.fixture(scope="module")
def handed() -> Handed:
    opened = database()
    for one in TYPES:
        put(opened, one.name, "x")
    return Handed(opened)


def every_test(condition: Condition, entity: Entity) -> Iterator[tuple[Entity, query.Test]]:
    """Every test on a column, with the entity that has the column."""
    if isinstance(condition, query.Test):
        yield entity, condition
    elif isinstance(condition, All | AnyOf):
        for item in condition.items:
            yield from every_test(item, entity)
    elif isinstance(condition, Not):
        yield from every_test(condition.item, entity)
    else:
        assert isinstance(condition, Related)
        yield from every_test(condition.where, registry.entity(entity.relations[condition.relation].to))


def test_every_resource_type_is_an_entity() -> None:
    assert {one.name for one in TYPES} == set(types.ALL)
    assert set(STATES) <= set(registry.entities())


@EVERY
def test_what_is_named_is_declared(one: Entity) -> None:
    assert one.type is not None
    columns = {column.name for column in one.type.view_columns} | {"cloud", "region", "id"}
    assert set(one.attributes) == columns
    named = {*one.columns, *one.scopes.values(), *(column for column, _ in one.default_order), one.name_column}
    assert named | set(filter(None, (one.size, one.born))) <= columns
    assert not one.size or one.attributes[one.size].is_number
    assert not one.born or one.attributes[one.born].role == "time"


@EVERY
def test_words_are_there_and_small(one: Entity) -> None:
    assert one.words and len(one.plural_words) >= 1
    for state in one.states:
        assert state.words and state.says
        assert all(word == word.lower() and word == " ".join(word.split()) for word in state.words)


@EVERY
def test_a_word_is_one_state(one: Entity) -> None:
    """The same word for two states of one entity would mean whichever comes first; the first is meant to win only
    where its condition is the wider one."""
    said: dict[str, str] = {}
    twice = [
        (word, said[word], state.says)
        for state in one.states
        for word in dict.fromkeys(state.words)
        if said.setdefault(word, state.says) != state.says
    ]
    assert not twice


@EVERY
def test_states_test_columns_with_values_that_fit(one: Entity) -> None:
    for state in one.states:
        for owner, test in every_test(state.condition, one):
            attribute = owner.attributes[test.column]
            if test.operator in TEXTS:
                assert attribute.sql.startswith("VARCHAR"), (state.says, test)
            for value in test.values:
                fits = {"BOOLEAN": bool, "VARCHAR": str, "VARCHAR[]": str}.get(attribute.sql, int)
                assert isinstance(value, fits), (state.says, test)


@EVERY
def test_every_state_is_counted_on_the_view(handed: Handed, one: Entity) -> None:
    for state in one.states:
        inside = run(Query(one.name, state.condition, Measure("count")), handed, NOW)
        outside = run(Query(one.name, Not(state.condition), Measure("count")), handed, NOW)
        assert (inside.value or 0) + (outside.value or 0) == 1, state.says
        assert handed.connection.execute(inside.sql).fetchone() == (inside.value,)


@EVERY
def test_every_column_is_shown_ordered_and_grouped(handed: Handed, one: Entity) -> None:
    for column, attribute in one.attributes.items():
        listed = run(Query(one.name, columns=(column,), order=((column, True),)), handed, NOW)
        assert listed.total == 1
        grouped = run(Query(one.name, measure=Measure("count"), group=(column,)), handed, NOW)
        assert grouped.sql
        if attribute.is_number:
            for kind in ("sum", "average", "maximum", "minimum"):
                assert run(Query(one.name, measure=Measure(kind, column)), handed, NOW).sql  # type: ignore[arg-type]


@EVERY
def test_every_relation_leads_to_columns_that_compare(handed: Handed, one: Entity) -> None:
    for name, relation in one.relations.items():
        other = registry.entity(relation.to)
        own, theirs = one.attributes[relation.own], other.attributes[relation.column]
        assert own.sql.removesuffix("[]") == theirs.sql.removesuffix("[]"), name
        counted = Counted("n", name)
        found = run(Query(one.name, Related(name), counted=(counted,), order=(("n", True),)), handed, NOW)
        assert found.total in (0, 1)
        assert len(handed.connection.execute(found.sql).fetchall()) == found.total


@EVERY
def test_a_way_leads_step_by_step(one: Entity) -> None:
    for other in TYPES:
        at = one.name
        for relation in paths.path(one.name, other.name):
            assert registry.entity(at).relations[relation.name] == relation
            at = relation.to
        assert at in (one.name, other.name)


def test_the_usual_ways_exist() -> None:
    assert not [ends for ends in paths._USUAL if not paths.path(*ends)]


@pytest.mark.parametrize(
    ("start", "end"),
    [("server", "hypervisor"), ("volume", "server"), ("snapshot", "server"), ("backup", "volume"), ("port", "network"),
     ("floating_ip", "server"), ("server", "project"), ("volume", "project"), ("user", "role"), ("project", "user"),
     ("server", "security_group"), ("router", "network"), ("server", "network"), ("image", "server"),
     ("flavor", "server"), ("subnet", "network"), ("keypair", "server"), ("volume_type", "volume"),
     ("security_group", "security_group_rule"), ("server", "image"), ("server", "flavor"), ("server", "snapshot"),
     ("hypervisor", "project"), ("aggregate", "server"), ("server", "aggregate"), ("domain", "project")],
)  # fmt: skip
def test_these_hang_together(handed: Handed, start: str, end: str) -> None:
    condition = paths.related(start, end, All())
    assert condition is not None
    assert run(Query(start, condition, Measure("count")), handed, NOW).value in (0, 1)


@EVERY
def test_what_is_named_limits_whatever_it_can(handed: Handed, one: Entity) -> None:
    for other in TYPES:
        named = Named(other.name, ("c", "r", "x"), "name of x")
        condition = paths.belongs(one, named)
        if condition is not None:
            assert run(Query(one.name, condition, Measure("count")), handed, NOW).value in (0, 1)
    assert paths.belongs(one, Named(one.name, ("c", "r", "x"), "")) == query.Test("id", "=", ("x",))
