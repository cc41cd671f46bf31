"""What Nova tells of the past of one server: the list of actions, and the steps ("events") of one of them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from engine.demo import names
from engine.demo.answers import Refusal, answer
from engine.demo.clock import micro_time, read_time
from engine.demo.compute import require_reader
from engine.demo.compute_render import host_id
from engine.demo.records import Action, Server
from engine.demo.routing import Call, next_url
from engine.demo.serving import Response

if TYPE_CHECKING:
    from engine.demo.compute import Compute

MAX_LIMIT = 1000
# Steps of an action as Nova names them, and the seconds each takes, in their order.
STEPS: dict[str, tuple[tuple[str, int], ...]] = {
    "create": (("compute__do_build_and_run_instance", 14),),
    "delete": (("compute_terminate_instance", 1),),
    "start": (("compute_start_instance", 1),),
    "stop": (("compute_stop_instance", 1),),
    "reboot": (("compute_reboot_instance", 2),),
    "resize": (
        ("conductor_migrate_server", 1),
        ("compute_prep_resize", 0),
        ("compute_resize_instance", 1),
        ("compute_finish_resize", 1),
    ),
    "attach_volume": (("compute_attach_volume", 1),),
    "detach_volume": (("compute_detach_volume", 1),),
    "extend_volume": (("compute_extend_volume", 1),),
    "shelve": (("compute_shelve_instance", 1),),
    "shelveOffload": (("compute_shelve_offload_instance", 1),),
    "unshelve": (("schedule_instances", 1), ("compute_unshelve_instance", 2)),
    "rebuild": (("rebuild_server", 0), ("compute_rebuild_instance", 1)),
    "attach_interface": (("compute_attach_interface", 1),),
    "detach_interface": (("compute_detach_interface", 1),),
    "resetState": (),
    "lock": (("api_lock", 0),),
    "unlock": (("api_unlock", 0),),
}
SCHEDULING = "conductor_schedule_and_build_instances"
_TRACE = (
    "Traceback (most recent call last):\n"
    '  File "/usr/lib/python3/dist-packages/nova/{file}", line {line}, in {function}\n'
    "    {code}\n"
    "{error}: {message}\n"
)


def add_events(compute: Compute) -> None:
    """Route the lists of actions."""
    events = Events(compute)
    on = compute.routes.on
    on("GET", "/servers/{id}/os-instance-actions")(events.history)
    on("GET", "/servers/{id}/os-instance-actions/{request}")(events.entry)


class Events:
    """Nova's os-instance-actions; a deleted server's are told from 2.21 on."""

    def __init__(self, compute: Compute) -> None:
        self.compute, self.state = compute, compute.state

    def _past(self, call: Call, id: str, rule: str) -> Server:
        require_reader(call, f"os_compute_api:os-instance-actions:{rule}")
        server = self.state.servers.get(id) or (self.state.deleted_servers.get(id) if call.version >= (2, 21) else None)
        if server is None or not (server.project == call.token.project_id or call.token.project_admin):
            raise Refusal(404, f"Instance {id} could not be found.")
        return server

    @staticmethod
    def _actions(server: Server) -> list[Action]:
        """Oldest first. A machine of the time before the clock began was at least created."""
        actions = server.actions or []
        if actions and actions[0].action == "create":
            return actions
        return [made(server), *actions]

    @staticmethod
    def _entry(entry: Action, server: Server, call: Call) -> dict[str, Any]:
        document = {
            "action": entry.action,
            "instance_uuid": server.id,
            "request_id": entry.request,
            "user_id": entry.user,
            "project_id": entry.project,
            "start_time": micro_time(entry.start),
            "message": "Error" if failure(entry, server) else entry.message,
        }
        if call.version >= (2, 58):
            ends = [step[2] for step in steps(entry, server, call.now)]
            document["updated_at"] = micro_time(max([entry.start, *(end for end in ends if end is not None)]))
        return document

    def history(self, call: Call, id: str) -> Response:
        server = self._past(call, id, "list")
        rows = [self._entry(entry, server, call) for entry in reversed(self._actions(server))]
        if call.version < (2, 58):
            return answer({"instanceActions": rows})
        return answer(self._page(call, rows))

    def _page(self, call: Call, rows: list[dict[str, Any]]) -> dict[str, Any]:
        request = call.request
        since, before = request.first("changes-since"), request.first("changes-before")
        for name, value in (("changes-since", since), ("changes-before", before)):
            if value and read_time(value) is None:
                raise Refusal(
                    400, f"Invalid input for query parameters {name}. Value: {value}. '{value}' is not a 'date-time'"
                )
        if since:
            rows = [row for row in rows if (read_time(row["updated_at"]) or 0) >= (read_time(since) or 0)]
        if before and call.version >= (2, 66):
            rows = [row for row in rows if (read_time(row["updated_at"]) or 0) <= (read_time(before) or 0)]
        if (marker := request.first("marker")) is not None:
            place = next((number for number, row in enumerate(rows) if row["request_id"] == marker), None)
            if place is None:
                raise Refusal(400, f"Marker {marker} could not be found.")
            rows = rows[place + 1 :]
        text = request.first("limit") or ""
        if not re.fullmatch(r"[0-9]*", text):
            raise Refusal(
                400, f"Invalid input for query parameters limit. Value: {text}. '{text}' does not match '^[0-9]*$'"
            )
        limit = min(int(text), MAX_LIMIT) if text else MAX_LIMIT
        body: dict[str, Any] = {"instanceActions": rows[:limit]}
        if limit and len(rows) > limit:
            href = next_url(
                self.compute.bookmark, call.path, request.query, rows[limit - 1]["request_id"], ordered=True
            )
            body["links"] = [{"rel": "next", "href": href}]
        return body

    def entry(self, call: Call, id: str, request: str) -> Response:
        server = self._past(call, id, "show")
        for entry in self._actions(server):
            if entry.request == request:
                document = self._entry(entry, server, call)
                if call.token.project_admin or call.version >= (2, 51):
                    # The newest first, as the database gives them.
                    found = [self._step(step, entry, server, call) for step in steps(entry, server, call.now)]
                    document["events"] = found[::-1]
                return answer({"instanceAction": document})
        raise Refusal(404, f"Action {request} not found")

    @staticmethod
    def _step(step: tuple[str, int, int | None], entry: Action, server: Server, call: Call) -> dict[str, Any]:
        name, start, end = step
        broken = failure(entry, server) if name == steps(entry, server, call.now)[-1][0] else None
        event: dict[str, Any] = {
            "event": name,
            "start_time": micro_time(start),
            "finish_time": None if end is None else micro_time(end),
            "result": None if end is None else "Error" if broken else "Success",
        }
        admin = call.token.project_admin
        if admin:
            event["traceback"] = traceback_of(name, broken) if broken else None
        host = "ctl-1" if name.startswith(("conductor", "api")) or server.host is None else server.host.name
        if call.version >= (2, 62):
            if admin:
                event["host"] = host
            event["hostId"] = host_id(entry.project, host)
        if call.version >= (2, 84) and admin:
            event["details"] = broken
        return event


def made(server: Server) -> Action:
    """The action with which a server began of which no action was written."""
    return Action("create", f"req-{server.id}", server.user, server.project, server.created, server.launched)


def failure(entry: Action, server: Server) -> str | None:
    """What an action failed of; None when it did not. A server that never ran failed where it was scheduled."""
    if entry.message:
        return entry.message
    if entry.action == "create" and server.fault and server.launched is None:
        return server.fault[1]
    return None


def steps(entry: Action, server: Server, now: int) -> list[tuple[str, int, int | None]]:
    """(name, start, end or None while it goes on) of an action's steps that have begun."""
    planned = STEPS.get(entry.action, ((f"compute_{entry.action}_instance", 1),))
    if entry.action == "create":
        never = failure(entry, server)
        seconds = planned[0][1] if server.launched is None else max(1, server.launched - entry.start)
        planned = ((SCHEDULING, 2),) if never and never == names.NOVALID else ((planned[0][0], seconds),)
    found: list[tuple[str, int, int | None]] = []
    start = entry.start
    for name, seconds in planned:
        end = start + seconds
        found.append((name, start, end if end <= now else None))
        if end > now:
            break
        start = end
    return found


def traceback_of(step: str, message: str) -> str:
    """The end of a traceback as Nova keeps it for administrators."""
    if step == SCHEDULING:
        return _TRACE.format(
            file="conductor/manager.py", line=1694, function="schedule_and_build_instances",
            code="host_lists = self._schedule_instances(context, request_specs[0],",
            error="nova.exception_Remote.NoValidHost_Remote", message=message,
        )  # fmt: skip
    return _TRACE.format(
        file="virt/libvirt/driver.py", line=4214, function=step.removeprefix("compute_"),
        code="libvirt_utils.execute(*command)", error="libvirt.libvirtError", message=message,
    )  # fmt: skip
