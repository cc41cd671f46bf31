"""The commands of restores before a job: names, arguments and help; what they do is in tui/cli/restore_*.py."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from tui.cli.output import Format
from tui.cli.restore_job_commands import kept_commands
from tui.cli.restore_job_commands import register as register_jobs
from tui.cli.restore_many_commands import many_commands

Output = Annotated[Format, typer.Option("-o", "--output", help="How results are written to stdout.")]
Cloud = Annotated[str | None, typer.Option("--cloud", help="The cloud; needed where several have such a one.")]
Region = Annotated[str | None, typer.Option("--region", help="The region; needed where several have such a one.")]
Machine = Annotated[
    str, typer.Argument(metavar="MACHINE", help="Id, start of an id, or name; a whole id of a gone one.")
]
Reason = Annotated[str, typer.Option("--reason", help="Why; it stays in the audit.")]
Ticket = Annotated[str, typer.Option("--ticket", help="Number of the change.")]
Typed = Annotated[
    str | None, typer.Option("--typed", "--yes-typed", help="The phrase that it asks for, instead of typing it.")
]
Yes = Annotated[bool, typer.Option("-y", "--yes", help="Begin without a question where no phrase is asked for.")]
Watch = Annotated[bool, typer.Option("--watch", help="Follow it to its end; interrupted, it goes on.")]


WAYS = ("DISK_BESIDE", "DATA_VOLUME_BACK", "IN_PLACE", "NEW", "REPLACE")


class Strategy(StrEnum):
    """Which addresses a new machine gets."""

    new = "NEW_IPS"
    same = "TRY_SAME_IPS"
    same_or_fail = "SAME_IPS_OR_FAIL"
    manual = "MANUAL_IP"


restore_commands = typer.Typer(
    help="Bring a machine, or a disk of it, back: plan, carry out, follow, clean up.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


def register(app: typer.Typer) -> None:
    """Add these commands to the program's."""
    register_jobs(restore_commands)
    restore_commands.add_typer(kept_commands, name="kept")
    restore_commands.add_typer(many_commands, name="many")
    app.add_typer(restore_commands, name="restore")


def _way(word: str) -> str:
    """in-place is IN_PLACE. Raises BadParameter for what is no way."""
    way = word.replace("-", "_").upper()
    if way not in WAYS:
        known = ", ".join(one.lower().replace("_", "-") for one in WAYS)
        raise typer.BadParameter(f"{word!r} is none of {known}")
    return way


@restore_commands.command("start")
def start(
    context: typer.Context, machine: Machine, cloud: Cloud = None, region: Region = None, output: Output = Format.table
) -> None:
    """What is wrong with a machine, which ways back there are and why not the others, its disks and newest points."""
    from tui.cli.restore_start import start as work

    work(context.obj, machine, (cloud, region), output)


@restore_commands.command("points")
def points(
    context: typer.Context,
    machine: Machine,
    disk: Annotated[str | None, typer.Option("--disk", help="Only those of this disk: root, vdb, name, id.")] = None,
    at: Annotated[str | None, typer.Option("--at", help='Only those taken by then: "yesterday 22:00".')] = None,
    limit: Annotated[int, typer.Option("-n", "--limit", min=0, help="At most so many; 0 is all.")] = 50,
    cloud: Cloud = None,
    region: Region = None,
    output: Output = Format.table,
) -> None:
    """List what a machine can be restored from, read live, the newest first."""
    from tui.cli.restore_start import points as work

    work(context.obj, machine, disk, at, limit, (cloud, region), output)


@restore_commands.command("addresses")
def addresses(
    context: typer.Context,
    network: Annotated[str, typer.Argument(metavar="NETWORK", help="Id, start of an id, or name.")],
    project: Annotated[str | None, typer.Option("--project", help="For a machine of this project: name or id.")] = None,
    limit: Annotated[int, typer.Option("-n", "--limit", min=0, help="At most so many of a subnet; 0 is all.")] = 10,
    cloud: Cloud = None,
    region: Region = None,
    output: Output = Format.table,
) -> None:
    """List addresses of a network that are known to be free, read live, at most 200 of each subnet."""
    from tui.cli.restore_start import addresses as work

    work(context.obj, network, project, limit, (cloud, region), output)


