"""Questions that ask for an action: its plan or form is offered, filled in. Nothing is changed by asking."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass, replace

from copilot.answering.wording import clean
from copilot.answers import Answer, Key, Named, Proposal, Shown, Table
from copilot.execution.run import run
from copilot.grammar.asking_back import asked_back
from copilot.grammar.assembling import assemble
from copilot.grammar.confidence import unknown_words
from copilot.grammar.finishing import finish
from copilot.grammar.frames import Frame
from copilot.grammar.items import Item
from copilot.grammar.lexicon import lexicon
from copilot.model.registry import entity
from copilot.reading import Ambiguity
from copilot.topics import acting_words as known
from copilot.topics.acting_values import created, values_of
from copilot.topics.requests import Request, asked_how, request_of
from copilot.topics.topic import Asked, Topic
from store.types.actions import ACTIONS

INTENT = "action"
MOST_TARGETS = 200  # rows of an answer, and so keys of a proposal
_MOST_IN_COMMAND = 8
_GIVES = ("attach", "associate", "detach", "disassociate")  # one thing to another: the first is what is spoken of
_NEAR = 0.5  # score of a name from which on it is offered for one that there is not


@dataclass(frozen=True, slots=True)
class Targets:
    """What an action shall be done to. `unread`: words of which nothing was made."""

    type: str
    named: tuple[Named, ...] = ()
    unread: tuple[str, ...] = ()
    said: tuple[str, ...] = ()
    table: Table | None = None
    shown: tuple[Shown, ...] = ()


def _items(asked: Asked) -> tuple[Item, ...]:
    """The items; "snapshot web-03" is no snapshot that is called somewhat like it when a machine is called so."""
    for number, item in enumerate(asked.items):
        verb, _, name = item.said.partition(" ")
        if not (item.named and not item.exact and name and verb in ("snapshot", "backup", "restore")):
            continue
        meant = tuple(asked.names.exact(name, ("server", "volume")))
        if meant:
            split = (
                Item(item.start, item.start + 1, verb, lexicon().get((verb,)), said=verb),
                Item(item.start + 1, item.end, item.text.partition(" ")[2], named=meant, said=name),
            )
            return (*asked.items[:number], *split, *asked.items[number + 1 :])
    return asked.items


def claims(asked: Asked) -> float:
    """A request stands at the beginning of a question, so that "was it deleted" is none."""
    return 1.0 if request_of(_items(asked)) is not None or asked_how(asked.items) is not None else 0.0


def answer(asked: Asked) -> Answer | None:
    """A proposal; or what is asked back; or that there is no such action."""
    request = request_of(_items(asked))
    if request is None:
        how = asked_how(asked.items)
        return None if how is None else _how(how, asked)
    if (pane := _pane(request, asked)) is not None:
        return pane
    if request.verb == "create":
        return _create(request, asked)
    values, rest = values_of(request, asked.question, asked.context.zone)
    found = _targets(request, rest, asked)
    if isinstance(found, Answer):
        return found
    if _declared(request.verb, found.type) == "":
        return _all_of(request, found) or _declined(request, found)
    return _proposed(request, found, values)


def _declared(verb: str, type: str) -> str:
    """The action's id; "restore" is a plan of its own."""
    if verb == "restore" and type in ("server", "volume"):
        return "restore"
    return f"{type}.{verb}" if f"{type}.{verb}" in ACTIONS else ""


# What it shall be done to


def _targets(request: Request, rest: Sequence[Item], asked: Asked) -> Targets | Answer:
    parse = assemble([replace(item) for item in rest], asked.names, asked.context.selected)
    if parse.ambiguous:
        return asked_back(replace(asked, parse=parse))
    them = _them(rest, asked)
    if them is not None:
        return _listed(them, (), request, asked)
    if parse.head is None and parse.subject:
        alike = _alike(rest)
        if alike is not None:
            return asked_back(replace(asked, parse=replace(parse, ambiguous=[alike])))
        return _named(tuple(dict.fromkeys(parse.subject)), unknown_words(parse), request)
    frame = finish(parse, asked.context)
    left = unknown_words(parse)
    every = any(item.is_concept("all") for item in rest)
    if frame is None or (not _is_set(frame) and (left or not every)):
        return _unknown(request, rest, left, asked)
    return _listed(frame, left, request, asked)


