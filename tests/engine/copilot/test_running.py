"""Questions that a language model is asked further: read as the answer arrives, cancelled, ended with the engine."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from copilot.answers import Answer, Usage
from copilot.backends.errors import NotReachable
from copilot.query import Query
from engine.copilot import asking_models
from engine.copilot.asking import Asker
from engine.copilot.asking_models import Task
from engine.copilot.running import MOST_AT_ONCE
from tests.engine.api.furniture import ADMIN
from tests.engine.copilot.house import VIEWER, House

QUESTIONS = "/q/copilot/questions"
LOCAL = '[copilot]\nbackend = "ollama"\nredact_sensitive = false\nprice_input = 1.0\nprice_output = 10.0\n'
EXTERNAL = '[copilot]\nbackend = "ollama"\nollama_url = "https://models.example:11434"\n'
UNSURE = Answer("unsure", "I did not understand that.", confidence=0.2, choices=("How many VMs?",))


@pytest.fixture(autouse=True)
def collected(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if something had been collected: an engine without anything says so with every answer."""
    monkeypatch.setattr(Asker, "_is_filled", lambda self: True)


class Slow:
    """Work of a model that says something, and goes on when `go` is set."""

    def __init__(self) -> None:
        self.go, self.begun = threading.Event(), threading.Event()

    def __call__(self, task: Task) -> tuple[Answer, Usage]:
        task.doing("looks at servers")
        task.say("There are ")
        self.begun.set()
        task.cancel.when(self.go.set)
        self.go.wait(20)
        task.say("42.")
        return Answer("answer", "There are 42.", value=42, query=Query("server")), Usage(7, 3)


def house_with(home: Path, settings: str) -> House:
    made = House(home, settings, filled=False)
    made.parrot.answer = UNSURE
    return made


@pytest.fixture
def local(tmp_path: Path) -> Iterator[House]:
    """One whose model is on this machine."""
    made = house_with(tmp_path, LOCAL)
    yield made
    made.close()


