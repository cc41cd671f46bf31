"""Making plans: every target is read live and judged; what is told to people, and what the plan relies on."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from engine.gate import live, rules
from engine.gate.models import Check, Context, Key, Operation, Sessions, Target
from engine.gate.targets import Seen
from engine.gate.windows import WriteWindows
from store.types import registry

_MOST_WARNINGS = 20


@dataclass(frozen=True, slots=True)
class Judged:
    """One target with what the gate and the operation say of it. `code` as those of Refused; "" when nothing is wrong.

    relied  what the plan relies on, of this target
    """

    target: Target
    check: Check = field(default_factory=Check)
    code: str = ""
    problem: str | None = None
    relied: Mapping[str, Any] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        """Whether it will be done."""
        return self.problem is None


class Judge:
    """Says of each target whether it may be touched. Asks, and changes nothing."""

    def __init__(self, sessions: Sessions, windows: WriteWindows, held: Callable[[str, Key, str], str | None]) -> None:
        """`held(type, key, but)`: the sentence for a target that another plan than `but` works on."""
        self._sessions = sessions
        self._windows = windows
        self._held = held

    def judge(
        self,
        operation: Operation,
        seen: Seen,
        options: Mapping[str, Any],
        place: tuple[int, int],
        now: datetime,
        *,
        passed: bool = False,
        plan_id: str = "",
    ) -> Judged:
        """`place`: (number, count) of the target; `passed`: its lock does not count."""
        target = seen.target
        if seen.problem:
            return Judged(target, code=seen.code, problem=seen.problem)
        try:
            context = self.context(target, *place)
            check = operation.check(context, target, options)
            idle = operation.already is not None and operation.already(context, target, options)
        except Exception as error:  # whatever the operation asked its cloud in vain
            return Judged(target, code="cloud", problem=f"{target.cloud} could not be asked: {error}")
        relied = rules.relied(target.doc, operation.relies_on, check.relies_on)
        code, problem = self._against(operation, target, now, passed, plan_id)
        if code in ("", "locked"):
            # What would refuse it all the same is said first: a lock can be passed.
            if check.problem:
                code, problem = "refused", check.problem
            elif idle:
                code, problem = "refused", f"nothing is left to do: {target.name} is so already"
        return Judged(target, check, code, problem, relied)

    def context(self, target: Target, number: int = 1, count: int = 1, **more: Any) -> Context:
        """What the operation's functions are given."""
        get = live.getter(self._sessions, target.cloud, target.region, target.project_id)
        return Context(target.cloud, target.region, get, number, count, **more)

    def _against(
        self, operation: Operation, target: Target, now: datetime, passed: bool, plan_id: str
    ) -> tuple[str, str | None]:
        if problem := rules.hands_off_problem(self._windows.rules(target.cloud), target, now):
            return "hands_off", problem
        destroys = operation.declaration.danger == "destructive"
        if destroys and (problem := rules.protection_problem(target.doc, target.name)):
            return "protected", problem
        if target.id and (problem := self._held(target.type, target.key, plan_id)):
            return "held", problem
        if not operation.passes_locks and not passed and (problem := rules.lock_problem(target.doc, target.name)):
            return "locked", problem
        return "", None


def items(operation: Operation, judged: Sequence[Judged]) -> list[dict[str, Any]]:
    """The plan's items, as the API answers them."""
    return [
        {
            "key": list(one.target.key),
            "name": one.target.name,
            "project_name": one.target.project_name,
            "cloud": one.target.cloud,
            "state": str(one.target.doc.get("status") or ""),
            "ok": one.ok,
            "code": one.code or None,
            "problem": one.problem,
            "override": _override(one) if passable(operation, judged) else None,
            "changes": [{"field": c.field, "from": c.before, "to": c.after} for c in one.check.changes],
            "lost": list(one.check.lost),
        }
        for one in judged
    ]


def passable(operation: Operation, judged: Sequence[Judged]) -> bool:
    """Whether a lock may be passed: only of a single target, never in bulk."""
    return len(judged) == 1 and judged[0].code == "locked" and not operation.passes_locks


def _override(one: Judged) -> str:
    name = rules.typable(one.target.name, one.target.id)
    return f"passing the lock is a decision of its own: type {name} to do it all the same"


def title(operation: Operation, judged: Sequence[Judged]) -> str:
    """What the plan does, for people."""
    declaration = operation.declaration
    if len(judged) == 1:
        return f"{declaration.title} {judged[0].target.name}"[:200]
    return f"{declaration.title} {len(judged)} {registry.ALL[declaration.type].plural.replace('_', ' ')}"


def requires(operation: Operation, judged: Sequence[Judged], windows: WriteWindows) -> dict[str, Any]:
    """What has to be given with the execution."""
    doing = [one.target for one in judged if one.ok or passable(operation, judged)]
    clouds = sorted({target.cloud for target in doing})
    own = [windows.rules(cloud) for cloud in clouds]
    production = [cloud for cloud, one in zip(clouds, own, strict=True) if one.production]
    names = [rules.typable(target.name, target.id) for target in doing]
    plural = registry.ALL[operation.declaration.type].plural
    typed = rules.phrase(operation.declaration, names, production, plural)
    return {
        "reason": any(one.reason_required for one in own),
        "ticket": any(one.ticket_required for one in own),
        "ticket_pattern": next((one.ticket_pattern for one in own if one.ticket_pattern), None),
        "typed": typed,
        "override": " ".join([*production, names[0]]) if passable(operation, judged) else None,
    }


