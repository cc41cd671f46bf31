"""The set of questions is what it is said to be."""

from __future__ import annotations

from collections import Counter, defaultdict

import pytest

from tests.copilot.evaluation.cases import HALVES, halves, questions
from tests.copilot.evaluation.generate import world
from tests.copilot.evaluation.questions.every import ALL
from tests.copilot.evaluation.slots import Slots, render, typo
from tests.copilot.evaluation.styles import NORTH, STYLES


def test_there_are_many_phrasings_and_each_is_there_once() -> None:
    count = Counter((phrasing, case.selected, case.asker, case.only) for case in ALL for phrasing in case.phrasings)
    assert len(count) >= 1500
    assert [phrasing for phrasing, number in count.items() if number > 1] == []


def test_a_fifth_has_typos() -> None:
    found = [phrasing.startswith("~") or "|typo}" in phrasing for case in ALL for phrasing in case.phrasings]
    assert sum(found) / len(found) >= 0.2


def test_both_halves_have_every_kind_and_about_as_many() -> None:
    count: dict[str, Counter[str]] = defaultdict(Counter)
    for case in ALL:
        count[case.kind].update(half for _, half in halves(case))
    for kind, numbers in count.items():
        assert set(numbers) == set(HALVES), kind
    tuning, held_out = (sum(numbers[half] for numbers in count.values()) for half in HALVES)
    assert abs(tuning - held_out) / (tuning + held_out) < 0.05


def test_a_phrasing_is_in_one_half_only() -> None:
    found: dict[str, set[str]] = defaultdict(set)
    for case in ALL:
        for phrasing, half in halves(case):
            found[f"{phrasing} {case.selected} {case.asker} {case.only}"].add(half)
    assert all(len(one) == 1 for one in found.values())


@pytest.mark.parametrize("style", STYLES, ids=lambda style: str(style.name))
def test_every_question_has_an_answer_and_no_blank_left(style) -> None:  # type: ignore[no-untyped-def]
    found = list(questions(world(style), list(ALL)))
    assert len(found) > 1500
    assert not [one.turns for one in found if any("{" in turn or "~" in turn or not turn for turn in one.turns)]


def test_blanks_are_typed_as_people_type_names() -> None:
    slots = Slots(world(NORTH))
    assert render("{host} {host|nodash} {host|upper} {host|number}", slots) == "cmp-01 cmp01 CMP-01 1"
    assert (typo("acme-prod"), typo("cmp-01")) == ("amce-prod", "mcp-01")
