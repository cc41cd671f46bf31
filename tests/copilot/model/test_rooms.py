"""The rooms' lists: whole declarations, whose words and columns fit together."""

from collections import Counter

import pytest

from copilot import query
from copilot.model import rooms
from copilot.model.declaration import Entity
from copilot.query import All, AnyOf, Condition, Not, Related
from store.types import registry

EVERY = pytest.mark.parametrize("entity", rooms.ENTITIES.values(), ids=rooms.ENTITIES)


def columns_of(condition: Condition) -> set[str]:
    if isinstance(condition, query.Test):
        return {condition.column}
    if isinstance(condition, All | AnyOf):
        return {column for item in condition.items for column in columns_of(item)}
    if isinstance(condition, Not):
        return columns_of(condition.item)
    assert not isinstance(condition, Related)
    return set()


@EVERY
def test_what_is_named_is_declared(entity: Entity) -> None:
    named = {*entity.columns, *entity.scopes.values(), *(column for column, _ in entity.default_order)}
    named |= {entity.name_column, *filter(None, (entity.size, entity.born))}
    named |= {column for state in entity.states for column in columns_of(state.condition)}
    assert named <= set(entity.attributes)
    assert entity.type is None and entity.columns
    assert rooms.PERMISSIONS[entity.name]
    if entity.born:
        assert entity.attributes[entity.born].role == "time"
    if entity.size:
        assert entity.attributes[entity.size].is_number


@EVERY
def test_words_are_small_letters_and_stand_for_one_thing(entity: Entity) -> None:
    for attribute in entity.attributes.values():
        assert attribute.words and attribute.title
        assert all(word == word.lower() for word in attribute.words)
    said = [word for state in entity.states for word in state.words]
    assert not [word for word, times in Counter(said).items() if times > 1]
    assert all(word == word.lower() for word in (*said, *entity.words, *entity.plural_words))


def test_no_word_stands_for_two_lists_or_for_a_resource_type() -> None:
    words = Counter(word for entity in rooms.ENTITIES.values() for word in {*entity.words, *entity.plural_words})
    assert not [word for word, times in words.items() if times > 1]
    taken = {name.replace("_", " ") for type in registry.ALL.values() for name in (type.name, type.plural)}
    assert not taken & set(words)


def test_the_types_named_are_resource_types() -> None:
    named = {type for types in rooms.MADE_FROM.values() for type in types} | set(rooms.SUBJECTS.values())
    assert named <= set(registry.ALL)
    assert {*rooms.MADE_FROM, *rooms.SUBJECTS} <= set(rooms.ENTITIES)
    assert set(rooms.PERMISSIONS) == set(rooms.ENTITIES)


@pytest.mark.parametrize(
    ("entity", "row", "found"),
    [
        ("drift_event", {"resource_type": "port", "cloud": "c", "region": "r", "resource_id": "i"},
         ("port", ("c", "r", "i"))),
        ("compliance", {"cloud": "c", "region": None, "resource_id": "i"}, ("volume", ("c", "", "i"))),
        ("tenant_health", {"cloud": "c", "project_id": "p"}, ("project", ("c", "", "p"))),
        ("problem", {"resource_type": None, "cloud": "c", "region": "", "resource_id": None}, None),
        ("job", {"number": 1}, None),
        ("collection", {"resource_type": "server", "cloud": "c", "region": ""}, None),
    ],
)  # fmt: skip
def test_subject(entity: str, row: dict[str, str], found: object) -> None:
    assert rooms.subject(entity, row) == found
