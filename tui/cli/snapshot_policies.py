"""`qdeck snapshot policies`, `sets`, `assign`, `exclude`, `why`, `due`: their arguments. What they do is in
snapshot_rules.py (policies, sets, what is due) and snapshot_given.py (assignments, exclusions)."""

from __future__ import annotations

from typing import Annotated

import typer

from tui.cli.output import Format

Output = Annotated[Format, typer.Option("-o", "--output", help="How results are written to stdout.")]
Cloud = Annotated[str | None, typer.Option("--cloud", help="Only this cloud.")]
Region = Annotated[str | None, typer.Option("--region", help="Only this region.")]
Volume = Annotated[str, typer.Argument(metavar="VOLUME", help="Id, start of an id, or name.")]
Name = Annotated[str, typer.Argument(metavar="NAME", help="Of the policy.")]
Set = Annotated[str, typer.Argument(metavar="SET", help="Number or name of the set.")]
Schedule = Annotated[
    str | None,
    typer.Option(
        "--schedule",
        help='"daily 02:00", "weekly sun 03:00", "monthly 1 04:00", "monthly L", hourly, or five cron fields.',
    ),
]
Zone = Annotated[str | None, typer.Option("--timezone", help="Zone of the schedule, like Europe/Berlin.")]
Keep = Annotated[int | None, typer.Option("--keep", min=1, max=1000, help="Restore points kept of one volume.")]
Jitter = Annotated[
    int | None, typer.Option("--jitter", min=0, max=1440, help="Runs begin up to so many minutes later.")
]
CatchUp = Annotated[
    str | None,
    typer.Option("--catch-up", metavar="HOURS", help="How late a missed one is still made; none: until the next."),
]
Window = Annotated[
    str | None,
    typer.Option("--window", metavar="HOURS", help="How old the newest may be; none: as the schedule says."),
]
Method = Annotated[
    str | None, typer.Option("--method", help="volume, or server: all volumes of a machine as one restore point.")
]
GroupType = Annotated[str | None, typer.Option("--group-type", help="Cinder group type whose groups may be used.")]
Enabled = Annotated[bool | None, typer.Option("--on/--off", help="Whether it is made.", show_default=False)]
Description = Annotated[str | None, typer.Option("--description", help="For others.")]
Policies = Annotated[
    list[str] | None,
    typer.Option("--policy", metavar="NAME[:KEEP]", help="A policy, and how many it keeps here; may be repeated."),
]
Everything = Annotated[bool | None, typer.Option("--global/--no-global", help="For everything.", show_default=False)]
Tenant = Annotated[str | None, typer.Option("--tenant", help="Only this tenant: name or id.")]
Match = Annotated[
    list[str] | None,
    typer.Option(
        "--match",
        metavar="KEY=VALUE",
        help="volume_type=ssd,nvme, volume_name_prefix=, volume_name_contains=, bootable=yes, min_size_gb=, "
        "max_size_gb=, tenant_name=, domain_name=, metadata_equals=KEY:VALUE; may be repeated, all must hold.",
    ),
]
Priority = Annotated[int | None, typer.Option("--priority", min=0, help="Of equally specific sets the smaller wins.")]
Active = Annotated[bool | None, typer.Option("--active/--inactive", help="Whether it counts.", show_default=False)]
Preview = Annotated[bool, typer.Option("--preview", help="Only say which volumes it takes and what it costs.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
Reason = Annotated[str, typer.Option("--reason", help="Why; others see it.")]
Until = Annotated[
    str | None, typer.Option("--until", help="Until then: 2h, 18:00, sunday 6:00; for good unless given.")
]


def register(group: typer.Typer) -> None:
    """Add these commands to the group."""
    group.add_typer(policy_commands, name="policies")
    group.add_typer(set_commands, name="sets")
    for name, command in (
        ("assign", assign), ("assignments", assignments), ("exclude", exclude), ("exclusions", exclusions),
        ("why", why), ("due", due),
    ):  # fmt: skip
        group.command(name)(command)


policy_commands = typer.Typer(
    help="When restore points are made, and how many are kept.", invoke_without_command=True, rich_markup_mode=None
)
set_commands = typer.Typer(
    help="Which volumes have which policies: the most specific set that matches decides alone.",
    invoke_without_command=True,
    rich_markup_mode=None,
)


@policy_commands.callback()
def policies(context: typer.Context, output: Output = Format.table) -> None:
    """List policies, also names in use that nobody made."""
    if context.invoked_subcommand is None:
        from tui.cli.snapshot_rules import policies as work

        work(context.obj, output)


@policy_commands.command("add")
def add_policy(
    context: typer.Context,
    name: Name,
    schedule: Annotated[str, typer.Option("--schedule", help='As "daily 02:00", or five cron fields.')],
    timezone: Zone = None,
    keep: Keep = None,
    jitter: Jitter = None,
    catch_up: CatchUp = None,
    window: Window = None,
    method: Method = None,
    group_type: GroupType = None,
    enabled: Enabled = None,
    description: Description = None,
    output: Output = Format.table,
) -> None:
    """Make a policy."""
    from tui.cli.snapshot_rules import save_policy

    given = {"schedule": schedule, "timezone": timezone, "keep": keep, "jitter_minutes": jitter, "method": method,
             "group_type": group_type, "enabled": enabled, "description": description}  # fmt: skip
    save_policy(context.obj, name, given, catch_up, window, output, new=True)


@policy_commands.command("set")
def set_policy(
    context: typer.Context,
    name: Name,
    schedule: Schedule = None,
    timezone: Zone = None,
    keep: Keep = None,
    jitter: Jitter = None,
    catch_up: CatchUp = None,
    window: Window = None,
    method: Method = None,
    group_type: GroupType = None,
    enabled: Enabled = None,
    description: Description = None,
    output: Output = Format.table,
) -> None:
    """Change a policy; what is not given stays."""
    from tui.cli.snapshot_rules import save_policy

    given = {"schedule": schedule, "timezone": timezone, "keep": keep, "jitter_minutes": jitter, "method": method,
             "group_type": group_type, "enabled": enabled, "description": description}  # fmt: skip
    save_policy(context.obj, name, given, catch_up, window, output, new=False)


@policy_commands.command("show")
def show_policy(context: typer.Context, name: Name, output: Output = Format.table) -> None:
    """Show one policy."""
    from tui.cli.snapshot_rules import show_policy as work

    work(context.obj, name, output)


@policy_commands.command("remove")
def remove_policy(context: typer.Context, name: Name) -> None:
    """Remove a policy that no set and no assignment names."""
    from tui.cli.snapshot_rules import remove_policy as work

    work(context.obj, name)


@set_commands.callback()
def sets(context: typer.Context, output: Output = Format.table) -> None:
    """List policy sets, in the order in which they decide."""
    if context.invoked_subcommand is None:
        from tui.cli.snapshot_rules import sets as work

        work(context.obj, output)


@set_commands.command("add")
def add_set(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="Of the new set.")],
    policy: Policies = None,
    everything: Everything = None,
    tenant: Tenant = None,
    match: Match = None,
    cloud: Cloud = None,
    region: Region = None,
    priority: Priority = None,
    active: Active = None,
    description: Description = None,
    preview: Preview = False,
    output: Output = Format.table,
) -> None:
    """Make a policy set."""
    from tui.cli.snapshot_rules import save_set

    given = {"name": name, "is_global": everything, "cloud": cloud, "region": region, "priority": priority,
             "is_active": active, "description": description}  # fmt: skip
    save_set(context.obj, None, given, policy, tenant, match, preview, output)


