"""The commands of restores that run or ran, and of what they keep: names, arguments and help."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from tui.cli.output import Format

Output = Annotated[Format, typer.Option("-o", "--output", help="How results are written to stdout.")]
Cloud = Annotated[str | None, typer.Option("--cloud", help="Only this cloud.")]
Region = Annotated[str | None, typer.Option("--region", help="Only this region.")]
Job = Annotated[str, typer.Argument(metavar="RESTORE", help="Number of its job, its id, or the start of its id.")]
Typed = Annotated[
    str | None, typer.Option("--typed", "--yes-typed", help="The phrase that it asks for, instead of typing it.")
]
Yes = Annotated[bool, typer.Option("-y", "--yes", help="Without a question where no phrase is asked for.")]
Watch = Annotated[bool, typer.Option("--watch", help="Follow it to its end; interrupted, it goes on.")]
What = Annotated[str, typer.Argument(metavar="KEPT", help="Id, start of an id, or name of what is kept.")]


class Status(StrEnum):
    """The states of restores."""

    planned = "PLANNED"
    pending = "PENDING"
    running = "RUNNING"
    succeeded = "SUCCEEDED"
    failed = "FAILED"
    canceled = "CANCELED"
    interrupted = "INTERRUPTED"


class Answer(StrEnum):
    """What a person says when a restore asks."""

    yes = "yes"
    no = "no"


class Again(StrEnum):
    """Strategies that a retry can take instead."""

    new = "NEW_IPS"
    same = "TRY_SAME_IPS"
    same_or_fail = "SAME_IPS_OR_FAIL"


kept_commands = typer.Typer(
    help="What is kept for a time after restores: old machines, old volumes, copies of disks.",
    invoke_without_command=True,
    rich_markup_mode=None,
)


def register(group: typer.Typer) -> None:
    """Add these commands to the group."""
    for name, command in (
        ("jobs", jobs), ("show", show), ("watch", watch), ("answer", answer), ("cancel", cancel), ("retry", retry),
        ("cleanup", cleanup), ("cleanup-storage", cleanup_storage),
    ):  # fmt: skip
        group.command(name)(command)


def jobs(
    context: typer.Context,
    status: Annotated[
        Status | None, typer.Option("--status", case_sensitive=False, help="Only those in this state.")
    ] = None,
    machine: Annotated[str | None, typer.Option("--machine", help="Only those of this machine: name or id.")] = None,
    cloud: Cloud = None,
    region: Region = None,
    limit: Annotated[int, typer.Option("-n", "--limit", min=1, max=1000, help="At most so many.")] = 20,
    output: Output = Format.table,
) -> None:
    """List restores and plans, the newest first."""
    from tui.cli.restore_jobs import listed

    listed(context.obj, status and status.value, machine, (cloud, region), limit, output)


def show(
    context: typer.Context,
    job: Job,
    plan: Annotated[bool, typer.Option("--plan", help="Its plan, with what each step would do.")] = False,
    output: Output = Format.table,
) -> None:
    """Show a restore: its steps with their times, what it made, and what can be asked of it."""
    from tui.cli.restore_jobs import show as work

    work(context.obj, job, plan, output)


def watch(context: typer.Context, job: Job, output: Output = Format.table) -> None:
    """Follow a restore to its end: 0 it succeeded, 1 it failed or was cancelled. Interrupted, it goes on."""
    from tui.cli.restore_jobs import watch as work

    work(context.obj, job, output)


def answer(
    context: typer.Context,
    job: Job,
    word: Annotated[Answer, typer.Argument(metavar="yes|no", help="Whether the machine answers.")],
    output: Output = Format.table,
) -> None:
    """Say whether the machine answers, when its restore asks; no takes everything back."""
    from tui.cli.restore_jobs import answer as work

    work(context.obj, job, word.value, output)


def cancel(
    context: typer.Context,
    job: Job,
    reason: Annotated[str, typer.Option("--reason", help="Why; it stays in the audit.")] = "",
    watch: Watch = False,
    output: Output = Format.table,
) -> None:
    """End a restore, whose changes are taken back; or give up a plan."""
    from tui.cli.restore_jobs import cancel as work

    work(context.obj, job, reason, watch, output)


def retry(
    context: typer.Context,
    job: Job,
    strategy: Annotated[
        Again | None, typer.Option("--ip-strategy", case_sensitive=False, help="Other addresses than before.")
    ] = None,
    typed: Typed = None,
    watch: Watch = False,
    output: Output = Format.table,
) -> None:
    """Begin a new restore that goes on from the failed step with what the failed one made."""
    from tui.cli.restore_jobs import retry as work
    from tui.cli.restore_plan import Given

    work(context.obj, job, strategy and strategy.value, Given(typed=typed, watch=watch), output)


def cleanup(
    context: typer.Context,
    job: Job,
    delete_volume: Annotated[
        bool, typer.Option("--delete-volume", help="The volumes, too, which a retry would use again.")
    ] = False,
    typed: Typed = None,
    yes: Yes = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Delete nothing: say what would go and what stays.")
    ] = False,
    output: Output = Format.table,
) -> None:
    """Delete what a restore left that failed, was cancelled or broke off; only what is certainly its own."""
    from tui.cli.restore_after import Sure
    from tui.cli.restore_after import cleanup as work

    work(context.obj, job, delete_volume, Sure(yes, typed, dry_run), output)


def cleanup_storage(
    context: typer.Context,
    job: Job,
    old_volume: Annotated[
        bool, typer.Option("--old-volume/--no-old-volume", help="The old machine's root volume.")
    ] = True,
    source_snapshot: Annotated[bool, typer.Option("--source-snapshot", help="The snapshot it came from.")] = False,
    typed: Typed = None,
    yes: Yes = False,
    output: Output = Format.table,
) -> None:
    """Delete old storage that a REPLACE left; what is in use, kept, or has restore points stays."""
    from tui.cli.restore_after import Sure
    from tui.cli.restore_after import cleanup_storage as work

    work(context.obj, job, old_volume, source_snapshot, Sure(yes, typed), output)


@kept_commands.callback()
def kept(context: typer.Context, cloud: Cloud = None, region: Region = None, output: Output = Format.table) -> None:
    """List what is kept for a time after restores, what ends first before the rest."""
    if context.invoked_subcommand is None:
        from tui.cli.restore_after import kept as work

        work(context.obj, (cloud, region), output)


@kept_commands.command("extend")
def extend(
    context: typer.Context,
    what: What,
    days: Annotated[int, typer.Argument(metavar="DAYS", min=1, max=365, help="So many days longer.")],
    output: Output = Format.table,
) -> None:
    """Keep it longer."""
    from tui.cli.restore_after import extend as work

    work(context.obj, what, days, output)


@kept_commands.command("release")
def release(
    context: typer.Context,
    what: What,
    rename: Annotated[bool, typer.Option("--rename", help="Give a machine its old name back.")] = False,
    yes: Yes = False,
    output: Output = Format.table,
) -> None:
    """Keep it no longer, and leave it where it is."""
    from tui.cli.restore_after import release as work

    work(context.obj, what, rename, yes, output)


@kept_commands.command("remove")
def remove(context: typer.Context, what: What, typed: Typed = None, output: Output = Format.table) -> None:
    """Delete it; its name has to be typed."""
    from tui.cli.restore_after import remove as work

    work(context.obj, what, typed, output)
