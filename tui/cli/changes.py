"""The commands that change clouds, made from the declared actions: `qdeck do ACTION`, `qdeck server stop`, ..."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Annotated, Any

import typer

from store.types import registry
from store.types.actions import ACTIONS, ActionDeclaration, Option
from tui.cli.output import Format

Output = Annotated[Format, typer.Option("-o", "--output", help="How results are written to stdout.")]
Cloud = Annotated[str | None, typer.Option("--cloud", help="In this cloud.")]
Region = Annotated[str | None, typer.Option("--region", help="In this region.")]
Reason = Annotated[str, typer.Option("--reason", help="Why; kept in the audit and shown to others.")]
Ticket = Annotated[str, typer.Option("--ticket", help="Under which change, for example CHG1234.")]
FilterText = Annotated[str | None, typer.Option("--filter", help="All that pass: web status:error !name:test")]
Typed = Annotated[
    str | None, typer.Option("--yes-typed", metavar="TEXT", help="The phrase that the plan asks to type.")
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask, where no phrase is to be typed.")]
StopAfter = Annotated[int | None, typer.Option("--stop-after", min=1, help="Begin no more after so many failures.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only print the plan; change nothing.")]
PassLock = Annotated[bool, typer.Option("--pass-lock", help="Go through the lock of one machine.")]
Wait = Annotated[bool, typer.Option("--wait/--no-wait", help="Wait for the end, or only begin.")]
_PLACE: dict[str, Any] = {"cloud": (Cloud, None), "region": (Region, None)}
_WHY: dict[str, Any] = {
    "reason": (Reason, ""),
    "ticket": (Ticket, ""),
    "typed": (Typed, None),
    "yes": (Yes, False),
    "dry_run": (DryRun, False),
    "wait": (Wait, True),
    "output": (Output, Format.table),
}
_MANY: dict[str, Any] = {"filter": (FilterText, None), "pass_lock": (PassLock, False), "stop_after": (StopAfter, None)}
_OWN = frozenset((*_PLACE, *_WHY, *_MANY))

writes_commands = typer.Typer(help="Which clouds may be changed just now.", rich_markup_mode=None)


def register(app: typer.Typer, groups: Mapping[str, typer.Typer]) -> None:
    """Add these commands to the program's. `groups`: those of a type's name that others add; its verbs join them."""
    app.command("do")(do)
    app.command("actions")(actions)
    app.command("jobs")(jobs)
    app.add_typer(writes_commands, name="writes")
    for type in dict.fromkeys(action.type for action in ACTIONS.values()):
        declared = [action for action in ACTIONS.values() if action.type == type]
        verbs = ", ".join(action.verb for action in declared)
        title = registry.ALL[type].title
        group = groups.get(type) or typer.Typer(help=f"{title}: {verbs}.", no_args_is_help=True, rich_markup_mode=None)
        for action in declared:
            group.command(action.verb.replace("_", "-"), help=action.help or f"{action.title}.")(command_of(action))
        if type not in groups:
            app.add_typer(group, name=type.replace("_", "-"))


def complete_action(incomplete: str) -> list[str]:
    """Shell completion of actions."""
    return [id for id in ACTIONS if id.startswith(incomplete)]


def do(
    context: typer.Context,
    action: Annotated[str, typer.Argument(help="For example server.stop; `qdeck actions` lists them.",
                                          autocompletion=complete_action)],
    refs: Annotated[list[str] | None, typer.Argument(metavar="[REF]...", help="Ids or names; - reads stdin.")] = None,
    option: Annotated[list[str] | None, typer.Option("--option", help="name=value of the action; repeatable.")] = None,
    filter: FilterText = None,
    cloud: Cloud = None,
    region: Region = None,
    reason: Reason = "",
    ticket: Ticket = "",
    typed: Typed = None,
    yes: Yes = False,
    pass_lock: PassLock = False,
    stop_after: StopAfter = None,
    dry_run: DryRun = False,
    wait: Wait = True,
    output: Output = Format.table,
) -> None:  # fmt: skip
    """Change something: the plan is shown and confirmed, then carried out."""
    from tui.cli.acting import How, act, values_of
    from tui.cli.exits import USAGE, leave

    declared = ACTIONS.get(action)
    if declared is None:
        from difflib import get_close_matches

        near = get_close_matches(action, ACTIONS, n=2, cutoff=0.7)
        perhaps = f" ({' or '.join(near)}?)" if near else ""
        leave(USAGE, f"there is no action {action}{perhaps}; `qdeck actions` lists them")
    how = How(
        filter, cloud, region, reason, ticket, typed, yes, pass_lock, stop_after, dry_run, wait, output
    )  # fmt: skip
    act(context.obj, declared, refs or [], values_of(declared, option or []), how)


def command_of(action: ActionDeclaration) -> Callable[..., None]:
    """The function of an action's own command: its signature is what the command parser reads."""
    own = {option.name: option for option in action.options if option.name not in _OWN}
    first = next((option for option in own.values() if option.required), None) if action.creates else None

    def command(context: typer.Context, **given: Any) -> None:
        from tui.cli.acting import How, act, value_of

        how = How(**{name: given.pop(name) for name in list(given) if name in _OWN})
        refs = given.pop("refs", None) or []
        values = {
            name: value if isinstance(value, bool | int) else value_of(own[name], value)
            for name, value in given.items()
            if value is not None
        }
        act(context.obj, action, refs, values, how)

    shared = {**_PLACE, **_WHY} if action.creates else {**_MANY, **_PLACE, **_WHY}
    kinds: dict[str, Any] = {"context": (typer.Context, inspect.Parameter.empty)}
    if not action.creates:
        help = "Ids, starts of ids, or names; - reads them from stdin."
        kinds["refs"] = (Annotated[list[str] | None, typer.Argument(metavar="[REF]...", help=help)], None)
    for name, option in own.items():
        kinds[name] = _parameter(option, positional=option is first)
    kinds |= shared
    order = sorted(kinds, key=lambda name: kinds[name][1] is not inspect.Parameter.empty)
    parameters = [
        inspect.Parameter(
            name, inspect.Parameter.POSITIONAL_OR_KEYWORD, default=kinds[name][1], annotation=kinds[name][0]
        )
        for name in order
    ]
    command.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    command.__annotations__ = {name: kinds[name][0] for name in order}
    return command