@restore_commands.command("plan")
def plan(
    context: typer.Context,
    machine: Machine,
    way: Annotated[
        str, typer.Option("--way", help="disk-beside, data-volume-back, in-place, new or replace.", parser=_way,
                          metavar="WAY")
    ] = "NEW",
    at: Annotated[str | None, typer.Option("--at", help='From the newest points by then: "yesterday 22:00".')] = None,
    point: Annotated[str | None, typer.Option("--point", help="From this point: id, start of an id, or name.")] = None,
    volume: Annotated[
        str | None, typer.Option("--volume", help="The disk that disk-beside and data-volume-back are about.")
    ] = None,
    keep: Annotated[list[str] | None, typer.Option("--keep", metavar="VOLUME", help="Move it as it is.")] = None,
    leave_out: Annotated[
        list[str] | None, typer.Option("--leave-out", metavar="VOLUME", help="The new machine does not get it.")
    ] = None,
    from_point: Annotated[
        list[str] | None,
        typer.Option("--from-point", metavar="VOLUME[=POINT]", help="From the restore point, or from one of its own."),
    ] = None,
    strategy: Annotated[
        Strategy | None,
        typer.Option("--ip-strategy", case_sensitive=False, help="replace: SAME_IPS_OR_FAIL, else NEW_IPS."),
    ] = None,
    ip: Annotated[
        list[str] | None, typer.Option("--ip", metavar="NETWORK=ADDRESS", help="This address there (MANUAL_IP).")
    ] = None,
    network: Annotated[str | None, typer.Option("--network", help="Put the new machine on this network alone.")] = None,
    security_group: Annotated[
        list[str] | None, typer.Option("--security-group", help="Instead of the old ones: name or id.")
    ] = None,
    name: Annotated[str | None, typer.Option("--name", help="Name of what is made.")] = None,
    keep_days: Annotated[
        int | None, typer.Option("--keep-days", min=1, max=365, help="Days that what is old, or the copy, is kept.")
    ] = None,
    delete_old: Annotated[
        bool, typer.Option("--delete-old", help="Delete the old machine once the new one answers.")
    ] = False,
    helper: Annotated[
        str | None, typer.Option("--helper", help="disk-beside: attach the copy to this machine; none: to nothing.")
    ] = None,
    stop: Annotated[bool, typer.Option("--stop", help="data-volume-back: stop the machine meanwhile.")] = False,
    fenced: Annotated[
        str | None, typer.Option("--fenced", help="The statement that a dead host is fenced; the plan says its words.")
    ] = None,
    user_data: Annotated[
        bool, typer.Option("--user-data", help="Pass its user data on; a terminal is shown its first lines.")
    ] = False,
    zone: Annotated[bool, typer.Option("--zone", help="Pin the new machine to the old one's zone.")] = False,
    safety_snapshot: Annotated[
        bool | None,
        typer.Option("--safety-snapshot/--no-safety-snapshot", help="Of what is there now.", show_default=False),
    ] = None,
    cleanup_old_storage: Annotated[
        bool, typer.Option("--cleanup-old-storage", help="REPLACE: delete the old root volume at the end.")
    ] = False,
    delete_source_snapshot: Annotated[
        bool, typer.Option("--delete-source-snapshot", help="Delete the restore point at the end.")
    ] = False,
    raise_quota: Annotated[
        bool, typer.Option("--raise-quota", help="Where it does not fit: have quotas raised for the job.")
    ] = False,
    prove_port: Annotated[
        int | None, typer.Option("--prove-port", min=1, max=65535, help="It answers when this TCP port does.")
    ] = None,
    prove_console: Annotated[
        list[str] | None, typer.Option("--prove-console", metavar="REGEX", help="It answers when its console says so.")
    ] = None,
    prove_command: Annotated[
        bool | None,
        typer.Option("--prove-command/--no-prove-command", help="Ask restore.prove_command.", show_default=False),
    ] = None,
    prove_seconds: Annotated[int | None, typer.Option("--prove-seconds", min=0, max=7200, help="Wait so long.")] = None,
    answer_minutes: Annotated[
        int | None, typer.Option("--answer-minutes", min=1, max=10_080, help="Then wait so long for a person.")
    ] = None,
    ask: Annotated[bool | None, typer.Option("--ask/--no-ask", help="Ask a person then.", show_default=False)] = None,
    cloud: Cloud = None,
    region: Region = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what each step would do.")] = False,
    output: Output = Format.table,
) -> None:  # fmt: skip
    """Plan a restore and show all of it; nothing is changed. Ends with 2 when it can't be carried out."""
    from tui.cli.restore_plan import Wish
    from tui.cli.restore_plan import plan as work

    direct = {
        "way": way, "ip_strategy": strategy and strategy.value, "new_name": name, "keep_days": keep_days,
        "end": "delete" if delete_old else None, "stop": stop or None, "fenced": fenced,
        "user_data": user_data or None, "zone": zone or None, "safety_snapshot": safety_snapshot,
        "cleanup_old_storage": cleanup_old_storage or None, "delete_source_snapshot": delete_source_snapshot or None,
        "raise_quota": raise_quota or None,
    }  # fmt: skip
    prove = {
        "tcp_port": prove_port, "console": prove_console or None, "command": prove_command, "seconds": prove_seconds,
        "answer_minutes": answer_minutes, "ask": ask,
    }  # fmt: skip
    wish = Wish(
        machine, cloud, region, at, point, volume, keep or (), leave_out or (), from_point or (), ip or (), network,
        security_group or (), helper, direct, prove,
    )  # fmt: skip
    work(context.obj, wish, dry_run, output)


@restore_commands.command("execute")
def execute(
    context: typer.Context,
    plan: Annotated[str, typer.Argument(metavar="PLAN", help="Id of a plan, or the start of it.")],
    reason: Reason = "",
    ticket: Ticket = "",
    typed: Typed = None,
    yes: Yes = False,
    watch: Watch = False,
    output: Output = Format.table,
) -> None:
    """Carry a plan out, once: everything that it relies on is read again first."""
    from tui.cli.restore_plan import Given
    from tui.cli.restore_plan import execute as work

    work(context.obj, plan, Given(reason, ticket, typed, yes, watch), output)
