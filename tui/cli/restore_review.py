"""A restore plan as text: whose machine and what is lost first, then everything that is decided about."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from tui import restore
from tui.cli.output import local_time
from tui.cli.restore_asking import say
from tui.dialogs import restore_lines as lines_of

Plan = Mapping[str, Any]
PROBLEMS = "problems"


def head(plan: Plan) -> list[str]:
    """Cloud, project, machine and what is lost; the way and the point; how long it can be carried out."""
    lost, _ = lines_of.lost_words(plan)
    way = str(plan["way"])
    point = "".join(text for text, _ in lines_of.point_parts(plan)[:-2]) if plan.get("point") else "no restore point"
    return [
        f"{restore.machine_words(plan['machine'])}   {lost}",
        f"{restore.WAY_WORDS.get(way, way)}: {restore.WAY_MEANING.get(way, '')}",
        f"from {point}",
        f"plan {plan['id']}, {_validity(plan)}",
    ]


def _validity(plan: Plan) -> str:
    until = local_time(plan["expires_at"]) or "?"
    if plan.get("executed_at"):
        return f"carried out {local_time(plan['executed_at'])}"
    if plan.get("expired"):
        return f"expired {until}: make a new one"
    left = (datetime.fromisoformat(plan["expires_at"]) - datetime.now(UTC)).total_seconds()
    return f"expires {until} (in {restore.span(left)})"


def write_review(plan: Plan, *, dry_run: bool) -> None:
    """Print the review; with `dry_run` what each step would do instead of their names."""
    for line in head(plan):
        say(line)
    # The page of the console and this text say the same; names have room here, and the dry run tells the steps.
    steps = ("steps", "if it fails or is cancelled before ")
    for title, sentences in lines_of.sections(plan):
        if dry_run and title.startswith(steps):
            continue
        mark = "x" if title == PROBLEMS else "!" if title == "warnings" else "-"
        shown = [_volume(disk) for disk in lines_of.objects(plan, "disks")] if title == "volumes" else sentences
        say()
        say(title)
        for sentence in shown:
            say(f"  {mark} {restore.told(sentence)}")
    if dry_run:
        _write_steps(plan)
    say()
    for line in end(plan):
        say(line)


def _write_steps(plan: Plan) -> None:
    """What every step would do, told from the plan alone."""
    for phase, title in (("do", "each step would"), ("undo", f"and, if it fails before {plan.get('commit') or '?'}")):
        found = [one for one in lines_of.objects(plan, "dry_run") if one.get("phase", "do") == phase]
        if found:
            say()
            say(title)
        width = max((len(str(one["step"])) for one in found), default=0)
        for place, one in enumerate(found, 1):
            say(f"  {place:2} {one['step']!s:<{width}}  {restore.told(one['would'])}")


def end(plan: Plan) -> list[str]:
    """What is to be done with the plan now."""
    if not plan["eligible"]:
        of_one = plan["way"] in restore.OF_ONE_DISK and not plan["request"]["volume_id"]
        named = ["name the disk with --volume"] if of_one and not plan.get("point") else []
        return ["it can NOT be carried out: " + "; ".join(lines_of.texts(plan, PROBLEMS)[:1] or ["see above"]), *named]
    if plan.get("executed_at"):
        return [f"it was carried out: `qdeck restore show {plan['id']}`"]
    found = []
    if plan.get("refused"):
        found.append(f"you may not carry it out: {restore.told(plan['refused'])}")
    if plan.get("dry_run_only"):
        found.append("restores are only planned in this cloud (restore.dry_run)")
    if not found:
        found.append(f"carry it out: qdeck restore execute {plan['id']} --watch")
        requires = plan.get("requires") or {}
        if requires.get("typed"):
            found.append(f"it asks to type: {requires['typed']}")
        asked = " and ".join(word for word in ("reason", "ticket") if requires.get(word))
        found += [f"it asks for a {asked}"] if asked else []
    return found


def _volume(disk: Plan) -> str:
    choice = str(disk.get("choice") or "")
    words = restore.CHOICE_WORDS.get(choice, choice)
    source = disk.get("source")
    if choice == "restore_point" and isinstance(source, Mapping):
        words = f"from the {source.get('kind')} of {restore.when(source.get('taken_at'), datetime.now(UTC))}"
        words += f" ({source.get('id')})"
    if (lost := restore.whole(disk.get("lost_seconds"))) is not None:
        words += f", {restore.span(lost)} old"
    note = f"; {disk['note']}" if disk.get("note") else ""
    id = f" {disk['volume_id']}" if disk.get("volume_id") else ""
    return f"{restore.disk_name(disk)} {disk.get('size_gb')} GB{id}: {words}{note}"