def _parameter(option: Option, *, positional: bool) -> tuple[Any, Any]:
    """(annotation, default) of an action's option."""
    help = option.help or f"{option.title}."
    if option.choices:
        help = f"{help} {', '.join(option.choices)}."
    if option.default is not None:
        help += f" [default: {str(option.default).lower() if option.kind == 'bool' else option.default}]"
    if positional:
        return Annotated[str, typer.Argument(metavar=option.name.upper(), help=help)], inspect.Parameter.empty
    flag = f"--{option.name.replace('_', '-')}"
    if option.kind == "bool":
        both = f"{flag}/--no-{option.name.replace('_', '-')}"
        return Annotated[bool | None, typer.Option(both, help=help, show_default=False)], None
    if option.kind == "number":
        declared = typer.Option(flag, help=help, min=option.minimum, max=option.maximum, show_default=False)
        kind: Any = int
    else:
        declared, kind = typer.Option(flag, help=help, show_default=False), str
    if option.required and option.default is None:
        return Annotated[kind, declared], inspect.Parameter.empty
    return Annotated[kind | None, declared], None


def actions(
    context: typer.Context,
    type_: Annotated[str | None, typer.Argument(metavar="[TYPE]", help="Only those of this type.")] = None,
    output: Output = Format.table,
) -> None:
    """List what can be done to resources, and whether your role may."""
    from tui.cli.jobs import actions as work

    work(context.obj, type_, output)


def jobs(
    context: typer.Context,
    job: Annotated[str | None, typer.Argument(metavar="[JOB]", help="Number or id; all of them without.")] = None,
    verb: Annotated[str | None, typer.Argument(metavar="[follow|cancel|retry]", help="What to do with it.")] = None,
    state: Annotated[list[str] | None, typer.Option("--state", help="Only these: running, failed, ...")] = None,
    by: Annotated[str | None, typer.Option("--by", help="Only those that this person began.")] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=1000, help="At most so many.")] = 50,
    wait: Annotated[bool, typer.Option("--wait/--no-wait", help="Wait for the end of a retry.")] = True,
    output: Output = Format.table,
) -> None:
    """List jobs, show one with its steps, follow or cancel it, or try again what was not done."""
    from tui.cli import jobs as work

    if job is None:
        work.listed(context.obj, state or [], by, limit, output)
    else:
        work.one(context.obj, job, verb, wait, output)


@writes_commands.callback(invoke_without_command=True)
def writes(context: typer.Context, output: Output = Format.table) -> None:
    """List which clouds may be changed just now, and what changes of them need."""
    if context.invoked_subcommand is None:
        from tui.cli.jobs import writes as work

        work(context.obj, output)


@writes_commands.command("lift")
def lift(
    context: typer.Context,
    cloud: Annotated[str, typer.Argument(metavar="CLOUD")],
    minutes: Annotated[int | None, typer.Option("--minutes", min=1, max=1440, help="For so long.")] = None,
    reason: Reason = "",
    typed: Typed = None,
) -> None:
    """Let a cloud be changed for a time; it becomes read-only again by itself."""
    from tui.cli.jobs import lift as work

    work(context.obj, cloud, minutes, reason, typed)


@writes_commands.command("end")
def end(context: typer.Context, cloud: Annotated[str, typer.Argument(metavar="CLOUD")]) -> None:
    """Make a cloud read-only again at once."""
    from tui.cli.jobs import end as work

    work(context.obj, cloud)
