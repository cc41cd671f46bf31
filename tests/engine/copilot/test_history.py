"""What was asked is kept for the one who asked."""

import itertools

import pytest

from engine.access.models import Caller
from engine.copilot.history import History, Told, clean
from store import times
from store.ops.errors import OpsDiskFull
from tests.engine.api.furniture import ADMIN
from tests.engine.copilot.house import VIEWER, House

TOLD = Told("There are 35 VMs.", "vm_count", 1.0)


def history(house: House, most: int = 200) -> History:
    return History(house.parts.ops, lambda: most)


def test_the_newest_of_each_are_kept(house: House) -> None:
    kept = history(house)
    other = kept.keep(VIEWER, "mine", TOLD)
    ids = [kept.keep(ADMIN, f"question {number}", TOLD) for number in range(205)]
    total, items = kept.page(ADMIN, 300)
    assert total == 200 and [item["id"] for item in items] == list(reversed(ids))[:200]
    assert items[0]["question"] == "question 204"
    assert [item["id"] for item in kept.page(VIEWER, 300)[1]] == [other]


def test_a_smaller_limit_holds_at_the_next_question(house: House) -> None:
    for _ in range(5):
        history(house).keep(ADMIN, "q", TOLD)
    history(house, 2).keep(ADMIN, "last", TOLD)
    assert [item["question"] for item in history(house).page(ADMIN, 10)[1]] == ["last", "q"]


def test_pages(house: House) -> None:
    kept = history(house)
    for number in range(5):
        kept.keep(ADMIN, str(number), TOLD)
    pages = [kept.page(ADMIN, 2, offset)[1] for offset in (0, 2, 4, 6)]
    assert [item["question"] for item in itertools.chain(*pages)] == ["4", "3", "2", "1", "0"]


def test_numbers_are_never_given_twice(house: House) -> None:
    kept = history(house)
    first = kept.keep(ADMIN, "q", TOLD)
    assert kept.forget(ADMIN) == 1 and kept.page(ADMIN, 10) == (0, [])
    second = kept.keep(ADMIN, "q", TOLD)
    assert first is not None and second is not None and second > first


def test_what_a_model_said_takes_its_place(house: House) -> None:
    kept = history(house)
    id = kept.keep(ADMIN, "q", TOLD)
    kept.change(id, Told("42", "", 0.9, "ollama", "llama3", 7, 3, 0.5, True))
    (item,) = kept.page(ADMIN, 1)[1]
    assert (item["answer"], item["backend_used"], item["model"], item["tokens_used"], item["cost"]) == (
        "42", "ollama", "llama3", 10, 0.5,
    )  # fmt: skip
    assert item["data_sent_external"] is True
    assert times.parse(item["created_at"]) <= times.utcnow()


def test_a_full_disk_does_not_keep_a_question_from_its_answer(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    def full() -> None:
        raise OpsDiskFull("the disk is full")

    monkeypatch.setattr(house.parts.ops, "begin", full)
    assert history(house).keep(ADMIN, "q", TOLD) is None
    history(house).change(None, TOLD)


def test_people_of_one_name_are_told_apart_by_how_they_came(house: House) -> None:
    kept = history(house)
    kept.keep(Caller("eve", 1001), "on the socket", TOLD)
    assert kept.page(Caller("eve", None, via="tcp"), 10)[0] == 0


@pytest.mark.parametrize(
    ("typed", "kept"),
    [("  how   many\nVMs? ", "how many VMs?"), ("a\x1b[31mb", "a b"), ("a\x00b", "a b"), ("\ud800x", "x"),
     ("über 2028", "über 2028"), ("\u202ex", "x"), ("", "")],
)  # fmt: skip
def test_clean(typed: str, kept: str) -> None:
    assert clean(typed) == kept
