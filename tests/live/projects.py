"""Projects that live as long as one test: made by an administrator, removed with everything in them."""

from __future__ import annotations

import secrets
from functools import cached_property
from typing import Any

from tests.contract.wire import Actor, Login, rows_of, wait_for

COMPUTE, STORAGE = "2.90", "3.60"


class Project:
    """A new project of the default domain with a member and a reader.

    `member` and `reader` are Actors scoped to it. `remove()` takes away all that is in it.
    """

    def __init__(self, admin: Actor) -> None:
        self.admin = admin
        self.name = f"test-{secrets.token_hex(4)}"
        self.password = secrets.token_hex(12)
        made = {"name": self.name, "domain_id": "default"}
        self.id = self._post("/projects", {"project": made})["project"]["id"]
        self.roles = {role["name"]: role["id"] for role in rows_of(admin.get("identity", "/roles"))}
        self.users: dict[str, str] = {}
        self.member = self.user("member")
        self.reader = self.user("reader")

    def _post(self, path: str, body: dict[str, Any]) -> Any:
        response = self.admin("identity", path, "POST", json=body)
        assert response.status_code == 201, response.text
        return response.json()

    def user(self, role: str) -> Actor:
        """A new user with one role in the project."""
        name = f"{self.name}-{role}"
        made = {"name": name, "domain_id": "default", "password": self.password}
        self.users[role] = self._post("/users", {"user": made})["user"]["id"]
        self.grant(self.users[role], role)
        return Actor(Login(self.admin.login.auth_url, name, self.password, project=self.name))

    def grant(self, user_id: str, role: str) -> None:
        """Give a user a role in the project; again is no error."""
        self._role("PUT", user_id, role)

    def revoke(self, user_id: str, role: str) -> None:
        """Take a role away; its tokens for the project stop working within seconds."""
        self._role("DELETE", user_id, role)

    def _role(self, method: str, user_id: str, role: str) -> None:
        path = f"/projects/{self.id}/users/{user_id}/roles/{self.roles[role]}"
        response = self.admin("identity", path, method)
        assert response.status_code == 204, response.text

    # -- things in it --------------------------------------------------------
    @cached_property
    def network_id(self) -> str:
        """A network with a subnet, made at the first use."""
        made = self.create("network", "/v2.0/networks", {"network": {"name": self.name}})["network"]
        subnet = {"network_id": made["id"], "ip_version": 4, "cidr": "10.99.0.0/24"}
        self.create("network", "/v2.0/subnets", {"subnet": subnet})
        return str(made["id"])

    def create(self, service: str, path: str, body: dict[str, Any], version: str | None = None) -> Any:
        """POST as the member; AssertionError unless it was accepted."""
        response = self.member(service, path, "POST", json=body, version=version)
        assert response.status_code in (200, 201, 202), response.text
        return response.json()

    def server(self, name: str = "machine", *, status: str = "ACTIVE", **more: Any) -> dict[str, Any]:
        """A small server on the project's network, once it has the status."""
        images = rows_of(self.member.get("image", "/v2/images?limit=100"))
        flavors = rows_of(self.member.get("compute", "/flavors/detail"))
        fitting = [flavor for flavor in flavors if flavor["disk"] >= 1]
        smallest = min(images, key=lambda image: (image["min_disk"], image["name"]))
        body = {
            "name": name,
            "imageRef": smallest["id"],
            "flavorRef": min(fitting, key=lambda flavor: (flavor["ram"], flavor["disk"]))["id"],
            "networks": [{"uuid": self.network_id}],
            **more,
        }
        made = self.create("compute", "/servers", {"server": body}, COMPUTE)["server"]

        def read() -> dict[str, Any]:
            server: dict[str, Any] = self.member.get("compute", f"/servers/{made['id']}", COMPUTE)["server"]
            return server

        return dict(wait_for(read, lambda server: server["status"] == status, 120))

    def volume(self, name: str = "disk", size: int = 1, **more: Any) -> dict[str, Any]:
        """A volume, once it is available."""
        body = {"volume": {"name": name, "size": size, **more}}
        made = self.create("block-storage", "/volumes", body, STORAGE)["volume"]
        return self._available("volumes", "volume", made["id"])

    def snapshot(self, volume_id: str, name: str = "point") -> dict[str, Any]:
        """A snapshot of a volume, once it is available."""
        body = {"snapshot": {"volume_id": volume_id, "name": name}}
        made = self.create("block-storage", "/snapshots", body, STORAGE)["snapshot"]
        return self._available("snapshots", "snapshot", made["id"])

    def _available(self, collection: str, key: str, item_id: str) -> dict[str, Any]:
        def read() -> dict[str, Any]:
            item: dict[str, Any] = self.member.get("block-storage", f"/{collection}/{item_id}", STORAGE)[key]
            return item

        return dict(wait_for(read, lambda item: item["status"] == "available"))

    def delete(self, service: str, path: str, seconds: float = 60) -> None:
        """Delete one thing as the administrator and wait until it is gone; gone already is fine.

        Asked again while it is refused: what is being changed, or deleted already, refuses for a moment.
        """
        gone = (202, 204, 404)
        wait_for(lambda: self.admin(service, path, "DELETE").status_code, lambda status: status in gone, seconds)
        wait_for(lambda: self.admin(service, path).status_code, lambda status: status == 404, seconds)

    # -- the end -------------------------------------------------------------
    def remove(self) -> None:
        """Everything in the project, its users, and the project, in the order the services want."""
        own = f"project_id={self.id}"
        self._delete_all("compute", "/servers", f"?all_tenants=1&{own}")
        for collection in ("backups", "snapshots", "volumes"):
            self._delete_all("block-storage", f"/{collection}", f"?all_tenants=1&{own}")
        for image in self._all("image", f"/v2/images?owner={self.id}"):
            self.delete("image", f"/v2/images/{image['id']}")
        self._remove_network(own)
        for user_id in self.users.values():
            self.delete("identity", f"/users/{user_id}")
        self.delete("identity", f"/projects/{self.id}")

    def _delete_all(self, service: str, collection: str, query: str) -> None:
        """All of a listing: asked for at once, then waited for, because each takes its time by itself."""
        paths = [f"{collection}/{item['id']}" for item in self._all(service, f"{collection}{query}")]
        for path in paths:
            self.admin(service, path, "DELETE")
        for path in paths:
            self.delete(service, path)

    def _remove_network(self, own: str) -> None:
        for collection in ("floatingips", "trunks"):
            for item in self._all("network", f"/v2.0/{collection}?{own}"):
                self.delete("network", f"/v2.0/{collection}/{item['id']}")
        for router in self._all("network", f"/v2.0/routers?{own}"):
            for port in self._all("network", f"/v2.0/ports?device_id={router['id']}"):
                path = f"/v2.0/routers/{router['id']}/remove_router_interface"
                self.admin("network", path, "PUT", json={"port_id": port["id"]})
            self.delete("network", f"/v2.0/routers/{router['id']}")
        for collection in ("ports", "networks", "security-groups"):
            for item in self._all("network", f"/v2.0/{collection}?{own}"):
                self.delete("network", f"/v2.0/{collection}/{item['id']}")

    def _all(self, service: str, path: str) -> list[dict[str, Any]]:
        return [row for page in self.admin.pages(service, path) for row in rows_of(page)]