@set_commands.command("set")
def set_set(
    context: typer.Context,
    ref: Set,
    name: Annotated[str | None, typer.Option("--name", help="Another name.")] = None,
    policy: Policies = None,
    everything: Everything = None,
    tenant: Tenant = None,
    match: Match = None,
    cloud: Cloud = None,
    region: Region = None,
    priority: Priority = None,
    active: Active = None,
    description: Description = None,
    preview: Preview = False,
    output: Output = Format.table,
) -> None:
    """Change a policy set; what is not given stays. Policies and matches that are given replace those it has."""
    from tui.cli.snapshot_rules import save_set

    given = {"name": name, "is_global": everything, "cloud": cloud, "region": region, "priority": priority,
             "is_active": active, "description": description}  # fmt: skip
    save_set(context.obj, ref, given, policy, tenant, match, preview, output)


@set_commands.command("remove")
def remove_set(context: typer.Context, ref: Set, yes: Yes = False) -> None:
    """Remove a policy set, and the assignments of it."""
    from tui.cli.snapshot_rules import remove_set as work

    work(context.obj, ref, yes)


def assign(
    context: typer.Context,
    volumes: Annotated[list[str], typer.Argument(metavar="VOLUME...", help="Ids, starts of ids, or names.")],
    set_: Annotated[str | None, typer.Option("--set", metavar="SET", help="Number or name of a set.")] = None,
    policy: Policies = None,
    keep: Keep = None,
    reason: Annotated[str, typer.Option("--reason", help="Why; others see it.")] = "",
    write: Annotated[bool, typer.Option("--write", help="Write it to the volumes' metadata too.")] = False,
    preview: Preview = False,
    cloud: Cloud = None,
    region: Region = None,
    output: Output = Format.table,
) -> None:
    """Give volumes a set, or policies, of their own."""
    from tui.cli.snapshot_given import assign as work

    work(context.obj, volumes, set_, policy, keep, reason, (cloud, region), output, write=write, preview=preview)