def _alike(rest: Sequence[Item]) -> Ambiguity | None:
    """Several of one name: a list may show them all, an action is done to the one that is meant."""
    for item in rest:
        names = {one.name.casefold() for one in item.named}
        types = {one.type for one in item.named}
        if len(item.named) > 1 and len(names) == len(types) == 1 and item.said not in ("this", "these", "those"):
            return Ambiguity(item.named[0].typed or item.text, item.named)
    return None


def _is_set(frame: Frame) -> bool:
    """Whether anything limits it: "stop web-99" must not become all machines."""
    return bool(frame.pieces or frame.predicate)


def _them(rest: Sequence[Item], asked: Asked) -> Frame | None:
    """ "start them" behind a list."""
    content = [item for item in rest if not item.only(("filler", "all"))]
    if len(content) != 1 or content[0].named or not content[0].is_concept("them"):
        return None
    turns = asked.context.turns
    frame = turns[-1].frame if turns else None
    return frame if isinstance(frame, Frame) and entity(frame.entity).type is not None else None


def _named(named: tuple[Named, ...], left: tuple[str, ...], request: Request) -> Targets | Answer:
    fitting = [one for one in named if _declared(request.verb, one.type)]
    kept = tuple(one for one in (fitting or named) if one.type == (fitting or named)[0].type)
    return Targets(kept[0].type, kept, left)


def _listed(frame: Frame, left: tuple[str, ...], request: Request, asked: Asked) -> Targets | Answer:
    one = entity(frame.entity)
    if not _declared(request.verb, frame.entity):
        return Targets(frame.entity, (), left)
    query = replace(frame, form="list", columns=(), group=(), counted=(), measure=type(frame.measure)()).query()
    result = run(query, asked.sources, asked.context.now)
    told = tuple(piece.words for piece in (*frame.pieces, *frame.predicate))
    if result.total == 0:
        text = f"There are no {one.plural}{_which(told)}, so there is nothing to {_said(request.verb)}."
        return Answer("apology", text, intent=INTENT, confidence=0.9, frame=frame)
    if result.total > MOST_TARGETS:
        text = f"These are {result.total:,} {one.plural}; one plan takes at most {MOST_TARGETS}. Say which of them."
        return Answer("apology", text, intent=INTENT, confidence=0.9)
    named = tuple(
        Named(type, key, str(row.get(one.name_column) or key[2]))
        for (type, key), row in zip(result.keys, result.rows, strict=True)
    )
    table = Table(result.columns, result.rows, result.total, result.keys)
    return Targets(frame.entity, named, left, told, table, (Shown(result.sql),))


def _which(told: Sequence[str]) -> str:
    return f" ({', '.join(clean(one) for one in told)})" if told else ""


def _unknown(request: Request, rest: Sequence[Item], left: Sequence[str], asked: Asked) -> Answer:
    """Nothing is called so, or nothing was named at all: say what would help."""
    said = _said(request.verb)
    typed = next((item.value or item.text for item in rest if item.senses is None and not item.named), "")
    if not typed:
        text = f"What shall be done is clear ({said}), but not to what: name it, or mark it in a list and ask again."
        return Answer("ask_back", text, intent=INTENT, confidence=0.5, unknown=tuple(left))
    types = [action.type for action in ACTIONS.values() if action.verb == request.verb] or ["server"]
    near = [one for one, score in asked.names.fuzzy(typed, types) if score >= _NEAR]
    if not near:
        text = f"Nothing that can be meant is called {clean(typed)!r}, so there is nothing to {said}."
        return Answer("apology", text, intent=INTENT, confidence=0.5, unknown=(typed,))
    choices = tuple(asked.question.replace(typed, one.name, 1) for one in near)
    text = f"Nothing is called {clean(typed)!r}. The nearest names are {', '.join(clean(one.name) for one in near)}."
    return Answer("ask_back", text, intent=INTENT, confidence=0.5, choices=choices, named=tuple(near))


