"""A restore plan in words: lines for its page, everything it says, and the whole of it for a file. Pure, cleaned."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from tui import restore
from tui.dialogs.planlines import wrapped
from tui.panes.pane import Parts
from tui.table.cells import clean, cut_end, fit, width

Plan = Mapping[str, Any]
UNKNOWN = "unknown"
LOST = "will be lost"


def texts(plan: Plan, name: str) -> list[str]:
    """The sentences of a part of the plan, cleaned."""
    return [clean(text) for text in plan.get(name) or ()]


def objects(plan: Plan, name: str) -> list[Mapping[str, Any]]:
    """The objects of a part of the plan."""
    return [item for item in plan.get(name) or () if isinstance(item, Mapping)]


def lost_words(plan: Plan) -> tuple[str, str]:
    """What is lost since the point, for the first line: (words, style)."""
    lost = texts(plan, "lost")
    ages: dict[str, list[str]] = {}
    name = clean((plan.get("machine") or {}).get("name") or "")
    for disk in objects(plan, "disks"):
        if seconds := restore.whole(disk.get("lost_seconds")):
            ages.setdefault(restore.span(seconds), []).append(restore.short_disk(disk, name))
    short = "; ".join(f"{age} of {', '.join(names)}" for age, names in ages.items())
    if plan.get("way") in restore.LOSES_NOTHING and not (plan.get("machine") or {}).get("gone"):
        return "nothing is lost" + (f": what is made is {' and '.join(ages)} old" if ages else ""), "text"
    if not lost and not short:
        return "nothing is lost", "ok"
    return f"LOST: {short or lost[0]}", "bad"


def point_parts(plan: Plan) -> Parts:
    """Where it comes from: Sat 22:00 (16h05m) daily_5 group-consistent BACKUP."""
    point = plan.get("point")
    if not isinstance(point, Mapping):
        return [("no restore point", "bad")]
    now = datetime.now(UTC)
    parts: Parts = [(restore.when(point.get("taken_at"), now), "strong")]
    more = [restore.made_by(point), clean(point.get("consistency") or "consistency not known")]
    parts.append(("  " + "  ".join(more), "text"))
    kind = "BACKUP" if restore.is_backup(point) else clean(point.get("kind") or "")
    return [*parts, (f"  {kind}", "strong" if kind == "BACKUP" else "muted"), ("  m", "key"), (" other", "muted")]


def ways_parts(ways: Sequence[Mapping[str, Any]], mine: str, cells: int) -> Parts:
    """The ways that are possible, this one marked; where they have no room, this one alone."""
    possible = [str(way.get("way")) for way in ways if way.get("possible")]
    names = possible if mine in possible else [mine, *possible]
    words = [restore.WAY_WORDS.get(name, clean(name)) for name in names]
    used = sum(width(word) + 5 for word in words) + 9
    if used > cells:
        names, words = [mine], [restore.WAY_WORDS.get(mine, clean(mine))]
    parts: Parts = [(" way   ", "muted")]
    for name, word in zip(names, words, strict=True):
        parts.append((f"({'•' if name == mine else ' '}) {word} ", "strong" if name == mine else "muted"))
    return [*parts, (" w", "key"), (" other" if used + 6 <= cells else "", "muted")]


def heading(title: str, cells: int) -> Parts:
    """A title in a line across a column."""
    shown = cut_end(title, max(4, cells - 5))
    return [("─ ", "rule"), (shown, "muted"), (" " + "─" * max(0, cells - width(shown) - 3), "rule")]


def disk_parts(disk: Mapping[str, Any], cells: int, machine: str = "") -> Parts:
    """root  80G  ← Sat 22:00; data1 1.5T keep current."""
    choice = str(disk.get("choice") or "")
    words, style = restore.CHOICE_WORDS.get(choice, clean(choice)), "text"
    source = disk.get("source")
    if choice == "restore_point" and isinstance(source, Mapping):
        kind = " BACKUP" if restore.is_backup(source) else " image" if source.get("kind") == "image" else ""
        words = f"← {restore.when(source.get('taken_at'), datetime.now(UTC))}{kind}"
        style = "strong"
    elif choice == "leave_out":
        words, style = "LEFT OUT", "warn"
    if lost := restore.whole(disk.get("lost_seconds")):
        words += f", {restore.span(lost)} old"
    room = max(6, min(16, cells - width(words) - 8))
    return [
        (fit(restore.short_disk(disk, machine), room), "text"),
        (fit(restore.disk_size(disk), 5, right=True) + " ", "muted"),
        (cut_end(words, max(4, cells - room - 6)), style),
    ]


def nic_parts(nic: Mapping[str, Any], strategy: str, cells: int, way: str = "NEW") -> Parts:
    """eth0 10.20.0.9 keep (MAC kept); another address of a network; what is not known is said."""
    old = [clean(one.get("address") or "") for one in objects(nic, "fixed")]
    wanted = [clean(one.get("address") or "any free one") for one in objects(nic, "wanted")]
    floating = [clean(one.get("address") or "") for one in objects(nic, "floating")]
    mac = "MAC kept" if nic.get("keep_mac") else "new MAC"
    if wanted and set(wanted) == set(old):
        words, style = ("the same", "strong")
    elif wanted:
        words, style = f"→ {', '.join(wanted)}", "warn"
    else:
        words, style = "→ any free one" if strategy == "NEW_IPS" else UNKNOWN, "warn"
    if nic.get("fall_back") and words == "the same":
        words = "the same if free"
    goes = "re-pointed" if way == "REPLACE" else "stays with the old one"
    said = f"{words} ({mac})" + (f", {', '.join(floating)} {goes}" if floating else "")
    if way not in restore.MAKES_MACHINE:
        said, style = "stays", "text"
    name = f"eth{restore.whole(nic.get('order')) or 0} {', '.join(old) or UNKNOWN}"
    room = max(10, min(width(name), cells // 2))
    parts: Parts = [(fit(name, room), "text"), (" " + cut_end(said, max(4, cells - room - 1)), style)]
    return parts


def note_lines(plan: Plan, cells: int, most: int = 1) -> list[Parts]:
    """What stands under volumes and addresses: problems first, then what is made, parked, different, and what fits;
    each in at most so many lines.
    """
    lines: list[Parts] = []
    for text in texts(plan, "problems"):
        lines += _piece(" ✖ ", text, "bad", cells, 2 + most)
    if plan.get("way") == "REPLACE" and any("fenced" in text for text in texts(plan, "problems")):
        lines.append([("   o", "key"), (" takes the statement", "muted")])
    if plan.get("access_command") and plan.get("access") == "none":
        lines.append([("   $ ", "muted"), (cut_end(clean(plan["access_command"]), cells - 6), "accent")])
    for finding in objects(plan, "findings"):
        if finding.get("level") == "problem" and finding.get("command"):
            lines += _piece(" ✖ ", cut_end(clean(finding.get("text") or ""), cells - 5), "bad", cells, 1)
            lines.append([("   $ ", "muted"), (cut_end(clean(finding["command"]), cells - 6), "accent")])
    for text in texts(plan, "warnings"):
        lines += _piece(" ▲ ", text, "warn", cells, 1 + most)
    lines += _titled("creates", "; ".join(texts(plan, "creates")) or "nothing", "text", cells, most)
    if parks := parks_words(plan):
        lines += _titled("parks", parks, "text", cells, most)
    differs = [clean(one.get("text") or "") for one in objects(plan, "differs")]
    lines += _titled("differs", "; ".join(differs), "text", cells, most) if differs else []
    old = texts(plan, "points_at_old")
    lines += _titled("points at", f"the old one: {'; '.join(old)}", "warn", cells, most) if old else []
    lines += fit_lines(plan, cells, most)
    seconds = restore.whole(plan.get("seconds"))
    lines += _titled("takes", f"about {restore.span(seconds)}", "muted", cells, 1) if seconds else []
    return lines


def parks_words(plan: Plan) -> str:
    """What becomes of the old machine."""
    request = plan.get("request") if isinstance(plan.get("request"), Mapping) else {}
    assert isinstance(request, Mapping)
    park, days = str(plan.get("park") or ""), restore.whole(request.get("keep_days"))
    if str(plan.get("way")) != "REPLACE":
        return ""
    how = {"shelve": "shelved", "stop": "stopped", "leave": "left as it is, for clean-up"}.get(park, "")
    if request.get("end") == "delete":
        return "the old machine, until the new one answers; then it is DELETED as asked"
    kept = f", renamed and locked for {days} days" if days and park != "leave" else ""
    return f"the old machine{': ' if how else ''}{how}{kept}" if park else ""


def fit_lines(plan: Plan, cells: int, most: int = 1) -> list[Parts]:
    """Whether it fits: limits that do not first; those that do on one line."""
    fits = objects(plan, "fits")
    lines: list[Parts] = []
    for one in fits:
        if not one.get("ok"):
            lines += _piece(" ✖ does not fit  ", clean(one.get("text") or one.get("what") or ""), "bad", cells, 2)
    good = [clean(one.get("text") or one.get("what") or "") for one in fits if one.get("ok")]
    return lines + (_titled("fits", " · ".join(good), "text", cells, most) if good else [])


def _titled(title: str, text: str, style: str, cells: int, most: int) -> list[Parts]:
    room = max(10, cells - 12)
    pieces = wrapped(text, room)
    if len(pieces) > most:
        pieces = [*pieces[: most - 1], cut_end(" ".join(pieces[most - 1 :]), room)]
    heads = [f" {title}", *[""] * len(pieces)]
    return [[(fit(heads[n], 11), "muted"), (piece, style)] for n, piece in enumerate(pieces)]


def _piece(mark: str, text: str, style: str, cells: int, most: int) -> list[Parts]:
    room = max(10, cells - width(mark) - 1)
    pieces = wrapped(text, room)[:most]
    return [[(mark if n == 0 else " " * width(mark), style), (piece, style)] for n, piece in enumerate(pieces)]


# All of it


def sections(plan: Plan) -> list[tuple[str, list[str]]]:
    """(title, sentences) of everything a plan says, in the order in which it is decided about."""
    findings = [_finding(one) for one in objects(plan, "findings")]
    differs = [clean(one.get("text") or "") for one in objects(plan, "differs")]
    fits = [
        ("" if one.get("ok") else "DOES NOT FIT: ") + clean(one.get("text") or one.get("what") or "")
        for one in objects(plan, "fits")
    ]
    disks = [_disk_words(disk) for disk in objects(plan, "disks")]
    strategy = str(plan.get("strategy") or "")
    way = str(plan.get("way") or "")
    nics = [
        "".join(text for text, _ in nic_parts(nic, strategy, 200, way)).rstrip() + _note(nic)
        for nic in objects(plan, "nics")
    ]
    steps = [clean(one.get("name") or "") for one in objects(plan, "steps") if one.get("phase", "do") == "do"]
    undo = [clean(one.get("name") or "") for one in objects(plan, "steps") if one.get("phase") == "undo"]
    needed = plan.get("access") == "none" and plan.get("access_command")
    access = [clean(plan["access_command"])] if needed else []
    found = [
        ("problems", texts(plan, "problems")),
        ("an administrator runs", access),
        (LOST if way not in restore.LOSES_NOTHING else "how old it is", texts(plan, "lost") or ["nothing"]),
        ("warnings", texts(plan, "warnings")),
        ("triage", findings),
        ("volumes", disks),
        ("addresses", nics),
        ("creates", texts(plan, "creates")),
        ("the old machine", [parks_words(plan)] if parks_words(plan) else []),
        ("will differ", differs),
        ("points at the old one", texts(plan, "points_at_old")),
        ("fits", fits),
        ("steps", steps),
        ("if it fails or is cancelled before " + clean(plan.get("commit") or "its end"), undo),
        ("the same on the command line", texts(plan, "commands")),
    ]
    return [(title, lines) for title, lines in found if lines]


def _finding(finding: Mapping[str, Any]) -> str:
    command = f"  $ {clean(finding['command'])}" if finding.get("command") else ""
    return f"{clean(finding.get('level') or '')}: {clean(finding.get('text') or '')}{command}"


def _disk_words(disk: Mapping[str, Any]) -> str:
    parts = "".join(text for text, _ in disk_parts(disk, 100)).rstrip()
    return f"{parts}  {clean(disk.get('volume_id') or '')}{_note(disk)}"


def _note(item: Mapping[str, Any]) -> str:
    return f" ({clean(item['note'])})" if item.get("note") else ""


def details(plan: Plan, cells: int) -> list[Parts]:
    """Everything the plan says, line by line."""
    lines: list[Parts] = []
    for title, sentences in sections(plan):
        bad = title in ("problems", LOST) and sentences != ["nothing"]
        lines.append([(f" {title}", "bad" if bad else "strong")])
        for sentence in sentences:
            pieces = wrapped(sentence, cells - 6)
            lines += [[("   · " if n == 0 else "     ", "muted"), (p, "text")] for n, p in enumerate(pieces)]
    return lines


def dry_lines(plan: Plan, cells: int) -> list[Parts]:
    """What every step would do, from the plan alone: nothing is sent for it."""
    lines: list[Parts] = []
    for one in objects(plan, "dry_run"):
        lines.append([(f" {clean(one.get('step') or '')}", "strong")])
        would = one.get("would")
        for text in would if isinstance(would, list | tuple) else [would or "nothing"]:
            pieces = wrapped(clean(text), cells - 6)
            lines += [[("   · " if n == 0 else "     ", "muted"), (p, "text")] for n, p in enumerate(pieces)]
    return lines or [[(" the engine tells no dry run of this plan", "muted")]]


def as_markdown(plan: Plan) -> str:
    """The whole plan for a file that people read: a change record, a ticket."""
    machine = plan.get("machine") if isinstance(plan.get("machine"), Mapping) else {}
    assert isinstance(machine, Mapping)
    way = restore.WAY_WORDS.get(str(plan.get("way")), clean(plan.get("way") or ""))
    point = "".join(text for text, _ in point_parts(plan)[:-2])
    lines = [
        f"# Restore of {_escaped(restore.machine_words(machine))}",
        "",
        f"- plan {clean(plan.get('id') or '')}, made {clean(plan.get('created_at') or '?')}, expires "
        f"{clean(plan.get('expires_at') or '?')}",
        f"- way: {way}; {'it can be carried out' if plan.get('eligible') else 'it can NOT be carried out'}",
        f"- from: {_escaped(point)}",
    ]
    if plan.get("phrase"):
        lines.append(f"- phrase to be typed: `{clean(plan['phrase'])}`")
    for title, sentences in sections(plan):
        lines += ["", f"## {title[:1].upper()}{title[1:]}", ""]
        code = title in ("the same on the command line", "an administrator runs")
        lines += [f"    {text}" if code else f"- {_escaped(text)}" for text in sentences]
    for one in objects(plan, "dry_run")[:1]:
        lines += ["", "## Dry run", ""] if one else []
    for one in objects(plan, "dry_run"):
        would = one.get("would")
        told = would if isinstance(would, list | tuple) else [would]
        lines.append(f"- **{_escaped(clean(one.get('step') or ''))}** {_escaped('; '.join(map(clean, told)))}")
    return "\n".join(lines) + "\n"


def _escaped(text: str) -> str:
    """A cleaned text without meaning for Markdown."""
    return "".join("\\" + char if char in "\\`*_[]<>#|" else char for char in text)


def as_json(plan: Plan) -> str:
    """The whole plan for programs."""
    return json.dumps(plan, indent=2, sort_keys=True, ensure_ascii=True) + "\n"


def in_two(left: Sequence[Parts], right: Sequence[Parts], room: int) -> list[Parts]:
    """Two columns side by side, the left one `room` cells wide."""
    lines: list[Parts] = []
    for number in range(max(len(left), len(right))):
        first = list(left[number]) if number < len(left) else []
        used = sum(width(text) for text, _ in first)
        second = list(right[number]) if number < len(right) else []
        lines.append([*first, (" " * max(0, room - used), "text"), ("│", "rule"), *second])
    return lines
