"""The page about the model has all of it."""

from copilot.model import reference
from copilot.model.registry import entities
from copilot.topics.words import TOPICS


def test_every_entity_with_states_and_columns_is_on_the_page() -> None:
    page = reference.markdown()
    for one in entities().values():
        section = page.split(f"\n## {one.plural.lower()}\n", 1)[1].split("\n## ", 1)[0]
        assert one.singular in section
        assert all(f"| {state.says or state.words[0]} |" in section for state in one.states)
        assert all(f"`{attribute.column}`" in section for attribute in one.attributes.values() if attribute.words)


def test_no_two_entities_share_a_heading() -> None:
    headings = [line for line in reference.markdown().splitlines() if line.startswith("## ")]
    assert len(set(headings)) == len(headings)


def test_every_topic_is_on_the_page() -> None:
    page = reference.markdown()
    assert all(f"| {name} | {words[0]}" in page for name, words in TOPICS.items())


def test_cells_keep_tables_whole() -> None:
    rows = [line for line in reference.markdown().splitlines() if line.startswith("|")]
    assert {line.replace("\\|", "").count("|") for line in rows} == {3}
