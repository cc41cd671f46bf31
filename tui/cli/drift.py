"""`qdeck drift`: what is other than it was, who did it, and accepting that."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NoReturn

from engine.drift.models import GRADE_MEANING, GRADE_WORDS, MOST_IDS, NOT_ASKED, SEVERITIES, STATES
from store.filter_rows import passes, problem
from store.filters import parse
from tui.api.client import SyncClient
from tui.cli.acting import ask_line
from tui.cli.engine_link import connected
from tui.cli.exits import NOT_FOUND, PARTIAL, USAGE, leave, note
from tui.cli.inventory import instant
from tui.cli.options import GlobalOptions
from tui.cli.output import Format, plain, printable, write_document, write_pairs, write_rows
from tui.drift import SHORT_STATES, Event, change_words, counts_words, state_words, who_words
from tui.drift_filters import FIELDS, question, record_of
from tui.periods import body_of
from tui.table.cells import cut_end

EVENTS = "/q/drift/events"
PAGE = 1000
DEEPEST = 10_000  # what the engine's lists give
LONGEST = 70  # cells of a change in the table; other formats have all of it
TABLE = ("id", "severity", "when", "type", "resource", "change", "project", "who", "state")
CSV = (
    "id", "severity", "state", "opened_at", "cloud", "region", "resource_type", "resource_id", "resource_name",
    "project_name", "domain_name", "field_changed", "old_value", "new_value", "rule_id", "rule_name", "kind", "count",
    "flapping", "grade", "actor", "source", "request_id", "job", "seen_before", "seen_at", "resolved_at",
    "acknowledged_by", "acknowledged_at", "acknowledge_note", "acknowledged_until", "ignored_by",
)  # fmt: skip
OK, WARNING, CRITICAL, UNKNOWN = 0, 1, 2, 3  # codes of monitoring checks


@dataclass(frozen=True, slots=True)
class Choice:
    """Which events, as the command line says it; `since` in the operator's words."""

    filter: str = ""
    severities: Sequence[str] = ()
    types: Sequence[str] = ()
    project: str | None = None
    cloud: str | None = None
    everything: bool = False
    since: str | None = None

    def problem(self) -> str:
        """What is wrong with it, as a sentence; "" when nothing is."""
        wrong = next((word for word in self.severities if word not in SEVERITIES), None)
        if wrong is not None:
            return f"a severity is one of {', '.join(SEVERITIES)}, not {wrong!r}"
        return problem(self.filter, FIELDS)

    def params(self) -> dict[str, Any]:
        """Parameters of GET /q/drift/events, the worst first."""
        params = question(self.filter) | {"sort_by": "severity", "sort_dir": "desc"}
        if self.everything:
            params["state"] = list(STATES)
        if self.severities:
            params["severity"] = list(self.severities)
        given = {"type": [word.replace("-", "_") for word in self.types], "project": self.project, "cloud": self.cloud,
                 "since": instant(self.since)}  # fmt: skip
        return params | {name: value for name, value in given.items() if value}


def read(client: SyncClient, choice: Choice, limit: int = 0) -> tuple[list[Event], int]:
    """(events that pass, how many the engine has that may): at most `limit`, 0 = as many as lists give."""
    tree, now = parse(choice.filter), datetime.now(UTC)
    found: list[Event] = []
    at = total = 0
    while at < DEEPEST:
        answer = client.get(EVENTS, params={**choice.params(), "limit": PAGE, "offset": at})
        total, items = answer["total"], answer["items"]
        found += [item for item in items if passes(tree, record_of(item), now)]
        at += len(items)
        if not items or at >= total or (limit and len(found) >= limit):
            break
    return found[: limit or None], total if at < total else len(found)


def listed(options: GlobalOptions, choice: Choice, limit: int, output: Format) -> None:
    """Print the events that pass, the worst first."""
    if sentence := choice.problem():
        leave(USAGE, sentence)
    with connected(options) as client:
        items, total = read(client, choice, limit)
        summary = client.get("/q/drift/summary")
    if output in (Format.json, Format.yaml):
        write_document(items, output)
    elif output is Format.csv:
        write_rows(items, CSV, output)
    elif items:
        write_rows([shown(item) for item in items], TABLE, output)
    for sentence in summary.get("problems") or ():
        note(f"drift is not whole: {sentence}")
    if total > len(items):
        note(f"these are the worst {len(items)} of {total}; --limit and --filter show others")
    if not items and not summary.get("problems"):
        counts = counts_words(summary["triage"])
        hidden = any(summary["by_state"][state]["total"] for state in STATES)
        rest = "; --all shows what was settled" if hidden and not choice.everything else ""
        note(f"none of these{rest}" if counts != "none" else f"nothing drifted that nobody looked at{rest}")


def shown(item: Event) -> dict[str, Any]:
    """A row of the table."""
    return {
        **item,
        "when": _local(item.get("opened_at")),
        "type": str(item.get("resource_type") or "").replace("_", " "),
        "resource": item.get("resource_name") or item.get("resource_id"),
        "change": cut_end(change_words(item), LONGEST),
        "project": item.get("project_name") or item.get("project_id"),
        "who": who_words(item),
        "state": SHORT_STATES.get(str(item.get("state")), item.get("state")),
    }


def checked(options: GlobalOptions, choice: Choice) -> NoReturn:
    """Print one line for a monitoring system and end with the code of the worst that is open."""
    if sentence := choice.problem():
        leave(UNKNOWN, sentence)
    try:
        with connected(options) as client:
            items, _ = read(client, choice)
            missed = client.get("/q/drift/summary").get("problems") or []
    except SystemExit as error:
        # Whatever the reason, the check knows nothing; 1 and 2 would claim that it does.
        raise SystemExit(UNKNOWN if error.code else error.code) from None
    print(check_line(items, missed))
    raise SystemExit(check_code(items, missed))


