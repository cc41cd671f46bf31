"""Neutron v2.0: listings with fields, filters, markers and links, silently less for whoever is no administrator."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from engine.demo.access import Tokens
from engine.demo.answers import Refusal, answer, neutron_fault, unauthorized
from engine.demo.lifecycle import Lifecycle
from engine.demo.network_render import (
    agent_document,
    floating_document,
    group_document,
    network_document,
    port_document,
    router_document,
    rule_document,
    subnet_document,
    trunk_document,
)
from engine.demo.network_tags import FILTERS, TAGGED, tagged
from engine.demo.routing import Call, Routes, keep, take
from engine.demo.serving import Request, Response
from engine.demo.state import State
from engine.demo.tables import Table

PAGING = {"limit", "marker", "page_reverse", "sort_key", "sort_dir", "fields"}
NOT_FOUND = "The resource could not be found."


@dataclass
class Collection:
    """One of Neutron's collections; `missing` is the error's type and its words."""

    key: str
    single: str
    table: Table[Any]
    document: Callable[[Any, bool, int], dict[str, Any]]
    missing: tuple[str, str]
    admin_only: bool = False


def by_id(row: Any) -> str:
    """The key by which Neutron's lists are in order: the id."""
    return row.id


class Networking:
    """Neutron: its collections in pages with filters, fields and order; the root for its other routes."""

    name = "network"

    def __init__(self, state: State, tokens: Tokens, roots: dict[str, str], lifecycle: Lifecycle) -> None:
        from engine.demo.network_changes import add_changes
        from engine.demo.network_projects import add_projects

        self.state, self.tokens, self.lifecycle = state, tokens, lifecycle
        self.auth_url = roots["identity"]
        self.url = roots["network"]
        self.routes = Routes()
        on = self.routes.on
        self.collections = {row.key: row for row in self._collections()}
        for path, collection in self.collections.items():
            on("GET", f"/v2.0/{path}")(lambda call, collection=collection: self.listing(call, collection))
            on("GET", f"/v2.0/{path}/{{id}}")(lambda call, id, collection=collection: self.show(call, id, collection))
        add_projects(self)
        add_changes(self)

    def _collections(self) -> list[Collection]:
        state = self.state
        gone, none = "{name} {id} could not be found.", "{name} {id} does not exist"
        return [
            Collection("networks", "network", state.networks, network_document, ("NetworkNotFound", gone)),
            Collection("subnets", "subnet", state.subnets, subnet_document, ("SubnetNotFound", gone)),
            Collection("ports", "port", state.ports, port_document, ("PortNotFound", gone)),
            Collection("routers", "router", state.routers, router_document, ("RouterNotFound", gone[:-1])),
            Collection(
                "floatingips", "floatingip", state.floating_ips, floating_document, ("FloatingIPNotFound", gone[:-1])
            ),
            Collection(
                "security-groups", "security_group", state.security_groups, group_document,
                ("SecurityGroupNotFound", none)
            ),
            Collection(
                "security-group-rules", "security_group_rule", state.rules, rule_document,
                ("SecurityGroupRuleNotFound", none),
            ),
            Collection("trunks", "trunk", state.trunks, trunk_document, ("TrunkNotFound", gone)),
            Collection("agents", "agent", state.agents, agent_document, ("AgentNotFound", gone), admin_only=True),
        ]  # fmt: skip

    def refused(self, refusal: Refusal, call_id: str) -> Response:
        return neutron_fault(refusal)

    def handle(self, request: Request, path: str, request_id: str) -> Response:
        if path in ("", "/"):
            links = [{"rel": "self", "href": f"{self.url}/v2.0/"}]
            return answer({"versions": [{"id": "v2.0", "status": "CURRENT", "links": links}]})
        token = self.tokens.find(request.headers.get("x-auth-token"))
        if token is None:
            return unauthorized(self.auth_url, "network")
        if not path.startswith("/v2.0"):
            return answer({"code": 404, "title": "Not Found", "description": None}, 404)
        if path == "/v2.0/":
            rows = [
                {
                    "name": row.single,
                    "collection": row.key,
                    "links": [{"rel": "self", "href": f"{self.url}/v2.0/{row.key}"}],
                }
                for row in self.collections.values()
            ]
            return answer({"resources": rows})
        found = self.routes.find(request.method, path.removesuffix(".json"))
        if found is None:
            raise Refusal(404, NOT_FOUND, "HTTPNotFound")
        route, parameters = found
        return route(Call(request, token, path, self.url, request_id, now=self.state.now()), **parameters)

    # What a token sees

    def sees(self, call: Call, collection: Collection) -> Callable[[Any], bool] | None:
        """The silent filter; None when everything is visible."""
        token = call.token
        if token.project_admin:
            return None
        if collection.admin_only or not token.project:
            return lambda row: False
        project = token.project_id
        if collection.key == "networks":
            return lambda row: row.project == project or row.shared or row.external
        if collection.key == "subnets":
            return lambda row: row.project == project or row.network.shared or row.network.external
        if collection.key == "ports":
            return lambda row: row.project == project or row.network.project == project
        return lambda row: row.project == project

    # Listing

    def listing(self, call: Call, collection: Collection) -> Response:
        if collection.key.startswith("security-group") and call.token.project:
            self.lifecycle.maker.wiring.default_group(call.token.project_id, call.now)
        limit = self._limit(call)
        reverse = (call.request.first("page_reverse") or "").lower() in ("true", "1")
        tests = self._tests(call, collection)
        visible = self.sees(call, collection)
        if visible:
            tests.insert(0, visible)
        rows = keep(self._rows(call, collection, reverse), tests)
        found = take(rows, limit) if limit else list(rows)
        if reverse:
            found.reverse()
        body: dict[str, Any] = {}
        key = collection.key.replace("-", "_")
        body[key] = self._documents(call, collection, found)
        if limit:
            body[f"{key}_links"] = self.links(call, found, limit)
        return answer(body)

    @staticmethod
    def _limit(call: Call) -> int:
        """0 is no limit: pagination_max_limit is -1 as shipped."""
        text = call.request.first("limit")
        if text is None:
            return 0
        try:
            limit = int(text)
        except ValueError:
            limit = -1
        if limit < 0:
            raise Refusal(
                400, f"Bad limit request: Limit must be an integer 0 or greater and not '{text}'.", "BadRequest"
            )
        return limit

    def _rows(self, call: Call, collection: Collection, reverse: bool) -> Iterator[Any]:
        marker = call.request.first("marker")
        mark = collection.table.get(marker) if marker else None
        if marker and mark is None:
            kind, words = collection.missing
            raise Refusal(404, words.format(name=_title(collection.single), id=marker), kind)
        keys, directions = call.request.all("sort_key"), call.request.all("sort_dir")
        if not keys:
            return collection.table.after("id", by_id, mark.id if mark else None, descending=reverse)
        if len(keys) != len(directions):
            raise Refusal(400, "The number of sort_keys and sort_dirs must be same", "BadRequest")
        self._known(collection, keys[:1], "sort_keys")
        name, falling = keys[0], (directions[0] == "desc") != reverse

        def key(row: Any) -> Any:
            value = collection.document(row, True, call.now).get(name)
            return (value is not None, str(value), row.id)

        rows = sorted(collection.table, key=key, reverse=falling)
        if mark is None:
            return iter(rows)
        place = key(mark)
        return (row for row in rows if (key(row) < place if falling else key(row) > place))

    def _known(self, collection: Collection, names: list[str], what: str) -> None:
        sample = next(iter(collection.table), None)
        if sample is None:
            return
        known = collection.document(sample, True, 0)
        unknown = sorted({name for name in names if name not in known})
        if unknown:
            raise Refusal(400, f"{unknown} is invalid attribute for {what}")

    def _tests(self, call: Call, collection: Collection) -> list[Callable[[Any], bool]]:
        wanted: dict[str, list[str]] = {}
        for name, value in call.request.query:
            if name not in PAGING:
                wanted.setdefault(name, []).append(value)
        # With filter-validation on, as shipped, changed_since is refused like any unknown name (seen on 2026.2).
        self._known(collection, [name for name in wanted if name not in ("fixed_ips", *FILTERS)], "filtering")
        return [self._test(call, collection, name, values) for name, values in wanted.items()]

    @staticmethod
    def _test(call: Call, collection: Collection, name: str, values: list[str]) -> Callable[[Any], bool]:
        direct = {"project_id": "project", "tenant_id": "project", "id": "id", "device_id": "device_id", "name": "name"}
        column = direct.get(name)
        if column and collection.key != "agents":
            chosen = set(values)
            return lambda row: getattr(row, column, None) in chosen
        if name in FILTERS:
            if collection.key in TAGGED:
                return tagged(name, values)
            return lambda row: name.startswith("not-")
        if name == "fixed_ips":
            pairs = [value.partition("=")[::2] for value in values]
            return lambda row: all(
                any((subnet if kind == "subnet_id" else ip) == text for subnet, ip in row.fixed_ips)
                for kind, text in pairs
            )
        texts = {value.lower() if value.lower() in ("true", "false") else value for value in values}

        def test(row: Any) -> bool:
            value = collection.document(row, True, call.now).get(name)
            if isinstance(value, bool):
                return str(value).lower() in texts
            if isinstance(value, list):
                return any(str(part) in texts for part in value)
            return ("" if value is None else str(value)) in texts

        return test

    @staticmethod
    def _documents(call: Call, collection: Collection, rows: list[Any]) -> list[dict[str, Any]]:
        admin, now, document = call.token.project_admin, call.now, collection.document
        fields = call.request.all("fields")
        if not fields:
            return [document(row, admin, now) for row in rows]
        if fields == ["id"]:
            return [{"id": row.id} for row in rows]
        chosen = set(fields)
        return [{name: value for name, value in document(row, admin, now).items() if name in chosen} for row in rows]

    def links(self, call: Call, rows: list[Any], limit: int) -> list[dict[str, str]]:
        """Next when the page is full, previous always, as Neutron does."""
        asked = [pair for pair in call.request.query if pair[0] not in ("marker", "page_reverse")]
        url = f"{self.url}{call.path}"
        links = []
        if rows and len(rows) >= limit:
            links.append({"rel": "next", "href": f"{url}?{urlencode([*asked, ('marker', rows[-1].id)])}"})
        back = [*asked, ("marker", rows[0].id)] if rows else asked
        links.append({"rel": "previous", "href": f"{url}?{urlencode([*back, ('page_reverse', 'True')])}"})
        return links

    def find(self, call: Call, id: str, key: str) -> Any:
        """The row, if the token may see it. Raises Refusal(404) in the collection's words."""
        collection = self.collections[key]
        row = collection.table.get(id)
        visible = self.sees(call, collection)
        if row is None or (visible and not visible(row)):
            kind, words = collection.missing
            raise Refusal(404, words.format(name=_title(collection.single), id=id), kind)
        return row

    def show(self, call: Call, id: str, collection: Collection) -> Response:
        row = self.find(call, id, collection.key)
        return answer({collection.single: self._documents(call, collection, [row])[0]})


def _title(single: str) -> str:
    return {"floatingip": "Floating IP"}.get(single, single.replace("_", " ").capitalize())