# What is offered


def _proposed(request: Request, targets: Targets, values: tuple[tuple[str, str], ...]) -> Answer:
    one, count = entity(targets.type), len(targets.named)
    what = f"{one.singular} {clean(targets.named[0].name)}" if count == 1 else f"{count} {one.plural}"
    label = f"{_said(request.verb)} {what}"
    if request.verb == "restore" and count > 1:
        text = f"A restore is planned for one at a time; these are {what}. In the list, mark them and press R."
        return Answer("apology", text, intent=INTENT, confidence=0.9, named=targets.named, table=targets.table)
    proposal = Proposal(
        "prefill",
        f"{label}...",
        _declared(request.verb, targets.type),
        targets.type,
        keys=tuple(named.key for named in targets.named),
        values=values,
        command=_command(request.verb, targets, values),
    )
    form = "plan" if request.verb == "restore" else "form"
    if request.verb == "restore" and any(name == "at" for name, _ in values):
        at = next(clean(value) for name, value in values if name == "at")
        text = (
            f"To {label}{_which(targets.said)}: the plan opens with the newest restore point taken by {at} chosen, "
            "where there is one. Nothing was changed by asking."
        )
        return _offered(text, targets, proposal)
    with_ = f", with {', '.join(f'{name} {clean(value)}' for name, value in values)}" if values else ""
    text = f"To {label}{_which(targets.said)}: the {form} opens filled in{with_}. Nothing was changed by asking."
    when = next((item.period for item in request.rest if item.period), None)
    if when is not None and request.verb != "restore":
        text += " It is done once it is confirmed, not at another time."
    return _offered(text, targets, proposal)


def _offered(text: str, targets: Targets, proposal: Proposal) -> Answer:
    return Answer(
        "proposal",
        text,
        intent=INTENT,
        confidence=0.97 * 0.55 ** len(targets.unread),
        unknown=targets.unread,
        proposals=(proposal,),
        named=targets.named[:MOST_TARGETS],
        table=targets.table,
        shown=targets.shown,
    )


def _command(verb: str, targets: Targets, values: Sequence[tuple[str, str]]) -> str:
    if len(targets.named) > _MOST_IN_COMMAND:
        return ""
    names = [named.name for named in targets.named]
    refs = names if len(set(names)) == len(names) else [named.key[2] for named in targets.named]
    quoted = " ".join(shlex.quote(clean(ref, 255)) for ref in refs)
    if verb == "restore":
        target = quoted if targets.type == "server" else f"MACHINE --volume {quoted}"
        return f"qdeck restore plan {target}" + "".join(f" --{name} {shlex.quote(value)}" for name, value in values)
    options = "".join(f" --option {name}={shlex.quote(value)}" for name, value in values)
    return f"qdeck do {_declared(verb, targets.type)} {quoted}{options}"


def _said(verb: str) -> str:
    return known.SAID.get(verb, verb)


def _declined(request: Request, targets: Targets) -> Answer:
    """There is no such action here; what there is, and the thing itself."""
    said = request.said or _said(request.verb)
    type = next((n for item in request.rest if not item.named for n in item.entities[:1]), targets.type)
    one = entity(type if request.verb in _GIVES else targets.type)
    can = [action.verb for action in ACTIONS.values() if action.type == one.name]
    instead = known.INSTEAD.get(request.verb) or (
        f"what it can do to {one.plural} is {', '.join(can)}" if can else f"it only shows {one.plural}"
    )
    text = f"There is no action here to {said} {one.plural}: {instead}. Use the cloud's own tools for it."
    opens = tuple(
        Proposal("open", f"open {clean(named.name)}", type=named.type, keys=(named.key,))
        for named in targets.named[:3]
        if entity(named.type).type is not None
    )
    return Answer("apology", text, intent=INTENT, confidence=0.9, proposals=opens, named=targets.named)


