"""Documented names of the kinds of questions that the grammar answers."""

from __future__ import annotations

from copilot.grammar.frames import Frame, Piece
from copilot.query import Condition, Not, Test

QUERY = "query"  # of everything that has no documented name
_COUNTED = {
    "server": "count_vms", "hypervisor": "count_hosts", "volume": "count_volumes", "network": "count_networks",
    "image": "count_images", "project": "count_projects", "domain": "count_domains",
}  # fmt: skip
_LISTED = {
    "server": "list_vms", "hypervisor": "list_hosts", "volume": "list_volumes", "network": "list_networks",
    "floating_ip": "list_floating_ips", "subnet": "list_subnets", "router": "list_routers", "flavor": "list_flavors",
    "quota": "configured_quota",
}  # fmt: skip
# Of the rooms' lists and of what has one documented name however it is asked.
_ALWAYS = {
    "drift_event": "drift_summary", "tenant_health": "tenant_health", "problem": "critical_insights",
    "compliance": "compliance_summary", "login": "recent_logins", "audit_record": "recent_activity",
    "restore": "restore_job_status", "snapshot_policy": "snapshot_policy_summary", "console_user": "user_summary",
    "role_assignment": "role_assignments", "security_group": "security_groups_summary", "backup": "backup_status",
}  # fmt: skip
_TROUBLE = frozenset({"ERROR", "SHUTOFF", "SUSPENDED", "PAUSED"})


def intent_of(frame: Frame) -> str:
    """The documented name of the question's kind; "query" for what has none."""
    if frame.entity in _ALWAYS:
        return _ALWAYS[frame.entity]
    if frame.form not in ("list", "count", "yes_no") or frame.group or frame.also or frame.gone:
        return QUERY
    own = (*frame.pieces, *frame.predicate)
    if frame.entity == "server":
        return _of_servers(frame, own)
    if frame.entity == "snapshot":
        return _of_snapshots(frame, own)
    if frame.entity == "hypervisor" and own and all(_is_down(piece) for piece in own):
        return "down_hosts"
    return _plain(frame, own)


def _plain(frame: Frame, own: tuple[Piece, ...]) -> str:
    """A count or list of everything, or of what a project, cloud or other place has."""
    if not all(piece.dimension.startswith("scope:") for piece in own):
        return QUERY
    return (_COUNTED if frame.form == "count" else _LISTED).get(frame.entity, QUERY)


def _of_servers(frame: Frame, own: tuple[Piece, ...]) -> str:
    scopes = [piece.dimension for piece in own if piece.dimension.startswith("scope:")]
    states = [_statuses(piece.condition) for piece in own if not piece.dimension.startswith("scope:")]
    if len(states) > 1 or any(state is None for state in states):
        return QUERY
    if states:
        return _by_status(frozenset(states[0] or ()), frame.form == "count")
    if frame.form != "count" and len(scopes) == 1:
        return {"scope:project": "vms_on_tenant", "scope:hypervisor": "vms_on_host"}.get(scopes[0], "list_vms")
    return _plain(frame, own)


def _by_status(statuses: frozenset[str], counted: bool) -> str:
    if statuses == {"ACTIVE"}:
        return "powered_on_vms" if counted else "list_powered_on_vms"
    if statuses == {"SHUTOFF"}:
        return "powered_off_vms" if counted else "list_powered_off_vms"
    return "error_vms" if "ERROR" in statuses and statuses <= _TROUBLE else QUERY


def _of_snapshots(frame: Frame, own: tuple[Piece, ...]) -> str:
    if not own and frame.form == "count":
        return "snapshot_summary"
    newest = frame.order[:1] == (("created_at", True),) or any(piece.dimension == "born" for piece in own)
    return "recent_snapshots" if frame.form == "list" and newest else QUERY


def _statuses(condition: Condition) -> tuple[str, ...] | None:
    """Values of the status that are wanted; None for any other condition."""
    if isinstance(condition, Test) and condition.column == "status" and condition.operator == "=":
        return tuple(str(value) for value in condition.values)
    return None


def _is_down(piece: Piece) -> bool:
    condition = piece.condition
    if isinstance(condition, Not) and isinstance(condition.item, Test):
        return (condition.item.column, condition.item.values) in (("state", ("up",)), ("status", ("enabled",)))
    return isinstance(condition, Test) and (condition.column, condition.values) == ("status", ("disabled",))
