"""What was asked before, in memory."""

from copilot.answers import Turn
from engine.copilot import conversations
from engine.copilot.conversations import MOST, SECONDS, TURNS, Conversations


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def questions(kept: Conversations, owner: str = "uid:1", name: str = "") -> list[str]:
    return [turn.question for turn in kept.turns((owner, name))]


def test_the_newest_turns_of_each_conversation() -> None:
    kept = Conversations()
    for number in range(TURNS + 2):
        kept.add(("uid:1", ""), Turn(str(number)))
    kept.add(("uid:1", "other"), Turn("else"))
    kept.add(("uid:2", ""), Turn("somebody else's"))
    assert questions(kept) == [str(number) for number in range(2, TURNS + 2)]
    assert questions(kept, name="other") == ["else"]


def test_it_is_over_after_a_while() -> None:
    clock = Clock()
    kept = Conversations(clock)
    kept.add(("uid:1", ""), Turn("first"))
    clock.now = SECONDS
    assert questions(kept) == ["first"]
    kept.add(("uid:1", ""), Turn("second"))
    clock.now = 2 * SECONDS + 1
    assert questions(kept) == []
    kept.add(("uid:1", ""), Turn("third"))
    assert questions(kept) == ["third"]


def test_memory_is_bounded() -> None:
    clock = Clock()
    kept = Conversations(clock)
    for number in range(MOST + 5):
        kept.add((f"uid:{number}", ""), Turn("q"))
    assert len(kept._kept) == MOST and questions(kept, "uid:0") == []
    clock.now = SECONDS + 1
    kept.add(("uid:1", ""), Turn("q"))
    assert len(kept._kept) == 1


def test_forgetting_is_one_persons() -> None:
    kept = Conversations()
    for owner in ("uid:1", "uid:2"):
        kept.add((owner, "a"), Turn("q"))
    kept.forget("uid:1")
    assert (questions(kept, "uid:1", "a"), questions(kept, "uid:2", "a")) == ([], ["q"])
    assert conversations.SECONDS == 900
