"""The API of the copilot: asking, conversations, history and feedback, for every role."""

from typing import Any

import pytest

from copilot.answers import Answer, Context, Field, Named, Proposal, Shown, Table
from copilot.query import Query
from copilot.sources import NotAllowed, NotAvailable, Sources
from engine.access.models import Caller
from engine.copilot import telling
from engine.settings.roles import ROLES
from store import times
from tests.engine.api.furniture import ADMIN
from tests.engine.copilot.house import LABS, VIEWER, WEB_1, WEB_2, House

QUESTIONS = "/q/copilot/questions"


async def test_a_question(house: House) -> None:
    told = await house.ask("How many VMs?")
    assert (told["state"], told["text"], told["offset"], told["tool"]) == ("done", "", 0, "")
    answer = told["answer"]
    assert (answer["text"], answer["value"], answer["intent"], answer["sure"]) == (
        "There are 35 VMs.",
        35,
        "vm_count",
        True,
    )
    assert (answer["backend_used"], answer["model"], answer["tokens_used"], answer["cost"]) == (
        "builtin",
        None,
        None,
        None,
    )
    assert answer["data_sent_external"] is False and answer["took_ms"] >= 0 and answer["data_age_seconds"] is None
    assert (await house.send("GET", f"{QUESTIONS}/{told['id']}"))["answer"] == answer


async def test_everything_of_an_answer_is_told(house: House) -> None:
    at = times.utcnow()
    key = ("prod", "RegionOne", "5e")
    table = Table((Field("name", "name", "name"),), ({"name": "web-1"},), 9, (("server", key),))
    proposal = Proposal("prefill", "restore", "restore", "server", at=at, keys=(key,), values=(("a", "b"),),
                        sort=(("name", True),), command="qdeck restore")  # fmt: skip
    house.parrot.answer = Answer(
        "proposal", "web-1 can be restored.", value=at, table=table, shown=(Shown("SELECT 1"),), scope=("project p",),
        data_at=at, understood="so", unknown=("x",), choices=("a", "b"), proposals=(proposal,), topic="restore",
    )  # fmt: skip
    answer = (await house.ask("restore web-1"))["answer"]
    columns = [{"name": "name", "title": "name", "role": "name"}]
    keys = [{"type": "server", "key": list(key)}]
    assert answer["table"] == {"columns": columns, "rows": [{"name": "web-1"}], "keys": keys, "total": 9}
    (told,) = answer["proposals"]
    assert (told["keys"], told["values"], told["sort"], told["at"]) == (
        [list(key)], [["a", "b"]], [["name", True]], times.text(at),
    )  # fmt: skip
    assert answer["queries"] == [{"kind": "sql", "text": "SELECT 1"}]
    assert answer["value"] == times.text(at) == answer["data_at"] and answer["data_age_seconds"] >= 0


@pytest.mark.parametrize("role", ROLES)
async def test_every_role_may_ask_and_only_admins_configure(house: House, role: Any) -> None:
    caller = Caller("somebody", 4711, role=role)
    id = (await house.ask("How many VMs?", caller))["answer"]["history_id"]
    for method, path, body in (
        ("GET", "/q/copilot/suggestions", None),
        ("GET", "/q/copilot/status", None),
        ("GET", "/q/copilot/history", None),
        ("POST", "/q/copilot/feedback", {"history_id": id, "feedback": "up"}),
        ("POST", "/api/copilot/ask", {"question": "How many VMs?"}),
        ("GET", "/api/copilot/suggestions", None),
        ("GET", "/api/copilot/history", None),
        ("POST", "/api/copilot/feedback", {"history_id": id, "feedback": "down"}),
    ):
        await house.send(method, path, caller, json=body)
    expect = 200 if role in ("admin", "superadmin") else 403
    await house.send("GET", "/api/copilot/config", caller, expect)
    await house.send("PUT", "/api/copilot/config", caller, expect, json={"system_prompt": "short, please"})
    await house.send("POST", "/api/copilot/test-connection", caller, expect, json={})


async def test_who_is_nobody_is_asked_to_log_in(house: House) -> None:
    from tests.engine.api.furniture import client

    async with client(house.app, {}, "192.0.2.7") as stranger:
        assert (await stranger.post(QUESTIONS, json={"question": "x"})).status_code == 401
        assert (await stranger.post("/api/copilot/ask", json={"question": "x"})).status_code == 401


async def test_answers_are_made_within_the_askers_part(full: House) -> None:
    def count(question: str, context: Context, sources: Sources) -> Answer:
        return Answer("answer", "", value=len(sources.rows("tenant_health")))

    full.parrot.answer = count
    assert (await full.ask("how many?"))["answer"]["value"] == 2
    assert (await full.ask("how many?", LABS))["answer"]["value"] == 1
    unknown = await full.send("POST", "/q/copilot/questions", expect=400, json={"question": "?", "cloud": "elsewhere"})
    assert "there is no cloud 'elsewhere'" in unknown["detail"]


