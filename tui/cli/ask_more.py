"""What belongs to `qdeck ask` beside questions: what can be asked, the history, whether answers helped, the model."""

from __future__ import annotations

from typing import Any

from tui.cli.engine_link import connected
from tui.cli.exits import FAILED, NOT_FOUND, leave, note
from tui.cli.options import GlobalOptions
from tui.cli.output import Format, local_time, write_document, write_pairs, write_rows

HISTORY_COLUMNS = ("id", "created_at", "question", "answer", "feedback", "backend_used")
TITLES = {"created_at": "ASKED", "backend_used": "BY"}


def suggestions(options: GlobalOptions, output: Format) -> None:
    """Print what can be asked, by group."""
    from tui.copilot import SUGGESTIONS

    with connected(options) as client:
        answer = client.get(SUGGESTIONS)
    if output in (Format.json, Format.yaml):
        write_document(answer, output)
        return
    found = answer["suggestions"]
    rows = [
        {"group": group["name"], "question": chip["question"] + ("..." if chip.get("template") else "")}
        for group in found["categories"]
        for chip in group["chips"]
    ]
    write_rows(rows, ("group", "question"), output)
    for tip in found["tips"]:
        note(tip)


def history(options: GlobalOptions, limit: int, output: Format) -> None:
    """Print one's own questions, the newest first."""
    from tui.copilot import HISTORY

    with connected(options) as client:
        answer = client.get(HISTORY, params={"limit": limit})
    items = answer["items"]
    if output in (Format.json, Format.yaml):
        write_document(items, output)
        return
    if output is Format.table:
        items = [{**item, "created_at": local_time(item["created_at"])} for item in items]
    write_rows(items, HISTORY_COLUMNS, output, titles=TITLES)
    if answer["total"] > len(items):
        note(f"these are the newest {len(items)} of {answer['total']}")


def feedback(options: GlobalOptions, word: str, about: int | None, comment: str) -> None:
    """Say whether an answer was helpful; by default the last one."""
    from tui.copilot import FEEDBACK, HISTORY

    with connected(options) as client:
        number: Any = about
        if number is None:
            items = client.get(HISTORY, params={"limit": 1})["items"]
            if not items:
                leave(NOT_FOUND, "nothing was asked yet")
            number = items[0]["id"]
        client.post(FEEDBACK, json={"history_id": number, "feedback": word, "comment": comment})
    note(f"noted of {number}: {'helpful' if word == 'up' else 'not helpful'}")


def forget(options: GlobalOptions) -> None:
    """Forget all of one's own questions and answers."""
    from tui.copilot import HISTORY

    with connected(options) as client:
        answer = client.delete(HISTORY)
    note(f"{(answer or {}).get('forgotten', 0)} questions are forgotten")


def status(options: GlobalOptions, output: Format) -> None:
    """Print which model is asked."""
    from tui.copilot import STATUS

    with connected(options) as client:
        answer = client.get(STATUS)
    write_pairs(answer, output)


def test(options: GlobalOptions, output: Format) -> None:
    """Print whether the model answers, and how fast."""
    from tui.copilot import TEST

    with connected(options) as client:
        answer = client.request("POST", TEST, json={}, seconds=120.0)
    write_pairs(answer, output)
    if not answer.get("success"):
        leave(FAILED)
