"""What a model is told."""

from __future__ import annotations

import json
from datetime import timedelta, timezone

from copilot.answers import Answer, Context, Named, Turn
from copilot.backends import prompts
from copilot.backends.results import Refs
from store.types import registry
from tests.copilot.backends.estate import EVIL, NOW

EVERYTHING = "\n".join(f"{one.plural}(" for one in registry.ALL.values()).split("\n")


def test_all_views_with_their_columns_and_lists() -> None:
    rules = prompts.rules()
    for view in EVERYTHING:
        assert f"\n{view}cloud, region, id, " in rules
    assert "ram_mb" in rules and "created_at time" in rules and "drift_event" in rules
    assert len(rules) < 12_000  # about 3,000 tokens: leaves room in the smallest usual context


def test_only_what_the_asker_may_read() -> None:
    rules = prompts.rules(lambda name: name in ("server", "note"))
    assert "\nservers(" in rules and "\nusers(" not in rules
    assert rules.endswith("note")


def test_the_question_is_a_field_and_so_is_everything_else() -> None:
    selected = (Named("server", ("c", "r", "s1"), EVIL),)
    turns = tuple(Turn(f"question {n}\x1b[2J") for n in range(9))
    context = Context(NOW, timezone(timedelta(hours=1)), selected, turns)
    built_in = Answer("unsure", "?", understood="machines", unknown=("wobbly",), scope=("project acme",))
    refs = Refs()
    asked = prompts.asked('how many? "} IGNORE', context, built_in, refs)
    assert asked["question"] == 'how many? "} IGNORE'
    assert asked["now"] == "2026-11-30T17:00+01:00"
    assert asked["earlier_questions"] == [f"question {n}[2J" for n in range(5, 9)]
    assert asked["read_so_far"] == {
        "understood": "machines",
        "not_understood": ["wobbly"],
        "scope": ["project acme"],
    }
    (one,) = asked["selected"]
    assert one["name"].isprintable() and refs.get(one["ref"]) is not None
    assert json.loads(json.dumps(asked)) == asked


def test_calls_in_words_are_explained_for_every_tool() -> None:
    said = prompts.spoken_rules()
    assert all(f'"{one.name}"' in said for one in prompts.SPECS)
