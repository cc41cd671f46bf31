"""`qdeck problems`: what is wrong, for people and for monitoring.

Its exit codes are those of monitoring checks, not those of the other commands: 0 nothing, or only what is so on
purpose; 1 a warning; 2 something critical; 3 not known (no engine answers, a part could not be judged, a wrong filter).
Muted problems never count. `own`, `mute`, `note` and their opposites end as all commands do.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NoReturn

from store.filter_rows import passes
from store.filter_rows import problem as filter_problem
from store.filters import parse
from tui import deadlines
from tui.api.client import SyncClient
from tui.cli.engine_link import connected
from tui.cli.exits import NOT_FOUND, USAGE, leave
from tui.cli.exits import note as tell
from tui.cli.inventory import quoted
from tui.cli.options import GlobalOptions
from tui.cli.output import Format, printable, write_document, write_rows
from tui.problems import FIELDS, PATH, SEVERITIES, Problem, counts_words, record, since, subject_of, word
from tui.times import TimeError

MOST = 1000
OK, WARNING, CRITICAL, UNKNOWN = 0, 1, 2, 3
TABLE = ("level", "since", "title", "who", "detail", "id")
CSV = (
    "id", "severity", "rule", "title", "detail", "since", "since_exact", "first_seen", "cloud", "region", "type",
    "resource", "filter", "project_name", "count", "machines", "owner", "note", "muted_until", "muted_by",
    "mute_reason",
)  # fmt: skip


def listed(
    options: GlobalOptions,
    filter: str,
    severity: str | None,
    cloud: str | None,
    muted: bool,
    check: bool,
    output: Format,
) -> NoReturn:
    """Print the problems that pass, and end with the code of the worst."""
    if severity is not None and severity not in SEVERITIES:
        leave(UNKNOWN, f"a severity is one of {', '.join(SEVERITIES)}, not {severity!r}")
    if sentence := filter_problem(filter, FIELDS):
        leave(UNKNOWN, sentence)
    query: dict[str, Any] = {"limit": MOST, "muted": muted}
    query |= {name: value for name, value in (("severity", severity), ("cloud", cloud)) if value is not None}
    try:
        with connected(options) as client:
            answer = client.get(PATH, params=query)
    except SystemExit as error:
        # Whatever the reason, the check knows nothing; 1 and 2 would claim that it does.
        raise SystemExit(UNKNOWN if error.code else error.code) from None
    tree, now = parse(filter), datetime.now(UTC)
    items = [item for item in answer["items"] if passes(tree, record(item), now)]
    if check:
        print(check_line(items, answer["problems"]))
    elif output in (Format.json, Format.yaml):
        write_document({**answer, "items": items, "total": len(items)}, output)
    elif output is Format.csv:
        write_rows([_flat(item) for item in items], CSV, output)
    elif items:
        write_rows([_shown(item) for item in items], TABLE, output)
    _tell_rest(answer, items, check)
    raise SystemExit(code_of(items, answer["problems"]))


def code_of(items: Sequence[Problem], missed: Sequence[str]) -> int:
    """The exit code: the worst of what is not muted; not known when nothing is found and a part was not judged."""
    loud = {str(item["severity"]) for item in items if not item["muted_until"]}
    if "critical" in loud:
        return CRITICAL
    if missed:
        return UNKNOWN
    return WARNING if "warning" in loud else OK


def check_line(items: Sequence[Problem], missed: Sequence[str]) -> str:
    """STATE - the worst in words | counts as performance data."""
    loud = [item for item in items if not item["muted_until"]]
    counts = {name: sum(item["severity"] == name for item in loud) for name in SEVERITIES}
    state = ("OK", "WARNING", "CRITICAL", "UNKNOWN")[code_of(items, missed)]
    worst = [item for item in loud if item["severity"] != "info"]
    if state == "UNKNOWN":
        said = missed[0]
    elif worst:
        said = str(worst[0]["title"]) + (f" (+{len(worst) - 1} more)" if len(worst) > 1 else "")
    else:
        said = "nothing is wrong"
    data = " ".join(f"{name}={count}" for name, count in {**counts, "muted": len(items) - len(loud)}.items())
    return f"{state} - {printable(said).replace('|', '/')} | {data}"


def _tell_rest(answer: Mapping[str, Any], items: Sequence[Problem], check: bool) -> None:
    """What is not in the list, on stderr."""
    for sentence in answer["problems"]:
        tell(sentence)
    if check:
        return
    if answer["total"] > len(answer["items"]):
        tell(f"only the worst {len(answer['items'])} of {answer['total']} were looked at")
    if not items:
        words = counts_words(answer["counts"])
        tell("nothing is wrong" if not words else f"none of these; open are {words}")


def _shown(item: Problem) -> dict[str, Any]:
    return {**item, "level": word(item), "since": since(item), "who": item["owner"]}


def _flat(item: Problem) -> dict[str, Any]:
    return {**item, "resource": (item["key"] or [None])[-1]}


# What people do with one


def own(options: GlobalOptions, reference: str, mine: bool) -> None:
    """Take it, or say that nobody has it."""
    with connected(options) as client:
        problem = _one(client, reference)
        path = f"{PATH}/{quoted(problem['id'])}/take"
        if mine:
            client.post(path)
        else:
            client.delete(path)
    tell(f"{'you have' if mine else 'nobody has'} it{'' if mine else ' any more'}: {problem['title']}")


def mute(options: GlobalOptions, reference: str, until_words: str, reason: str) -> None:
    """Quiet until then."""
    until = _until(until_words)
    with connected(options) as client:
        problem = _one(client, reference)
        client.post(f"{PATH}/{quoted(problem['id'])}/mute", json={"until": until, "reason": reason})
    tell(f"muted until {until}: {problem['title']}")


def unmute(options: GlobalOptions, reference: str) -> None:
    """No longer quiet."""
    with connected(options) as client:
        problem = _one(client, reference)
        client.delete(f"{PATH}/{quoted(problem['id'])}/mute")
    tell(f"no longer muted: {problem['title']}")


def write_note(options: GlobalOptions, reference: str, text: str, until_words: str | None) -> None:
    """A note on it."""
    until = None if until_words is None else _until(until_words)
    with connected(options) as client:
        problem = _one(client, reference)
        client.post("/q/notes", json={"subject": subject_of(problem), "text": text, "until": until})
    tell(f"noted on {problem['title']}")


def _one(client: SyncClient, reference: str) -> Problem:
    """The problem that an id or its start means."""
    found = [item for item in client.get(PATH, params={"limit": MOST})["items"] if item["id"].startswith(reference)]
    if not reference or not found:
        leave(NOT_FOUND, f'no problem has an id that begins with "{reference}"; `qdeck problems --muted` lists them')
    if len(found) > 1:
        leave(USAGE, f"{len(found)} problems have ids that begin so: {', '.join(item['id'] for item in found[:5])}")
    one: Problem = found[0]
    return one


def _until(words: str) -> str:
    try:
        moment = deadlines.parse(words, datetime.now().astimezone())
    except TimeError as error:
        leave(USAGE, str(error))
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