def check_code(items: Sequence[Event], missed: Sequence[str] = ()) -> int:
    """2 for anything critical, 3 where drift is not whole (`missed`), 1 for a warning, else 0."""
    worst = {item.get("severity") for item in items}
    if "critical" in worst:
        return CRITICAL
    return UNKNOWN if missed else WARNING if "warning" in worst else OK


def check_line(items: Sequence[Event], missed: Sequence[str] = ()) -> str:
    """STATE - the worst in words | counts as performance data."""
    state = ("OK", "WARNING", "CRITICAL", "UNKNOWN")[check_code(items, missed)]
    counts = {name: sum(item.get("severity") == name for item in items) for name in SEVERITIES}
    told = [item for item in items if item.get("severity") != "info"]
    said = "nothing drifted"
    if state == "UNKNOWN":
        said = f"drift is not whole: {missed[0]}"
    elif told:
        first = told[0]
        what = cut_end(change_words(first), LONGEST)
        said = f"{first.get('resource_name') or first.get('resource_id')}: {what}, {who_words(first)}"
        said += f" (+{len(told) - 1} more)" if len(told) > 1 else ""
    data = " ".join(f"{name}={count}" for name, count in counts.items())
    return f"{state} - {printable(said).replace('|', '/')} | {data}"


def show(options: GlobalOptions, id: int, output: Format) -> None:
    """Print one event with all that is known."""
    with connected(options) as client:
        item = client.get(f"{EVENTS}/{id}")
    if output is not Format.table:
        write_pairs(item, output)
        return
    grade = item.get("grade")
    pairs: list[tuple[str, Any]] = [
        ("change", item["description"]), ("severity", item["severity"]), ("state", state_words(item)),
        ("was", item["old_value"]), ("is", item["new_value"]), ("who", who_words(item)),
        ("how sure", f"{GRADE_WORDS[grade]}: {GRADE_MEANING[grade]}" if grade else NOT_ASKED),
        ("record", item["source"]), ("request", item["request_id"]), ("problem", item["problem"]),
        ("created by", item["created_by"]), ("seen", item["seen_at"]), ("seen before", item["seen_before"]),
        ("went back", item["resolved_at"]), ("times", item["count"] if item["count"] > 1 else None),
        ("project", item["project_name"]), ("domain", item["domain_name"]), ("cloud", item["cloud"]),
        ("region", item["region"]), ("resource", item["resource_id"]),
        ("rule", f"{item['rule_id']} {item['rule_name']}: {item['rule_description']}"),
    ]  # fmt: skip
    for one in item["candidates"]:
        pairs.append(("can have done it", f"{one['action']} by {one['actor'] or 'unknown'} {one['at']}"))
    for one in item["acks"]:
        ended = f" (undone by {one['undone_by']})" if one["undone_at"] else "" if one["in_force"] else " (run out)"
        pairs.append(("acknowledged", f"{one['by']} {one['at']} {one['note']}{ended}"))
    width = max(len(name) for name, _ in pairs)
    for name, value in pairs:
        if value is not None:
            sys.stdout.write(f"{name.ljust(width)}  {plain(value)}\n")


def acknowledge(
    options: GlobalOptions, ids: list[int], filter: str | None, words: str, until: str | None, yes: bool, output: Format
) -> None:
    """Accept events by ids, or all that pass a filter; asks before it takes those."""
    if bool(ids) == (filter is not None):
        leave(USAGE, "give ids of events, or --filter for all that pass; `qdeck drift` lists them")
    choice = Choice(filter or "")
    if sentence := choice.problem():
        leave(USAGE, sentence)
    body = body_of({"note": words, "until": until}, datetime.now().astimezone())
    if isinstance(body, str):
        leave(USAGE, body)
    with connected(options) as client:
        if filter is not None:
            found, _ = read(client, choice)
            if not found:
                leave(NOT_FOUND, "no event passes that filter")
            ids = [int(item["id"]) for item in found[:MOST_IDS]]
            if not yes and ask_line(f"acknowledge {len(ids)} events? y: ", "give --yes").lower() not in ("y", "yes"):
                leave(USAGE, "nothing was acknowledged")
        answer = client.post("/q/drift/acknowledge", json={**body, "ids": ids})
    if output is not Format.table:
        write_pairs(answer, output)
    already = f", {answer['already']} were already" if answer["already"] else ""
    back = f"; `qdeck drift unack --batch {answer['batch']}` takes it back" if answer["batch"] else ""
    note(f"acknowledged {answer['acknowledged']}{already}{back}")
    _missing(answer)


def unacknowledge(options: GlobalOptions, ids: list[int], batch: str | None) -> None:
    """Take acknowledgements back."""
    if bool(ids) == (batch is not None):
        leave(USAGE, "give ids of events, or --batch of one `qdeck drift ack`")
    with connected(options) as client:
        answer = client.post("/q/drift/unacknowledge", json={"ids": ids} if ids else {"batch": batch})
    note(f"{answer['undone']} no longer acknowledged")


def _missing(answer: Mapping[str, Any]) -> None:
    if answer["missing"]:
        gone = ", ".join(map(str, answer["missing"][:10]))
        leave(PARTIAL if answer["acknowledged"] or answer["already"] else NOT_FOUND, f"there is no event {gone}")


def _local(at: Any) -> str:
    try:
        return datetime.fromisoformat(str(at)).astimezone().strftime("%Y-%m-%d %H:%M")
    except ValueError:
        return str(at)
