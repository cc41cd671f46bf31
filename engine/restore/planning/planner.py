"""From everything that is known of a machine, and what a person asked for, to the plan of a restore: pure.

A plan with problems is not eligible and has no steps, so nothing can carry it out by mistake.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from engine.gate.rules import typable
from engine.restore.models import PLAN_MINUTES, Plan, Request
from engine.restore.planning import choosing, commands, differing, fitting, networks, relying, steps, triage, ways
from engine.restore.planning.facts import Facts
from engine.restore.planning.wording import disk_name, listed, machine_name

MOST_NAME = 255  # characters that Nova allows


@dataclass(frozen=True, slots=True)
class Limits:
    """Settings that a plan obeys.

    minutes     that it lives
    most_days   the longest that anything may be kept
    copy_mb_s   how fast an image is copied to and fro, for estimates
    """

    minutes: int = PLAN_MINUTES
    most_days: int = 365
    copy_mb_s: int = 100


def make_plan(
    facts: Facts,
    request: Request,
    now: datetime,
    limits: Limits | None = None,
    *,
    id: str = "",
    reused: dict[str, str] | None = None,
    retry_of: str = "",
) -> Plan:
    """The plan, eligible only without problems.

    id        of the plan, and of its job later
    reused    volumes that an earlier, failed job has made, for a retry
    """
    limits = limits or Limits()
    request = _defaults(facts, request)
    plan = Plan(
        id, request.way, facts.machine, now, now + timedelta(minutes=limits.minutes), request,
        access=facts.rights.access, access_command=facts.rights.access_command, was_running=_ran(facts),
        reused=dict(reused or {}), retry_of=retry_of,
    )  # fmt: skip
    problems, warnings = _asked(facts, request, now, limits), [*_advice(facts, request, now), *facts.unread]
    if why := ways.why_not(request.way, facts, now):
        problems.append(why)
    chosen = choosing.choose(facts, request, now)
    dead = request.way == "REPLACE" and triage.host_dead(facts, now)
    ports = networks.wanted(facts, request, dead=dead)
    plan = replace(
        plan, point=chosen.point, disks=chosen.disks, nics=ports.nics, strategy=ports.strategy,
        new_name=new_name(facts, request, now), root_image=_root_image(facts, chosen),
        park=ways.park(facts, now) if request.way == "REPLACE" else "",
        helper=facts.helper.key if facts.helper is not None and request.way == "DISK_BESIDE" else None,
        helper_name=facts.helper.name if facts.helper is not None and request.way == "DISK_BESIDE" else "",
    )  # fmt: skip
    problems += chosen.problems + ports.problems
    warnings += chosen.warnings + ports.warnings
    return _judged(plan, facts, now, limits, problems, warnings)


def _judged(plan: Plan, facts: Facts, now: datetime, limits: Limits, problems: list[str], warnings: list[str]) -> Plan:
    """The plan with everything that follows from its disks and ports."""
    fits = fitting.fits(plan, facts)
    if plan.request.raise_quota and facts.rights.admin:
        fits, raises = fitting.raised(fits, facts.machine.project_id)
        plan = replace(plan, raises=raises)
        warnings += fitting.over(raises)
    if not problems:
        in_place = plan.way in ways.MAKES_MACHINE and not ways.why_not("IN_PLACE", facts, now)
        problems += fitting.problems(fits, in_place=in_place, project=facts.machine.project_id)
    warnings += [*fitting.warnings(fits), *_on_the_way(plan)]
    relied = relying.relied(plan, facts, now)
    told: dict[str, Any] = {
        "findings": triage.findings(facts, now, steps.restored(plan)),
        "lost": differing.lost(plan),
        "differs": differing.differs(plan, facts),
        "points_at_old": differing.points_at_old(plan, facts),
        "fits": fits,
        "creates": differing.creates(plan),
        "seconds": commands.seconds(plan, limits.copy_mb_s),
        "phrase": phrase(plan),
        "relied": relied,
        "hash": relying.hashed(relied),
        "problems": tuple(dict.fromkeys(problems)),
        "warnings": tuple(dict.fromkeys(warnings)),
    }
    plan = replace(plan, **told)
    if plan.problems:
        return plan
    planned, commit = steps.planned(plan)
    return replace(plan, eligible=True, steps=planned, commit=commit, commands=commands.lines(plan))


def _defaults(facts: Facts, request: Request) -> Request:
    """The request with what goes without saying: a copy of a deleted machine's disk is attached to nothing."""
    if request.way == "DISK_BESIDE" and facts.machine.gone and not request.helper:
        return replace(request, helper=steps.NO_HELPER)
    return request


def _ran(facts: Facts) -> bool:
    """Whether the machine ran, so that it has to run again after a roll-back. One in ERROR is started, too."""
    return not facts.machine.gone and facts.machine.vm_state in ("active", "paused", "suspended", "error")


def _root_image(facts: Facts, chosen: choosing.Chosen) -> str:
    image = facts.machine.boot == "image" and chosen.point is not None and chosen.point.kind == "image"
    return chosen.point.id if image and chosen.point is not None else ""


# What the request itself says


