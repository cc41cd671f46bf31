"""Placement: compute hosts as resource providers, with what they have and what is used. Administrators only."""

from __future__ import annotations

from typing import Any

from engine.demo.access import Tokens
from engine.demo.answers import Refusal, answer, placement_fault, unauthorized
from engine.demo.placement_candidates import RATIOS, TRAITS, aggregates_of, candidates, inventory, traits_of
from engine.demo.records import Host, Server
from engine.demo.routing import Call, Routes, Version, asked_version, version_of
from engine.demo.serving import Request, Response
from engine.demo.state import State

LOW, HIGH = (1, 0), (1, 39)


class Placement:
    """Placement, to read: resource providers, their inventories and usages, allocations of consumers."""

    name = "placement"

    def __init__(self, state: State, tokens: Tokens, roots: dict[str, str]) -> None:
        self.state, self.tokens = state, tokens
        self.auth_url = roots["identity"]
        self.routes = Routes()
        on = self.routes.on
        on("GET", "/resource_providers")(self.providers)
        on("GET", "/resource_providers/{id}")(self.provider)
        for part in ("inventories", "usages", "allocations", "aggregates", "traits"):
            on("GET", f"/resource_providers/{{id}}/{part}")(getattr(self, part))
        on("GET", "/allocations/{id}")(self.consumer)
        on("GET", "/allocation_candidates")(lambda call: candidates(self.state, call))
        on("GET", "/usages")(self.project_usages)
        on("GET", "/traits")(self.all_traits)
        on("GET", "/resource_classes")(self.classes)

    def refused(self, refusal: Refusal, call_id: str) -> Response:
        return placement_fault(refusal, call_id)

    def handle(self, request: Request, path: str, request_id: str) -> Response:
        if path in ("", "/"):
            links = [{"rel": "self", "href": ""}]
            version = {"id": "v1.0", "max_version": "1.39", "min_version": "1.0", "status": "CURRENT", "links": links}
            return answer({"versions": [version]})
        token = self.tokens.find(request.headers.get("x-auth-token"))
        if token is None:
            return unauthorized(self.auth_url, "placement")
        text = asked_version(request, "placement")
        asked: Version = self._version(text) if text else LOW
        try:
            found = self.routes.find(request.method, path)
        except Refusal:
            raise Refusal(405, "The method specified is not allowed for this resource.\n\n   ") from None
        if found is None:
            raise Refusal(404, "The resource could not be found.\n\n   ")
        route, parameters = found
        rule = path.strip("/").split("/")[0]
        rule = rule if rule == "usages" else f"{rule}:list"
        if not token.project_admin:
            reason = f"placement:{rule}" if token.system else f"Policy does not allow placement:{rule} to be performed."
            raise Refusal(403, f"Access was denied to this resource.\n\n {reason}  ", "placement.undefined_code")
        response = route(Call(request, token, path, "", request_id, asked, self.state.now()), **parameters)
        response.headers += [
            ("OpenStack-API-Version", f"placement {asked[0]}.{asked[1]}"),
            ("Vary", "openstack-api-version"),
        ]
        return response

    @staticmethod
    def _version(text: str) -> Version:
        try:
            return version_of(text, LOW, HIGH)
        except Refusal as refusal:
            if refusal.status == 406:
                message = (
                    "The resource could not be generated that was acceptable to your browser (content of type "
                    f"application/json. \n\n Invalid microversion: Unacceptable version header: {text}"
                )
            else:
                message = (
                    "The server could not comply with the request since it is either malformed or otherwise "
                    f"incorrect.\n\n Invalid microversion: invalid version string: {text}  "
                )
            raise Refusal(refusal.status, message) from None

    # Providers

    def _document(self, host: Host, version: Version) -> dict[str, Any]:
        url = f"/resource_providers/{host.provider_id}"
        names = ["inventories", "usages"]
        if version >= (1, 1):
            names.append("aggregates")
        if version >= (1, 6):
            names.append("traits")
        if version >= (1, 11):
            names.append("allocations")
        document: dict[str, Any] = {
            "uuid": host.provider_id,
            "name": host.name,
            "generation": host.generation,
            "links": [{"rel": "self", "href": url}, *({"rel": name, "href": f"{url}/{name}"} for name in names)],
        }
        if version >= (1, 14):
            document |= {"parent_provider_uuid": None, "root_provider_uuid": host.provider_id}
        return document

    def _hosts(self) -> list[Host]:
        return sorted(self.state.hosts, key=lambda host: host.number)

    def _find(self, id: str) -> Host:
        for host in self.state.hosts:
            if host.provider_id == id:
                return host
        raise Refusal(
            404,
            f"The resource could not be found.\n\n No resource provider with uuid {id} found  ",
            "placement.undefined_code",
        )

    def providers(self, call: Call) -> Response:
        hosts = self._hosts()
        for name, value in call.request.query:
            if name == "name":
                hosts = [host for host in hosts if host.name == value]
            elif name == "uuid":
                hosts = [host for host in hosts if host.provider_id == value]
        return answer({"resource_providers": [self._document(host, call.version) for host in hosts]})

    def provider(self, call: Call, id: str) -> Response:
        return answer(self._document(self._find(id), call.version))

    def inventories(self, call: Call, id: str) -> Response:
        host = self._find(id)
        rows = inventory(host)
        return answer({"resource_provider_generation": host.generation, "inventories": rows})

    def usages(self, call: Call, id: str) -> Response:
        host = self._find(id)
        used = {"VCPU": host.vcpus_used, "MEMORY_MB": host.ram_used, "DISK_GB": host.disk_used}
        return answer({"resource_provider_generation": host.generation, "usages": used})

    @staticmethod
    def _resources(server: Server) -> dict[str, int]:
        flavor = server.flavor
        found = {"MEMORY_MB": flavor.ram, "VCPU": flavor.vcpus}
        return found if server.from_volume else {"DISK_GB": flavor.disk, **found}

    def allocations(self, call: Call, id: str) -> Response:
        host = self._find(id)
        rows = {
            server.id: {"resources": self._resources(server), "consumer_generation": 1}
            for server in self.state.servers
            if server.host is host
        }
        return answer({"allocations": rows, "resource_provider_generation": host.generation})

    def aggregates(self, call: Call, id: str) -> Response:
        host = self._find(id)
        return answer({"aggregates": aggregates_of(self.state, host), "resource_provider_generation": host.generation})

    def traits(self, call: Call, id: str) -> Response:
        host = self._find(id)
        traits = traits_of(host)
        return answer({"traits": traits, "resource_provider_generation": host.generation})

    def consumer(self, call: Call, id: str) -> Response:
        server = self.state.servers.get(id)
        if server is None or server.host is None:
            return answer({"allocations": {}})
        host = server.host
        rows = {host.provider_id: {"resources": self._resources(server), "generation": host.generation}}
        body: dict[str, Any] = {"allocations": rows}
        if call.version >= (1, 12):
            body |= {"project_id": server.project, "user_id": server.user}
        if call.version >= (1, 28):
            body["consumer_generation"] = 1
        if call.version >= (1, 38):
            body["consumer_type"] = "INSTANCE"
        return answer(body)

    def project_usages(self, call: Call) -> Response:
        project = call.request.first("project_id")
        used: dict[str, int] = {}
        for server in self.state.servers:
            if server.project == project and server.host:
                for name, value in self._resources(server).items():
                    used[name] = used.get(name, 0) + value
        return answer({"usages": used})

    def all_traits(self, call: Call) -> Response:
        return answer({"traits": sorted(TRAITS)})

    def classes(self, call: Call) -> Response:
        links = "/resource_classes/"
        return answer(
            {"resource_classes": [{"name": name, "links": [{"rel": "self", "href": links + name}]} for name in RATIOS]}
        )
