"""A caller of OpenStack APIs at the level of requests, so that tests see what is on the wire."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import requests

TIMEOUT = 120  # seconds; a lab on a machine that is busy with other things is slow and not broken
# What the version header calls a service.
VERSIONED = {"compute": "compute", "block-storage": "volume", "placement": "placement"}


@dataclass(frozen=True)
class Login:
    """A user with a password and a scope: a project's id, or the whole system when None."""

    auth_url: str
    user: str
    password: str
    domain: str = "Default"
    project: str | None = None
    project_domain: str = "Default"
    system: bool = False

    @classmethod
    def from_entry(cls, auth: Mapping[str, str], **changes: Any) -> Login:
        """From the `auth` part of a clouds.yaml entry."""
        known = {
            "auth_url": auth["auth_url"],
            "user": auth["username"],
            "password": auth["password"],
            "domain": auth.get("user_domain_name", "Default"),
            "project": auth.get("project_name"),
            "project_domain": auth.get("project_domain_name", "Default"),
            "system": "system_scope" in auth,
        }
        return cls(**(known | changes))

    def body(self) -> dict[str, Any]:
        """The body of POST /v3/auth/tokens."""
        user = {"name": self.user, "password": self.password, "domain": {"name": self.domain}}
        scope: dict[str, Any] = {"system": {"all": True}}
        if not self.system:
            scope = {"project": {"name": self.project, "domain": {"name": self.project_domain}}}
        return {"auth": {"identity": {"methods": ["password"], "password": {"user": user}}, "scope": scope}}


class Actor:
    """Somebody who calls the APIs with a token of their own, taken at the first call."""

    def __init__(self, login: Login) -> None:
        self.login = login
        self.session = requests.Session()
        # A proxy or a netrc of the machine must not get between the tests and the cloud.
        self.session.trust_env = False

    @cached_property
    def answer(self) -> requests.Response:
        """What POST /v3/auth/tokens answered."""
        return self.post_tokens(self.login.body())

    def post_tokens(self, body: Any) -> requests.Response:
        """Ask for a token with any body."""
        return self.session.post(f"{self.login.auth_url}/auth/tokens", json=body, timeout=TIMEOUT)

    @property
    def token(self) -> dict[str, Any]:
        """The token's document: user, roles, project or system, catalog."""
        assert self.answer.status_code == 201, self.answer.text
        document: dict[str, Any] = self.answer.json()["token"]
        return document

    @property
    def project_id(self) -> str:
        """The project the token is scoped to."""
        return str(self.token["project"]["id"])

    @cached_property
    def endpoints(self) -> dict[str, str]:
        """Public address by service type, as in the catalog, without a slash at the end."""
        found = {"identity": self.login.auth_url}
        for service in self.token["catalog"]:
            for endpoint in service["endpoints"]:
                if endpoint["interface"] == "public" and service["type"] != "identity":
                    found[service["type"]] = endpoint["url"].rstrip("/")
        return found

    def __call__(
        self,
        service: str,
        path: str,
        method: str = "GET",
        *,
        version: str | None = None,
        json: Any = None,
        headers: Mapping[str, str] | None = None,
    ) -> requests.Response:
        """Call a path below the service's endpoint, or a whole address, at a microversion."""
        url = path if path.startswith("http") else self.endpoints[service] + path
        sent = {"X-Auth-Token": self.answer.headers["X-Subject-Token"], "Accept": "application/json"}
        if version:
            sent["OpenStack-API-Version"] = f"{VERSIONED[service]} {version}"
        sent.update(headers or {})
        return self.session.request(method, url, json=json, headers=sent, timeout=TIMEOUT, allow_redirects=False)

    def get(self, service: str, path: str, version: str | None = None) -> Any:
        """The document of a GET that must succeed."""
        response = self(service, path, version=version)
        assert response.status_code == 200, f"{response.request.url}: {response.status_code} {response.text}"
        return response.json()

    def pages(self, service: str, path: str, version: str | None = None) -> Iterator[dict[str, Any]]:
        """The pages of a listing, following its links to the end."""
        while path:
            document = self.get(service, path, version)
            yield document
            path = next_link(document)
            if service == "image" and path:
                path = self.endpoints["image"] + path


def next_link(document: Mapping[str, Any]) -> str:
    """The address of the next page: `NAME_links`, Keystone's `links.next`, Glance's `next`; "" at the end."""
    if isinstance(document.get("next"), str):
        return str(document["next"])
    for key, value in document.items():
        if key.endswith("_links"):
            return next((link["href"] for link in value if link["rel"] == "next"), "")
    links = document.get("links")
    return str(links.get("next") or "") if isinstance(links, dict) else ""


def rows_of(document: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The list of a listing's document."""
    lists = [value for key, value in document.items() if isinstance(value, list) and not key.endswith("links")]
    assert len(lists) == 1, f"not a listing: {sorted(document)}"
    return list(lists[0])


def wait_for(read: Callable[[], Any], done: Callable[[Any], bool], seconds: float = 60) -> Any:
    """Read until `done`, and return what was read; AssertionError after `seconds`."""
    deadline = time.monotonic() + seconds
    while True:
        value = read()
        if done(value):
            return value
        assert time.monotonic() < deadline, f"still {value!r} after {seconds} s"
        time.sleep(0.1)


def error_of(response: requests.Response) -> tuple[str, str]:
    """(name, message) of an error body, whatever the service's way to write one."""
    document = response.json()
    if "errors" in document:
        return "errors", str(document["errors"][0]["detail"])
    if "title" in document:
        return str(document["title"]), str(document["message"])
    ((name, content),) = document.items()
    return name, str(content["message"] if isinstance(content, dict) else content)
