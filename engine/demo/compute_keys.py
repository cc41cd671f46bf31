"""Key pairs and server groups as people make and remove them; the lists are in compute_lists."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from engine.demo.answers import Refusal, answer, empty
from engine.demo.compute import denied, require_member
from engine.demo.keys import fingerprint, public_key
from engine.demo.quotas import compute_usage
from engine.demo.records import Keypair, ServerGroup
from engine.demo.routing import Call
from engine.demo.serving import Response

if TYPE_CHECKING:
    from engine.demo.compute import Compute

POLICIES = ("anti-affinity", "affinity", "soft-anti-affinity", "soft-affinity")


def add_keys(compute: Compute) -> None:
    """Route making and removing of key pairs and server groups."""
    keys = Keys(compute)
    on = compute.routes.on
    on("POST", "/os-keypairs")(keys.create)
    on("DELETE", "/os-keypairs/{name}")(keys.delete)
    on("POST", "/os-server-groups")(keys.create_group)
    on("DELETE", "/os-server-groups/{id}")(keys.delete_group)


class Keys:
    """Key pairs belong to users, server groups to projects."""

    def __init__(self, compute: Compute) -> None:
        self.state = compute.state

    @staticmethod
    def _owner(call: Call, user: str | None, rule: str) -> str:
        if user and user != call.token.user.id and not call.token.project_admin:
            raise denied(f"os_compute_api:os-keypairs:{rule}")
        return user or call.token.user.id

    @staticmethod
    def _fingerprint(public: str) -> str:
        try:
            return fingerprint(public)
        except ValueError:
            raise Refusal(400, "Keypair data is invalid: failed to generate fingerprint") from None

    def create(self, call: Call) -> Response:
        body = call.document("keypair")
        if not isinstance(body, dict):
            raise Refusal(400, f"Invalid input for field/attribute keypair. Value: {body}.")
        user = self._owner(call, body.get("user_id") if call.version >= (2, 10) else None, "create")
        for name in ("name", *(("type", "public_key") if call.version >= (2, 92) else ())):
            if name not in body and not (name == "type"):
                raise Refusal(
                    400,
                    f"Invalid input for field/attribute keypair. Value: {body}. '{name}' is a required property",
                )
        name, public = str(body["name"]), body.get("public_key")
        if not re.fullmatch(r"[\w @.\-]{1,255}", name):
            raise Refusal(400, f"Invalid input for field/attribute name. Value: {name}.")
        if any(pair.name == name and pair.user == user for pair in self.state.keypairs):
            raise Refusal(409, f"Key pair '{name}' already exists.")
        made = None
        if public is None:
            made = f"-----BEGIN RSA PRIVATE KEY-----\n{name}: opens nothing\n-----END RSA PRIVATE KEY-----\n"
            public = public_key(name, "Generated-by-Nova")
        pair = Keypair(
            name, user, str(public), self._fingerprint(str(public)), call.now, str(body.get("type") or "ssh")
        )
        self.state.keypairs.append(pair)
        self.state.keypairs.sort(key=lambda row: (row.user, row.name))
        document: dict[str, Any] = {
            "name": name,
            "public_key": pair.public_key,
            "fingerprint": pair.fingerprint,
            "user_id": user,
        }
        if call.version >= (2, 2):
            document["type"] = pair.kind
        if made:
            document["private_key"] = made
        return answer({"keypair": document}, 201 if call.version >= (2, 2) else 200)

    def delete(self, call: Call, name: str) -> Response:
        user = self._owner(call, call.request.first("user_id") if call.version >= (2, 10) else None, "delete")
        left = [pair for pair in self.state.keypairs if (pair.name, pair.user) != (name, user)]
        if len(left) == len(self.state.keypairs):
            raise Refusal(404, f"Keypair {name} not found for user {user}")
        self.state.keypairs[:] = left
        return empty(204 if call.version >= (2, 2) else 202)

    # Server groups

    def create_group(self, call: Call) -> Response:
        require_member(call, "os_compute_api:os-server-groups:create")
        body = call.document("server_group")
        body = body if isinstance(body, dict) else {}
        policy = body.get("policy") if call.version >= (2, 64) else next(iter(body.get("policies") or ()), None)
        if policy not in POLICIES:
            words = ", ".join(f"'{name}'" for name in POLICIES)
            raise Refusal(
                400,
                f"Invalid input for field/attribute policy. Value: {policy}. {policy!r} is not one of [{words}]",
            )
        project = call.token.project
        assert project is not None
        limit = project.compute_quota["server_groups"]
        if 0 <= limit <= compute_usage(self.state, project.id).get(project.id, {}).get("server_groups", 0):
            raise Refusal(403, "Quota exceeded, too many server groups.")
        group = ServerGroup(
            self.state.dice.uuid(), str(body.get("name") or ""), project.id, call.token.user.id, str(policy), [],
            body.get("rules") or None,
        )  # fmt: skip
        self.state.server_groups.add(group)
        document: dict[str, Any] = {"id": group.id, "name": group.name, "members": []}
        if call.version >= (2, 64):
            document |= {"policy": group.policy, "rules": group.rules or {}}
        else:
            document |= {"policies": [group.policy], "metadata": {}}
        if call.version >= (2, 13):
            document |= {"project_id": group.project, "user_id": group.user}
        return answer({"server_group": document})

    def delete_group(self, call: Call, id: str) -> Response:
        require_member(call, "os_compute_api:os-server-groups:delete")
        group = self.state.server_groups.get(id)
        if group is None or not (group.project == call.token.project_id or call.token.project_admin):
            raise Refusal(404, f"Instance group {id} could not be found.")
        for member in group.members:
            server = self.state.servers.get(member)
            if server is not None:
                server.server_group = None
        self.state.server_groups.remove(id)
        return empty(204)