async def test_what_is_selected_is_named_within_the_askers_part(full: House) -> None:
    full.parrot.answer = Answer("answer", "")
    selected = [{"type": "server", "key": ["prod", "RegionOne", id]} for id in (WEB_1, WEB_2, "none")]
    selected.append({"type": "nonsense", "key": ["a", "b", "c"]})
    await full.ask("this machine", LABS, selected=selected)
    assert full.parrot.contexts[-1].selected == (
        Named("server", ("prod", "RegionOne", WEB_1), "web-1", project="labs-dev"),
    )
    await full.ask("this machine", selected=selected)
    assert [one.name for one in full.parrot.contexts[-1].selected] == ["web-1", "web-2"]


async def test_times_are_seen_from_the_askers_zone(house: House) -> None:
    await house.ask("today", zone="Europe/Berlin")
    assert str(house.parrot.contexts[-1].zone) == "Europe/Berlin"
    await house.ask("today")
    assert str(house.parrot.contexts[-1].zone) == "UTC"
    for zone in ("Nowhere/City", "../../etc/passwd", "\x00"):
        await house.send("POST", QUESTIONS, json={"question": "today", "zone": zone}, expect=400)


@pytest.mark.parametrize(
    "body",
    [{}, {"question": ""}, {"question": "x" * 1001}, {"question": 5}, {"question": "x", "more": 1},
     {"question": "x", "conversation": "y" * 65}, {"question": "x", "selected": [{"type": "server", "key": ["a"]}]},
     {"question": " \n "}, {"question": "\x1b\x07"}],
)  # fmt: skip
async def test_what_is_no_question(house: House, body: dict[str, Any]) -> None:
    async with house.as_() as asking:
        assert (await asking.post(QUESTIONS, json=body)).status_code in (400, 422)
    assert house.parrot.contexts == []


async def test_what_the_copilot_may_not_or_cannot_is_an_answer(house: House) -> None:
    def fail(error: Exception) -> Any:
        def answer(question: str, context: Context, sources: Sources) -> Answer:
            raise error

        return answer

    for error, words in (
        (NotAllowed("your role may not read audit records"), "Your role may not read audit records."),
        (NotAvailable("prod does not answer."), "Prod does not answer."),
        (
            KeyError("secret detail"),
            "The question could not be answered: the copilot failed, and the engine's log says why.",
        ),
    ):
        house.parrot.answer = fail(error)
        answer = (await house.ask("x"))["answer"]
        assert (answer["outcome"], answer["text"], answer["sure"]) == ("apology", words, False)


# --- conversations ---


async def test_a_conversation_goes_on(house: House) -> None:
    await house.ask("list vms")
    await house.send("POST", "/api/copilot/ask", json={"question": "only the stopped ones"})
    await house.ask("hello", conversation="drawer")
    await house.ask("another", VIEWER)
    contexts = house.parrot.contexts
    assert [[turn.question for turn in one.turns] for one in contexts] == [[], ["list vms"], [], []]
    await house.ask("and now?")
    assert [turn.question for turn in contexts[-1].turns] == ["list vms", "only the stopped ones"]


@pytest.mark.parametrize("outcome", ["unsure", "ask_back", "apology"])
async def test_what_was_not_answered_is_not_gone_on_from(house: House, outcome: Any) -> None:
    house.parrot.answer = Answer(outcome, "Which one?")
    await house.ask("x")
    await house.ask("y")
    assert house.parrot.contexts[-1].turns == ()


# --- history and feedback ---


async def test_history_is_ones_own(house: House) -> None:
    await house.ask("mine\nand only mine")
    await house.ask("hers", VIEWER)
    mine = await house.send("GET", "/q/copilot/history")
    assert mine["total"] == 1 and mine["items"][0]["question"] == "mine and only mine"
    (documented,) = await house.send("GET", "/api/copilot/history", VIEWER)
    assert {"question": "hers", "answer": "There are 35 VMs.", "intent": "vm_count"}.items() <= documented.items()
    assert await house.send("DELETE", "/q/copilot/history") == {"forgotten": 1}
    assert (await house.send("GET", "/q/copilot/history"))["total"] == 0
    assert (await house.send("GET", "/q/copilot/history", VIEWER))["total"] == 1


async def test_forgetting_ends_the_conversation(house: House) -> None:
    await house.ask("list vms")
    await house.send("DELETE", "/q/copilot/history")
    await house.ask("only the stopped ones")
    assert house.parrot.contexts[-1].turns == ()


async def test_the_setting_says_how_many_are_kept(house: House) -> None:
    await house.send("PUT", "/api/copilot/config", json={"max_history_per_user": 3})
    for number in range(5):
        await house.ask(f"question {number}")
    found = await house.send("GET", "/q/copilot/history", params={"limit": 2, "offset": 2})
    assert found["total"] == 3 and [item["question"] for item in found["items"]] == ["question 2"]


async def test_feedback(house: House) -> None:
    id = (await house.ask("How many VMs?"))["answer"]["history_id"]
    body = {"history_id": id, "feedback": "down", "comment": "wrong\x1b[2J number"}
    assert await house.send("POST", "/q/copilot/feedback", json=body) == {"status": "ok"}
    (item,) = (await house.send("GET", "/q/copilot/history"))["items"]
    assert (item["feedback"], item["comment"]) == ("down", "wrong number")
    assert await house.send("POST", "/api/copilot/feedback", json={"history_id": id, "feedback": "up"}) == {
        "status": "ok"
    }