def assignments(
    context: typer.Context,
    volume: Annotated[str | None, typer.Option("--volume", help="Only of this volume: id or name.")] = None,
    set_: Annotated[str | None, typer.Option("--set", metavar="SET", help="Only of this set: number or name.")] = None,
    remove: Annotated[int | None, typer.Option("--remove", metavar="ID", help="Take one back.")] = None,
    output: Output = Format.table,
) -> None:
    """List what volumes were given of their own, or take one back."""
    from tui.cli.snapshot_given import assignments as work

    work(context.obj, volume, set_, remove, output)


def exclude(
    context: typer.Context,
    reason: Reason,
    volumes: Annotated[list[str] | None, typer.Argument(metavar="VOLUME", help="Ids, starts of ids, or names.")] = None,
    tenant: Tenant = None,
    match: Match = None,
    until: Until = None,
    cloud: Cloud = None,
    region: Region = None,
    output: Output = Format.table,
) -> None:
    """Keep policies away from volumes, whatever a set says."""
    from tui.cli.snapshot_given import exclude as work

    work(context.obj, volumes or [], tenant, match, reason, until, (cloud, region), output)


def exclusions(
    context: typer.Context,
    owners: Annotated[bool, typer.Option("--owners", help="Also volumes whose own metadata say no.")] = False,
    remove: Annotated[int | None, typer.Option("--remove", metavar="ID", help="Take one back.")] = None,
    output: Output = Format.table,
) -> None:
    """List what no policy takes, or take one back."""
    from tui.cli.snapshot_given import exclusions as work

    work(context.obj, owners, remove, output)


def why(
    context: typer.Context, volume: Volume, cloud: Cloud = None, region: Region = None, output: Output = Format.table
) -> None:
    """Say why a volume has its policies, and what else matches it."""
    from tui.cli.snapshot_rules import why as work

    work(context.obj, volume, cloud, region, output)


def due(context: typer.Context, cloud: Cloud = None, region: Region = None, output: Output = Format.table) -> None:
    """List what is due now, and what comes next."""
    from tui.cli.snapshot_rules import due as work

    work(context.obj, cloud, region, output)
