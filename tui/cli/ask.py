"""`qdeck ask QUESTION`: the sentence and its rows on stdout, what they stand on on stderr."""

from __future__ import annotations

import sys
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tui.api.client import SyncClient
from tui.cli.ask_commands import AskFormat
from tui.cli.engine_link import connected
from tui.cli.exits import FAILED, UNCLEAR, USAGE, leave, note
from tui.cli.inventory import quoted
from tui.cli.options import GlobalOptions
from tui.cli.output import Format, local_time, printable, write_document, write_rows

FIRST_ROWS = 20  # of a text: the sentence must not scroll away
LONG_POLL = 25.0  # seconds that the engine waits for more words
UNITS = {"size_mb": "MB", "size_gb": "GB", "size_bytes": "bytes"}


@dataclass(frozen=True, slots=True)
class How:
    """What the command line says beside the question; see the options of `qdeck ask`."""

    output: AskFormat = AskFormat.text
    cloud: str | None = None
    built_in: bool = False
    new: bool = False
    conversation: str = ""
    wait: float = 120.0
    show_query: bool = False


def ask(options: GlobalOptions, question: str, how: How) -> None:
    """Ask, print the answer, and end with the code for it."""
    from tui.copilot import MOST_QUESTION, QUESTIONS

    text = sys.stdin.read(MOST_QUESTION + 1) if question == "-" else question
    text = " ".join(text.split())
    if not text or len(text) > MOST_QUESTION:
        leave(USAGE, f"write a question of at most {MOST_QUESTION:,} characters: qdeck ask how many servers are off")
    with connected(options) as client:
        told = client.post(QUESTIONS, json=_body(text, how))
        streamed = ""
        if told["state"] == "running":
            told, streamed = _wait(client, told, how)
    answer = told["answer"] or {}
    if how.output in (AskFormat.json, AskFormat.yaml):
        write_document({"question": text, **answer}, how.output.rows)
    else:
        _write(answer, how, streamed)
        _tell(text, answer)
    _leave(answer)


def _body(question: str, how: How) -> dict[str, Any]:
    from tui.copilot import local_zone

    body: dict[str, Any] = {"question": question, "built_in": how.built_in, "zone": local_zone()}
    if how.cloud is not None:
        body["cloud"] = how.cloud
    name = uuid.uuid4().hex if how.new and not how.conversation else how.conversation
    return body | ({"conversation": name} if name else {})


def _wait(client: SyncClient, told: dict[str, Any], how: How) -> tuple[dict[str, Any], str]:
    """The final word, and what of it was printed while it came. Interrupted, or late, the model is asked no further."""
    from tui.copilot import QUESTIONS

    path = f"{QUESTIONS}/{quoted(str(told['id']))}"
    shows = how.output is AskFormat.text and sys.stdout.isatty()
    deadline, written, last = time.monotonic() + how.wait, "", told
    note("asking the model ...")
    try:
        while last["state"] == "running" and (left := deadline - time.monotonic()) > 0:
            asked = {"offset": last["offset"], "wait": min(LONG_POLL, max(0.1, left))}
            last = client.get(path, params=asked)
            if shows and last["text"]:
                sys.stdout.write(_safe(last["text"]))
                sys.stdout.flush()
                written += last["text"]
    except KeyboardInterrupt:
        client.delete(path)
        raise
    if written:
        sys.stdout.write("\n")
    if last["state"] == "running":
        client.delete(path)
        note(f"the model took longer than {how.wait:g} s: this is the built-in answer")
        return {**last, "answer": last["answer"] or told["answer"]}, ""
    return last, written


def _safe(text: str) -> str:
    return "\n".join(printable(line) for line in text.split("\n"))


def _write(answer: Mapping[str, Any], how: How, streamed: str) -> None:
    """Sentence, choices, rows, queries: as far as the format has them."""
    table = answer.get("table") or {}
    rows = table.get("rows") or ()
    said = str(answer.get("text") or "").strip()
    if how.output is AskFormat.text:
        if streamed.strip() != said:
            sys.stdout.write(_safe(said) + "\n")
        for choice in answer.get("choices") or ():
            sys.stdout.write(f"  {printable(str(choice))}\n")
        if rows:
            sys.stdout.write("\n")
    if rows:
        shown = rows[:FIRST_ROWS] if how.output is AskFormat.text else rows
        _write_rows(shown, table["columns"], how.output.rows)
        if len(shown) < len(rows):
            sys.stdout.write(f"... and {len(rows) - len(shown):,} more rows: -o table shows them all\n")
    elif how.output is AskFormat.csv:
        write_rows([dict(answer)], ("text", "value", "unit"), Format.csv)
    elif how.output is AskFormat.table:
        sys.stdout.write(_safe(said) + "\n")
    if how.show_query and how.output is not AskFormat.csv:
        for query in answer.get("queries") or ():
            sys.stdout.write(f"\n-- {printable(str(query['kind']))}\n{_safe(str(query['text']))}\n")


def _write_rows(rows: Sequence[Mapping[str, Any]], columns: Sequence[Mapping[str, Any]], style: Format) -> None:
    names = [str(column["name"]) for column in columns]
    if style is Format.csv:
        write_rows(rows, names, style)
        return
    from tui.copilot import head_title

    titles, times = {}, []
    for column in columns:
        unit = UNITS.get(column["role"], "")
        titles[str(column["name"])] = printable(f"{head_title(column)} {unit}".strip())
        times += [str(column["name"])] if column["role"] == "time" else []
    shown = [{**row, **{name: local_time(row[name]) for name in times if row.get(name)}} for row in rows]
    write_rows(shown, names, style, titles=titles)


def _tell(question: str, answer: Mapping[str, Any]) -> None:
    """What it stands on, on stderr."""
    from tui import copilot

    understood = str(answer.get("understood") or "")
    if understood and understood.strip(" ?.").lower() != question.strip(" ?.").lower():
        note(f"understood: {understood}")
    note("".join(text for text, _ in copilot.facts(answer, 0.0)))
    for proposal in answer.get("proposals") or ():
        if proposal.get("command"):
            note(f"{proposal.get('label') or 'next'}: {proposal['command']}")


def _leave(answer: Mapping[str, Any]) -> None:
    if answer.get("outcome") == "apology":
        leave(FAILED)
    if not answer.get("sure"):
        leave(UNCLEAR)