def _asked(facts: Facts, request: Request, now: datetime, limits: Limits) -> list[str]:
    machine = facts.machine
    found: list[str] = []
    if request.project_id != machine.project_id:
        found.append(
            f"{machine_name(machine)} does not belong to the project {request.project_id!r:.60}: nothing is planned"
        )
    if request.server_id != machine.key[2]:
        found.append("what is known is of another machine than the one that was asked for: plan again")
    if not 0 <= request.keep_days <= limits.most_days:
        found.append(f"what is kept is kept for 0 to {limits.most_days} days, not for {request.keep_days}")
    if request.way in ways.MAKES_MACHINE:
        name = new_name(facts, request, now)
        # What a machine is called already is a name, whatever signs are in it.
        strange = any(not sign.isprintable() for sign in request.new_name)
        if not name.strip() or len(name) > MOST_NAME or strange:
            found.append(f"{name!r:.60} is no name for a machine: give one of 1 to {MOST_NAME} printable characters")
    if request.way == "REPLACE" and triage.host_dead(facts, now):
        wanted = triage.fence_phrase(machine)
        if request.fenced.strip() != wanted:
            found.append(
                f"the old machine may still run on its dead host, and would fight for its addresses and disks: "
                f'see that the host is fenced, then type "{wanted}"'
            )
    if request.way == "DISK_BESIDE":
        found += _helper(facts, request, now)
    if request.user_data and not facts.rights.user_data and request.way in ways.MAKES_MACHINE:
        found.append("the machine's user data cannot be read, so it cannot be passed on: leave it out")
    return found


def _helper(facts: Facts, request: Request, now: datetime) -> list[str]:
    """Whether the copy of a disk can be attached where it is wanted."""
    if request.helper == steps.NO_HELPER:
        return []
    helper, machine = facts.helper, facts.machine
    if request.helper and helper is None:
        return [f"the helper machine {request.helper!r:.60} is not there: name another one, or none"]
    if helper is not None and (helper.project_id != machine.project_id or helper.key[:2] != machine.key[:2]):
        return ["the helper machine is in another project or region: a disk of this project cannot be attached to it"]
    dead = helper is None and triage.host_dead(facts, now)
    if why := ways.attach_problem(helper or machine, dead=dead):
        return [f"the copy cannot be attached: {why}; name a helper machine, or none"]
    return []


def _advice(facts: Facts, request: Request, now: datetime) -> list[str]:
    """What a person should know before saying yes."""
    machine, way = facts.machine, request.way
    found: list[str] = []
    if "read_only" in facts.refused:
        found.append(facts.refused["read_only"])
    if way == "IN_PLACE" and request.safety_snapshot is False:
        found.append("the safety snapshot is made all the same: in place nothing else could take the restore back")
    if way == "IN_PLACE" and machine.vm_state == "stopped":
        found.append("the machine is stopped and stays so: whether it answers shows when somebody starts it")
    if way == "DATA_VOLUME_BACK" and machine.vm_state == "active" and not request.stop:
        found.append("the machine runs meanwhile: unmount the disk in it first, or have the machine stopped")
    if way == "REPLACE" and request.end == "delete" and triage.host_dead(facts, now):
        found.append("the old machine is not deleted while its host is dead: it is kept for clean-up")
    if way == "NEW" and not machine.gone:
        if machine.locked:
            found.append("the old machine is locked; it is not touched")
        pairs = [pair.get("ip_address", "") for nic in facts.nics for pair in nic.allowed_address_pairs]
        if pairs:
            found.append(
                f"both machines may then claim {', '.join(dict.fromkeys(pairs))}: stop what shares it in one of them"
            )
    if way in ways.MAKES_MACHINE and (machine.config_drive or request.user_data):
        found.append(
            "cloud-init may run its first-boot steps again on the restored disk: to prevent that, have "
            "/etc/cloud/cloud-init.disabled on it, or leave the user data out"
        )
    if way == "DISK_BESIDE" and not request.helper:
        found.append(
            "the copy has the same LVM and filesystem UUIDs as the disk it is of: mount it with care, see the commands"
        )
    if way in ("NEW", "REPLACE") and any(nic.vnic_type != "normal" for nic in facts.nics):
        found.append("a port is of a kind that was never tried with restores (vnic_type): it may not come up")
    return found


def _on_the_way(plan: Plan) -> list[str]:
    """What may go another way than people expect, of the old machine of a REPLACE."""
    if plan.way != "REPLACE":
        return []
    found = []
    moved = steps.moved(plan)
    if plan.park == "shelve":
        again = " and leaves it running" if plan.machine.vm_state in ("paused", "suspended") else ""
        found.append(f"a roll-back unshelves the old machine, which needs room and may choose another host{again}")
        if tagged := [disk_name(disk) for disk in moved if disk.tag]:
            found.append(f"after a roll-back {listed(tagged)} may be without its device tag")
    if moved and not steps.safe(plan):
        why = ": Cinder makes none while the machine is shelved" if steps.asleep(plan) else ", as asked for"
        found.append(f"no safety snapshot is made of {listed(disk_name(disk) for disk in moved)}{why}")
    return found


# Names and phrases


def new_name(facts: Facts, request: Request, now: datetime) -> str:
    """Of the machine that is made: the given one, else the old one's in a REPLACE, else with the time."""
    if request.way not in ways.MAKES_MACHINE:
        return ""
    if request.new_name or request.way == "REPLACE":
        return request.new_name or facts.machine.name
    return f"{facts.machine.name}-restored-{now.astimezone(UTC):%Y%m%d-%H%M}"


def phrase(plan: Plan) -> str | None:
    """What has to be typed, exactly; None for nothing."""
    if plan.way != "REPLACE":
        return None
    return f"DELETE AND RESTORE {typable(plan.machine.name, plan.machine.key[2])}"