async def test_feedback_on_what_others_asked_is_refused(house: House) -> None:
    id = (await house.ask("How many VMs?"))["answer"]["history_id"]
    for caller, number in ((VIEWER, id), (ADMIN, id + 1)):
        body = {"history_id": number, "feedback": "up"}
        for path in ("/q/copilot/feedback", "/api/copilot/feedback"):
            answer = await house.send("POST", path, caller, 404, json=body)
            assert "you have asked no question" in answer["detail"]
    (item,) = (await house.send("GET", "/q/copilot/history"))["items"]
    assert item["feedback"] is None


# --- documented ---


async def test_the_documented_answer(house: House) -> None:
    told = await house.send("POST", "/api/copilot/ask", json={"question": "How many VMs?"})
    assert set(told) == {
        "answer",
        "intent",
        "backend_used",
        "confidence",
        "tokens_used",
        "data_sent_external",
        "history_id",
    }
    assert told["answer"] == "There are **35** VMs." and told["confidence"] == 1.0
    assert (told["backend_used"], told["tokens_used"], told["data_sent_external"]) == ("builtin", None, False)


async def test_the_documented_answer_has_rows_and_choices(house: House) -> None:
    rows = tuple({"name": f"web-{number} | x", "up": True, "ips": ["a", "b"], "gone": None} for number in range(30))
    columns = (Field("name", "Name"), Field("up", "Up"), Field("ips", "IPs"), Field("gone", "Gone"))
    house.parrot.answer = Answer("answer", "30 VMs.", value=30, table=Table(columns, rows, 40), choices=("Which?",))
    lines = (await house.send("POST", "/api/copilot/ask", json={"question": "x"}))["answer"].split("\n")
    assert lines[0] == "**30** VMs." and lines[2:4] == ["| Name | Up | IPs | Gone |", "|---|---|---|---|"]
    assert lines[4] == r"| web-0 \| x | yes | a, b |  |" and len(lines) == 4 + telling.MOST_LINES + 3
    assert lines[-2:] == ["... and 15 more", "- Which?"]


@pytest.mark.parametrize(
    ("text", "value", "bold"),
    [("There are 35 VMs.", 35, "There are **35** VMs."), ("1,234 of 1,2345", 1234, "**1,234** of 1,2345"),
     ("web-35 has 35 disks", 35, "web-35 has **35** disks"), ("at 09:35 it was 35", 35, "at 09:35 it was **35**"),
     ("On average 2.5 GB", 2.5, "On average **2.5** GB"), ("350 VMs", 35, "350 VMs"), ("3.5 of 5", 5, "3.5 of **5**"),
     ("Yes.", True, "Yes."), ("It is web-1.", "web-1", "It is web-1."), ("None.", None, "None."),
     ("There are 35.", 35, "There are **35**.")],
)  # fmt: skip
def test_the_number_is_bold(text: str, value: Any, bold: str) -> None:
    assert telling.bold(text, value) == bold


async def test_suggestions(house: House) -> None:
    found = (await house.send("GET", "/api/copilot/suggestions"))["suggestions"]
    assert [one["name"] for one in found["categories"]] == [
        "Infrastructure", "VM Power State", "Tenant / Project", "Capacity", "Storage & Snapshots", "Networking",
        "Security & Access", "Operations",
    ]  # fmt: skip
    chips = [chip for group in found["categories"] for chip in group["chips"]]
    assert {"label": "How many VMs?", "question": "How many VMs?"} in chips
    assert {"label": "VMs on tenant …", "question": "VMs on tenant ", "template": True} in chips
    assert all(chip.get("template", False) == chip["question"].endswith(" ") for chip in chips)
    assert len({chip["label"] for chip in chips}) == len(chips) and len(found["tips"]) == 6
    assert await house.send("GET", "/q/copilot/suggestions") == {"suggestions": found}


async def test_answers_within_a_role_say_so(full: House) -> None:
    full.parrot.answer = Answer("answer", "There are 2 VMs.", value=2, query=Query("server"))
    assert (await full.ask("how many?", LABS))["answer"]["scope"] == ["only what your role covers (1 project)"]
    assert (await full.ask("how many?"))["answer"]["scope"] == []
    full.parrot.answer = Answer("apology", "the cloud does not answer")
    assert (await full.ask("how many?"))["answer"]["text"] == "The cloud does not answer."


async def test_an_engine_without_data_says_so(house: House) -> None:
    found = Answer("answer", "None: there are no drift events.", value=0)
    house.parrot.answer = found
    assert (await house.ask("drift?"))["answer"]["text"].startswith(found.text)
    empty = not house.parts.copilot.rooms.reads.states(None)
    answer = (await house.ask("drift?"))["answer"]
    assert ("Nothing was collected yet" in answer["text"]) is empty and answer["sure"] is not empty