def _all_of(request: Request, targets: Targets) -> Answer | None:
    """A project is no machine; its machines may be meant."""
    if targets.type != "project" or not targets.named or _declared(request.verb, "server") in ("", "restore"):
        return None
    name = targets.named[0].name
    text = f"{clean(name)} is a project; a project can't be asked to {_said(request.verb)}. Are all its servers meant?"
    choices = (f"{request.verb} all servers in project {name}",)
    return Answer("ask_back", text, intent=INTENT, confidence=0.5, choices=choices, named=targets.named)


def _how(request: Request, asked: Asked) -> Answer | None:
    """ "how do I stop a vm": where it is done."""
    types = [name for item in request.rest for name in (*(one.type for one in item.named), *item.entities)]
    if not types or entity(types[0]).type is None:
        return None
    one = entity(types[0])
    id = _declared(request.verb, one.name)
    if not id:
        return _declined(request, Targets(one.name))
    command = "qdeck restore start MACHINE" if id == "restore" else f"qdeck do {id} {'' if _creates(id) else 'NAME'}"
    text = (
        f"To {_said(request.verb)} {one.plural}: press x in their list, ask for it here "
        f"({_said(request.verb)} NAME), or use `{command.strip()}`. A plan is shown before anything is done."
    )
    return Answer("answer", text, intent=INTENT, confidence=0.7)


def _creates(id: str) -> bool:
    return id in ACTIONS and ACTIONS[id].creates


def _create(request: Request, asked: Asked) -> Answer:
    type, values, command, unread = created(request, asked.question)
    if not type and any(item.quantity is not None for item in request.rest):  # "add 2 vcpus to web-03"
        return _declined(replace(request, verb="resize", said="resize"), Targets("server", asked.of_type("server")))
    if type in ("snapshot_policy", "note"):
        pane = {"snapshot_policy": "policies", "note": "notes"}[type]
        return _at_pane(pane, f"add a {entity(type).singular}", "", asked)
    if not type or f"{type}.create" not in ACTIONS:
        plural = entity(type).plural if type else "such things"
        text = f"There is no action here to create {plural}: {known.INSTEAD['create']}. Use the cloud's own tools."
        return Answer("apology", text, intent=INTENT, confidence=0.9, unknown=unread)
    label = f"create {entity(type).singular} {clean(dict(values).get('name', ''))}".strip()
    proposal = Proposal("prefill", f"{label}...", f"{type}.create", type, values=values, command=command)
    said = [f"{name} {clean(value)}" for name, value in values if name not in ("name", "project")]
    with_ = f" with {', '.join(said)}" if said else ""
    text = f"To {label}: the form opens filled in{with_}. Nothing was changed by asking."
    confidence = 0.95 * 0.55 ** len(unread)
    return Answer("proposal", text, intent=INTENT, confidence=confidence, proposals=(proposal,), unknown=unread)


def _pane(request: Request, asked: Asked) -> Answer | None:
    """What is done on a page of its own: acknowledging drift, reading the clouds anew."""
    if request.verb not in known.PANES:
        return None
    said = " ".join(item.said for item in request.rest)
    fits = {
        "acknowledge": asked.topics("drift") or any("drift_event" in item.entities for item in request.rest),
        "ignore": asked.topics("drift") or any("drift_event" in item.entities for item in request.rest),
        "exclude": "snapshot" in said or "polic" in said or "protection" in said or "backup" in said,
        "cancel": "job" in said or "restore" in said or "run" in said,
        "retry": "job" in said or "restore" in said or "run" in said,
        "collect": not any(one.type == "server" for one in asked.named) or not request.rest,
    }
    if not fits[request.verb]:
        return None
    pane, label, command = known.PANES[request.verb]
    return _at_pane(pane, label, command, asked)


def _at_pane(pane: str, label: str, command: str, asked: Asked) -> Answer:
    keys: tuple[Key, ...] = tuple(one.key for one in asked.named if entity(one.type).type is not None)[:1]
    proposal = Proposal("pane", f"{label}...", pane, keys=keys if pane == "notes" else (), command=command)
    text = f"To {label}, open this page{f' or use `{command}`' if command else ''}. Nothing was changed by asking."
    return Answer("proposal", text, intent=INTENT, confidence=0.9, proposals=(proposal,))


TOPIC = Topic(INTENT, claims, answer)
