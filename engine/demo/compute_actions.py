"""What Nova does when asked: create, delete, rename, actions, attachments."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from engine.demo.answers import Refusal, answer, empty
from engine.demo.compute import require_admin, require_member
from engine.demo.compute_create import create
from engine.demo.compute_events_console import console_output
from engine.demo.compute_images import MachineImages
from engine.demo.compute_moves import MachineMoves, record, unlocked
from engine.demo.compute_render import VM_STATES, server_document
from engine.demo.compute_servers import Servers
from engine.demo.lifecycle import REBOOT, STOP
from engine.demo.records import Server
from engine.demo.routing import Call
from engine.demo.serving import Response

if TYPE_CHECKING:
    from engine.demo.compute import Compute

# action: its name in the action list and in errors, the states it is allowed in
ALLOWED: dict[str, tuple[str, tuple[str, ...]]] = {
    "os-start": ("start", ("SHUTOFF",)),
    "os-stop": ("stop", ("ACTIVE", "ERROR")),
    "reboot": ("reboot", ("ACTIVE", "SHUTOFF", "PAUSED", "SUSPENDED")),
    "pause": ("pause", ("ACTIVE",)),
    "unpause": ("unpause", ("PAUSED",)),
    "suspend": ("suspend", ("ACTIVE",)),
    "resume": ("resume", ("SUSPENDED",)),
    "resize": ("resize", ("ACTIVE", "SHUTOFF")),
}
POWER: dict[str, tuple[str, str, float]] = {
    "os-start": ("powering-on", "ACTIVE", STOP),
    "os-stop": ("powering-off", "SHUTOFF", STOP),
    "pause": ("pausing", "PAUSED", STOP),
    "unpause": ("unpausing", "ACTIVE", STOP),
    "suspend": ("suspending", "SUSPENDED", STOP),
    "resume": ("resuming", "ACTIVE", STOP),
}
RULES = {
    "os-start": "os_compute_api:servers:start",
    "os-stop": "os_compute_api:servers:stop",
    "reboot": "os_compute_api:servers:reboot",
    "resize": "os_compute_api:servers:resize",
    "lock": "os_compute_api:os-lock-server:lock",
    "unlock": "os_compute_api:os-lock-server:unlock",
    "os-getConsoleOutput": "os_compute_api:os-console-output",
    "createImage": "os_compute_api:servers:create_image",
    "shelve": "os_compute_api:os-shelve:shelve",
    "shelveOffload": "os_compute_api:os-shelve:shelve_offload",
    "unshelve": "os_compute_api:os-shelve:unshelve",
    "rebuild": "os_compute_api:servers:rebuild",
    "os-resetState": "os_compute_api:os-admin-actions:reset_state",
    "addSecurityGroup": "os_compute_api:os-security-groups:add",
    "removeSecurityGroup": "os_compute_api:os-security-groups:remove",
    "pause": "os_compute_api:os-pause-server:pause",
    "unpause": "os_compute_api:os-pause-server:unpause",
    "suspend": "os_compute_api:os-suspend-server:suspend",
    "resume": "os_compute_api:os-suspend-server:resume",
}
ADMINS = ("shelveOffload", "os-resetState")


def add_actions(compute: Compute) -> None:
    """Route what makes, changes and removes servers, and what is told of one server."""
    actions = Actions(compute)
    on = compute.routes.on
    on("POST", "/servers")(actions.create)
    on("PUT", "/servers/{id}")(actions.rename)
    on("DELETE", "/servers/{id}")(actions.delete)
    on("POST", "/servers/{id}/action")(actions.act)


class Actions:
    """Nova's calls that change a server, and its volumes and interfaces."""

    def __init__(self, compute: Compute) -> None:
        self.compute, self.state, self.lifecycle = compute, compute.state, compute.lifecycle
        self.servers = Servers(compute)
        self.images = MachineImages(compute.state, compute.lifecycle)
        self.moves = MachineMoves(compute.state, compute.lifecycle)

    def _server(self, call: Call, id: str) -> Server:
        return self.servers.find(call, id)

    def _record(self, call: Call, server: Server, action: str) -> None:
        record(self.state, call, server, action)

    def create(self, call: Call) -> Response:
        require_member(call, "os_compute_api:servers:create")
        server = create(self.state, self.lifecycle, call)
        self._record(call, server, "create")
        document: dict[str, Any] = {
            "id": server.id,
            "links": server_document(server, call.version, False, call.base)["links"],
            "OS-DCF:diskConfig": "MANUAL",
            "security_groups": [{"name": name} for name in server.groups],
            "adminPass": secrets.token_urlsafe(9),
        }
        return answer({"server": document}, 202, Location=document["links"][0]["href"])

    def rename(self, call: Call, id: str) -> Response:
        require_member(call, "os_compute_api:servers:update")
        body = call.document("server")
        server = self._server(call, id)
        if not isinstance(body, dict):
            raise Refusal(
                400, f"Invalid input for field/attribute server. Value: {body}. {body} is not of type 'object'"
            )
        if "name" in body:
            if not isinstance(body["name"], str) or not 1 <= len(body["name"].strip()) <= 255:
                raise Refusal(400, f"Invalid input for field/attribute name. Value: {body['name']}.")
            server.name = body["name"].strip()
        if "description" in body and call.version >= (2, 19):
            server.description = body["description"]
        server.updated = call.now
        document = server_document(server, call.version, call.token.project_admin, call.base, single=True)
        return answer({"server": document})

    def delete(self, call: Call, id: str) -> Response:
        require_member(call, "os_compute_api:servers:delete")
        server = self._server(call, id)
        unlocked(call, server)
        self._record(call, server, "delete")
        self.lifecycle.delete(server, self.state.clock.now())
        return empty(204)

    # Actions

    def act(self, call: Call, id: str) -> Response:
        body = call.json()
        if not isinstance(body, dict) or len(body) != 1:
            raise Refusal(400, "There is no such action")
        action, value = next(iter(body.items()))
        special: dict[str, Callable[[Call, Server, Any], Response]] = {
            "lock": self._lock,
            "unlock": self._unlock,
            "resize": self._resize,
            "os-getConsoleOutput": self._console,
            "createImage": self._create_image,
            "shelve": self._move,
            "shelveOffload": self._move,
            "unshelve": self._move,
            "rebuild": self._move,
            "os-resetState": self._reset_state,
            "addSecurityGroup": lambda call, server, value: self.moves.regroup(call, server, value, joins=True),
            "removeSecurityGroup": lambda call, server, value: self.moves.regroup(call, server, value, joins=False),
        }
        if action not in ALLOWED and action not in special:
            raise Refusal(400, f"There is no such action: {action}")
        (require_admin if action in ADMINS else require_member)(call, RULES[action])
        server = self.servers.find(call, id, "Instance {id} has no mapping to a cell.")
        if action in ALLOWED:
            self._ready(call, server, action, value)
        if action in special:
            return special[action](call, server, value)
        self._record(call, server, ALLOWED[action][0])
        now = self.state.clock.now()
        if self.lifecycle.silent(server):
            # Nobody takes it off the queue: the task state stays.
            server.task, server.updated = POWER[action][0] if action in POWER else "rebooting", call.now
            return empty(202)
        if action == "reboot":
            hard = isinstance(value, dict) and str(value.get("type")).upper() == "HARD"
            server.status = "HARD_REBOOT" if hard else "REBOOT"
            self.lifecycle.change_power(server, "rebooting_hard" if hard else "rebooting", "ACTIVE", now, REBOOT)
        else:
            task, status, seconds = POWER[action]
            self.lifecycle.change_power(server, task, status, now, seconds)
        return empty(202)

    @staticmethod
    def _reboot_states(server: Server, value: Any) -> tuple[str, ...] | None:
        """States that the kind of reboot is allowed in; None when a hard one ends a soft one that runs."""
        kind = str(value.get("type") if isinstance(value, dict) else None).upper()
        if kind not in ("SOFT", "HARD"):
            raise Refusal(400, f"Invalid input for field/attribute type. Value: {kind}. Not one of SOFT, HARD")
        if kind == "SOFT":
            return ("ACTIVE",)
        return None if server.task == "rebooting" else ("ACTIVE", "SHUTOFF", "PAUSED", "SUSPENDED", "ERROR")

    def _ready(self, call: Call, server: Server, action: str, value: Any) -> None:
        name, states = ALLOWED[action]
        unlocked(call, server)
        if server.host is None and action in ("os-start", "os-stop") and server.status != "ERROR":
            raise Refusal(409, f"Instance {server.id} is not ready")
        if action == "reboot":
            found = self._reboot_states(server, value)
            if found is None:
                return
            states = found
        if server.task:
            raise Refusal(409, f"Cannot '{name}' instance {server.id} while it is in task_state {server.task}")
        if server.status not in states:
            state = VM_STATES.get(server.status, "active")
            raise Refusal(409, f"Cannot '{name}' instance {server.id} while it is in vm_state {state}")

    def _lock(self, call: Call, server: Server, value: Any) -> Response:
        reason = value.get("locked_reason") if isinstance(value, dict) else None
        if reason is not None and call.version < (2, 73):
            raise Refusal(
                400,
                f"Invalid input for field/attribute lock. Value: {value}. Additional properties are not allowed "
                "('locked_reason' was unexpected)",
            )
        self._record(call, server, "lock")
        server.locked, server.locked_reason, server.updated = True, reason, call.now
        return empty(202)

    def _unlock(self, call: Call, server: Server, value: Any) -> Response:
        self._record(call, server, "unlock")
        server.locked, server.locked_reason, server.updated = False, None, call.now
        return empty(202)

    def _move(self, call: Call, server: Server, value: Any) -> Response:
        unlocked(call, server)
        return self.moves.act(call, server, next(iter(call.json())), value)

    def _reset_state(self, call: Call, server: Server, value: Any) -> Response:
        wanted = value.get("state") if isinstance(value, dict) else None
        if wanted not in ("active", "error"):
            raise Refusal(400, f"Invalid input for field/attribute state. Value: {wanted}.")
        self._record(call, server, "resetState")
        server.status, server.task, server.updated = str(wanted).upper(), None, call.now
        return empty(202)

    def _resize(self, call: Call, server: Server, value: Any) -> Response:
        reference = value.get("flavorRef") if isinstance(value, dict) else None
        flavor = self.state.flavors.get(str(reference))
        if flavor is None:
            raise Refusal(400, f"Flavor {reference} could not be found.")
        self._record(call, server, "resize")
        self.lifecycle.resize(server, flavor, self.state.clock.now())
        return empty(202)

    def _console(self, call: Call, server: Server, value: Any) -> Response:
        return answer({"output": console_output(server, value, call.now, self.state)})

    def _create_image(self, call: Call, server: Server, value: Any) -> Response:
        # No lock stands in the way: nothing of the machine is changed.
        made = self.images.create(call, server, value)
        self._record(call, server, "createImage")
        return made