async def until(check: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not check():  # noqa: ASYNC110 (what is waited for happens on threads)
            await asyncio.sleep(0.01)


async def ended(house: House, id: str) -> Any:
    async with asyncio.timeout(20):
        offset, text = 0, ""
        while True:
            told = await house.send("GET", f"{QUESTIONS}/{id}", params={"offset": offset, "wait": 10})
            text, offset = text + told["text"], told["offset"]
            if told["state"] == "done":
                return {**told, "text": text}


async def test_the_built_in_answer_comes_at_once_and_the_models_as_it_arrives(local: House) -> None:
    slow = Slow()
    local.oracle.work = slow
    told = await local.ask("something odd")
    assert (told["state"], told["answer"]["outcome"], told["answer"]["backend_used"]) == (
        "running",
        "unsure",
        "builtin",
    )
    await until(slow.begun.is_set)
    part = await local.send("GET", f"{QUESTIONS}/{told['id']}")
    assert (part["state"], part["text"], part["offset"], part["tool"]) == (
        "running",
        "There are ",
        10,
        "looks at servers",
    )
    waiting = asyncio.create_task(local.send("GET", f"{QUESTIONS}/{told['id']}", params={"offset": 10, "wait": 20}))
    slow.go.set()
    assert (await waiting)["text"] == "42."
    last = await ended(local, told["id"])
    answer = last["answer"]
    assert (last["text"], answer["text"], answer["value"]) == ("There are 42.", "There are 42.", 42)
    assert (answer["backend_used"], answer["model"], answer["tokens_used"]) == ("ollama", "llama3", 10)
    assert answer["cost"] == pytest.approx(37e-6) and answer["data_sent_external"] is False
    (item,) = (await local.send("GET", "/q/copilot/history"))["items"]
    assert (item["id"], item["answer"], item["backend_used"]) == (answer["history_id"], "There are 42.", "ollama")
    await local.ask("only the stopped ones", built_in=True)
    assert [turn.question for turn in local.parrot.contexts[-1].turns] == ["something odd"]


@pytest.mark.parametrize(
    ("answer", "more"),
    [(UNSURE, {"built_in": True}), (Answer("answer", "35", confidence=0.9), {}), (Answer("ask_back", "Which?"), {}),
     (Answer("apology", "not allowed", confidence=0.0), {}), (Answer("proposal", "Restore?", confidence=0.5), {})],
)  # fmt: skip
async def test_when_no_model_is_asked(local: House, answer: Answer, more: Any) -> None:
    local.parrot.answer = answer
    assert (await local.ask("x", **more))["state"] == "done" and local.oracle.tasks == []


async def test_an_answer_that_is_not_sure_is_asked_further(local: House) -> None:
    local.parrot.answer = Answer("answer", "35, I think", confidence=0.6)
    told = await local.ask("x")
    assert (await ended(local, told["id"]))["answer"]["value"] == 42


@pytest.mark.parametrize(
    ("error", "reason"),
    [(NotReachable("Ollama is not there."), "Ollama is not there."),
     (KeyError("secret"), "the model could not be asked; the engine's log says why")],
)  # fmt: skip
async def test_when_the_model_fails_the_built_in_answer_stands(local: House, error: Exception, reason: str) -> None:
    def fail(task: Task) -> Any:
        raise error

    local.oracle.work = fail
    answer = (await ended(local, (await local.ask("x"))["id"]))["answer"]
    assert (answer["text"], answer["backend_used"], answer["fallback_reason"]) == (UNSURE.text, "builtin", reason)
    assert (await local.send("GET", "/q/copilot/history"))["items"][0]["answer"] == UNSURE.text


async def test_cancel(local: House) -> None:
    slow = Slow()
    local.oracle.work = slow
    id = (await local.ask("x"))["id"]
    await until(slow.begun.is_set)
    await local.send("DELETE", f"{QUESTIONS}/{id}", VIEWER, 404)
    await local.send("GET", f"{QUESTIONS}/{id}", VIEWER, 404)
    await local.send("DELETE", f"{QUESTIONS}/{id}", expect=204)
    told = await local.send("GET", f"{QUESTIONS}/{id}")
    assert told["state"] == "done" and told["answer"]["text"] == UNSURE.text
    assert told["answer"]["fallback_reason"] == "it was cancelled"
    await until(lambda: not local.room.service.questions._threads)
    assert (await local.send("GET", "/q/copilot/history"))["items"][0]["answer"] == UNSURE.text
    await local.send("DELETE", f"{QUESTIONS}/{id}", expect=204)


async def test_only_some_at_once(local: House) -> None:
    slow = Slow()
    local.oracle.work = slow
    ids = [(await local.ask("x"))["id"] for _ in range(MOST_AT_ONCE)]
    more = await local.ask("x")
    assert more["state"] == "done" and "already" in more["answer"]["fallback_reason"]
    slow.go.set()
    for id in ids:
        assert (await ended(local, id))["answer"]["value"] == 42
    await until(lambda: not local.room.service.questions._threads)
    assert (await local.ask("x"))["state"] == "running"


async def test_the_documented_question_waits_for_the_model(local: House) -> None:
    told = await local.send("POST", "/api/copilot/ask", json={"question": "x"})
    assert (told["answer"], told["backend_used"], told["tokens_used"]) == ("**42**", "ollama", 10)


async def test_the_end_of_the_engine_ends_them(tmp_path: Path) -> None:
    house = house_with(tmp_path, LOCAL)
    slow = Slow()
    house.oracle.work = slow
    id = (await house.ask("x"))["id"]
    await until(slow.begun.is_set)
    waiting = asyncio.create_task(house.send("GET", f"{QUESTIONS}/{id}", params={"offset": 100, "wait": 20}))
    await asyncio.to_thread(house.close)
    assert (await waiting)["state"] == "done" and not house.room.service.questions._threads
    again = house_with(tmp_path, LOCAL)
    try:
        await again.send("GET", f"{QUESTIONS}/{id}", expect=404)
        assert (await again.send("GET", "/q/copilot/history"))["total"] == 1
    finally:
        again.close()


async def test_an_engine_that_stops_answers_who_waits(local: House) -> None:
    slow = Slow()
    local.oracle.work = slow
    local.parts.feed.on_close(local.room.service.questions.release)  # as the engine itself does with its own
    id = (await local.ask("x"))["id"]
    await until(slow.begun.is_set)
    waiting = asyncio.create_task(local.send("GET", f"{QUESTIONS}/{id}", params={"offset": 100, "wait": 50}))
    await asyncio.sleep(0)
    local.parts.feed.close()
    async with asyncio.timeout(20):
        assert (await waiting)["state"] == "done"
    assert (await local.ask("y"))["state"] == "done"


async def test_what_leaves_the_machine_is_said_and_audited_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asking_models, "not_ready", lambda settings: "")
    house = house_with(tmp_path, EXTERNAL)
    try:
        seen: list[int] = []

        def fail(task: Task) -> Any:
            seen.append(house.parts.audit.page(action="copilot.send")[0])
            raise NotReachable("nobody is there")

        house.oracle.work = fail
        told = await house.ask("x")
        assert told["answer"]["data_sent_external"] is True
        answer = (await ended(house, told["id"]))["answer"]
        assert answer["data_sent_external"] is True and seen == [1]
        (record,) = house.parts.audit.page(action="copilot.send")[1]
        assert record["target"] == "https://models.example:11434" and record["actor"] == ADMIN.name
        assert record["detail"] == {"model": "llama3", "question": answer["history_id"], "redacted": True}
        assert (await house.send("GET", "/q/copilot/history"))["items"][0]["data_sent_external"] is True
        house.parrot.answer = Answer("answer", "sure")
        assert (await house.ask("x"))["answer"]["data_sent_external"] is False
    finally:
        house.close()


async def test_without_a_key_nobody_is_asked(tmp_path: Path) -> None:
    house = house_with(tmp_path, '[copilot]\nbackend = "anthropic"\nanthropic_api_key = "env:QDECK_TEST_UNSET_KEY"\n')
    try:
        answer = (await house.ask("x"))["answer"]
        assert "QDECK_TEST_UNSET_KEY is not set" in answer["fallback_reason"] and house.oracle.tasks == []
        assert answer["data_sent_external"] is False
    finally:
        house.close()