def warnings(judged: Sequence[Judged], windows: WriteWindows, more: Iterable[str]) -> list[str]:
    """What a person should know before: read-only clouds, what the operation says, the same once."""
    found = list(more)
    for cloud in sorted({one.target.cloud for one in judged}):
        if not windows.state(cloud)[0]:
            found.append(f"{cloud} is read-only: lift that before the plan is carried out")
    found += [sentence for one in judged if one.ok for sentence in one.check.warnings]
    unique = list(dict.fromkeys(found))
    left = len(unique) - _MOST_WARNINGS
    return unique if left <= 0 else [*unique[:_MOST_WARNINGS], f"and {left} more of this kind"]


def together(operation: Operation, judged: Sequence[Judged], options: Mapping[str, Any]) -> list[str]:
    """What the operation says of all targets at once."""
    found = [(one.target, one.check) for one in judged if one.ok]
    if operation.together is None or not found:
        return []
    try:
        return list(operation.together(found, options))
    except Exception as error:  # whatever it asked its cloud in vain
        return [f"what it means for all of them together could not be looked at: {error}"]


def numbered(judged: Sequence[object], places: Sequence[tuple[int, int]] = ()) -> list[tuple[int, int]]:
    """(number, count) of each: as given, else from 1. A retry keeps those that its targets had."""
    return list(places) or [(number, len(judged)) for number in range(1, len(judged) + 1)]


def commands(
    operation: Operation,
    judged: Sequence[Judged],
    options: Mapping[str, Any],
    sessions: Sessions,
    judge: Judge,
    places: Sequence[tuple[int, int]] = (),
) -> list[str]:
    """The same in the words of the `openstack` command, for what is going to be done."""
    if operation.commands is None:
        return []
    heads: dict[tuple[str, str], list[str]] = {}
    found = []
    for one, (number, count) in zip(judged, numbered(judged, places), strict=True):
        if one.ok or passable(operation, judged):
            place = one.target.key[:2]
            head = heads[place] = heads.get(place) or _head(sessions, *place)
            context = judge.context(one.target, number, count)
            found += [shlex.join([*head, *map(str, args)]) for args in operation.commands(context, one.target, options)]
    return found


def _head(sessions: Sessions, cloud: str, region: str) -> list[str]:
    head = ["openstack", "--os-cloud", sessions.account(cloud, "admin") or cloud]
    return [*head, "--os-region-name", region] if region and len(sessions.regions(cloud)) > 1 else head


def steps(
    operation: Operation, judged: Sequence[Judged], doing: Sequence[Judged], places: Sequence[tuple[int, int]] = ()
) -> list[dict[str, Any]]:
    """The job's steps: one for each target of `doing`."""
    verb = operation.declaration.title
    chosen = {id(one) for one in doing}
    return [
        {
            "name": f"{verb} {one.target.name}"[:200],
            "key": list(one.target.key) if one.target.id else None,
            "target": one.target.name,
            "args": {
                "key": list(one.target.key),
                "type": one.target.type,
                "name": one.target.name,
                "project_id": one.target.project_id,
                "project_name": one.target.project_name,
                "host": one.target.host,
                "number": number,
                "of": count,
                "row": {} if one.target.id else rows_of(one.target),
            },
        }
        for one, (number, count) in zip(judged, numbered(judged, places), strict=True)
        if id(one) in chosen
    ]


def rows_of(target: Target) -> dict[str, Any]:
    """The rows that a create was given for its resource options, as JSON."""
    return {name: {**row, "key": list(row["key"])} for name, row in target.row.items() if "key" in row}


def target_of(args: Mapping[str, Any]) -> Target:
    """The target of a step, from its arguments."""
    cloud, region, id = args["key"]
    row = {name: {**one, "key": tuple(one["key"])} for name, one in (args.get("row") or {}).items()}
    names = ("project_id", "project_name", "host")
    return replace(
        Target(args["type"], (cloud, region, id), args["name"], row=row), **{name: args.get(name, "") for name in names}
    )


def differences(before: Mapping[str, Mapping[str, Any]], judged: Sequence[Judged]) -> list[str]:
    """Sentences about what is not as it was when the plan was made; [] when nothing is. `before`: `relied` by key."""
    found = []
    for one in judged:
        was = before.get(key_text(one.target.key), {})
        if one.problem:
            found.append(one.problem)
        for change in rules.differences(one.target.key, one.target.name, was, plain(one.relied)) if one.relied else ():
            found.append(f"{change['name']}: {change['field']} was {_shown(change['from'])}, is {_shown(change['to'])}")
    return list(dict.fromkeys(found))


def plain(relied: Mapping[str, Any]) -> Any:
    """As it comes back out of JSON."""
    import json

    return json.loads(json.dumps(relied, default=str))


def key_text(key: Sequence[str]) -> str:
    """A key as one text."""
    return "\x1f".join(key)


def _shown(value: Any) -> str:
    return "nothing" if value is None or value == "" else str(value)[:80]
