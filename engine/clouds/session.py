"""One account's session with its cloud: token, catalog, versions, and GET of raw bytes.

Built on keystoneauth1, which the SDK uses too: it logs in, renews the token, and retries once with a new token after a
401. Bodies are read
as bytes with a deadline; nothing here logs a request, a header or a body. One session may be used by many threads.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

from engine.clouds import entries, errors
from engine.clouds.entries import Entry
from engine.clouds.errors import CloudError

if TYPE_CHECKING:
    from keystoneauth1.access import AccessInfo

# The catalog's service types by the name that declarations use; older clouds still say volumev3.
ALIASES = {"block-storage": ("block-storage", "block-store", "volumev3", "volume")}
# What is put behind a catalog URL that names no version.
_VERSIONED = {"identity": "v3", "compute": "v2.1", "block-storage": "v3", "image": "v2", "network": "v2.0"}
_MICROVERSIONED = {"compute": "compute", "block-storage": "volume", "placement": "placement"}
_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds: to connect, between two bytes, and for one whole call."""

    connect: float = 10.0
    read: float = 60.0
    total: float = 300.0


@dataclass(frozen=True, slots=True)
class Token:
    """Who the account is at this moment. `scope` is "project:<id>", "domain:<id>", "system" or "" (unscoped)."""

    user_id: str
    user_name: str
    scope: str
    scope_name: str
    roles: tuple[str, ...]

    @property
    def project_id(self) -> str:
        return self.scope.removeprefix("project:") if self.scope.startswith("project:") else ""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A service of a region: versioned base URL, and the highest microversion both sides may use ("" = the service has
    none)."""

    service: str
    region: str
    url: str
    top: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer: status, headers by lower-cased name, and the body as it came (decompressed)."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def clock(self) -> datetime | None:
        """The service's own time (its Date header), or None."""
        try:
            return parsedate_to_datetime(self.headers["date"])
        except (KeyError, ValueError, TypeError):
            return None


class CloudSession:
    """A logged-in account. Raises CloudError from every method that talks to the cloud."""

    def __init__(self, entry: Entry, *, timeouts: Timeouts | None = None, project_id: str = "") -> None:
        """`project_id`: not the entry's own scope, but that project, by a role its user has there."""
        from keystoneauth1.session import Session

        self.entry = entry
        self.timeouts = timeouts or Timeouts()
        self._config = entries.region(entry, project_id)
        verify, cert = self._config.get_requests_verify_args()
        self._auth: Any = self._config.get_auth()
        self._session = Session(auth=self._auth, verify=verify, cert=cert, app_name="qdeck")
        self._session.timeout = (self.timeouts.connect, self.timeouts.read)  # type: ignore[assignment]
        self._interface = str(self._config.get_interface() or "public").removesuffix("URL")
        self._endpoints: dict[tuple[str, str], Endpoint] = {}
        self._lock = threading.Lock()
        self.auth_url = str(self._config.config.get("auth", {}).get("auth_url") or "")

    @property
    def name(self) -> str:
        """The clouds.yaml entry's name."""
        return self.entry.name

    def login(self) -> Token:
        """A new token; raises CloudError when the cloud refuses, does not answer, or the token has no scope."""
        self._auth.invalidate()
        token = self.token()
        if not token.scope:
            raise self._unscoped()
        return token

    def token(self) -> Token:
        """Who the token in force belongs to; logs in when there is none or it has expired."""
        access = self._access()
        project, domain = access.project_id, getattr(access, "domain_id", None)
        if project:
            scope, name = f"project:{project}", access.project_name or ""
        elif getattr(access, "system_scoped", False):
            scope, name = "system", "system"
        elif domain:
            scope, name = f"domain:{domain}", access.domain_name or ""
        else:
            scope, name = "", ""
        roles = tuple(sorted(access.role_names or ()))
        return Token(access.user_id or "", access.username or "", scope, name, roles)

    def confirm(self) -> Token:
        """Ask the cloud what the token in force may do *now*: roles can be taken away from a living token."""
        held = self.token()
        access = self._access()
        headers = {"X-Subject-Token": str(access.auth_token)}
        answer = self.get(f"{self.identity_url()}/auth/tokens?nocatalog=1", headers=headers)
        if answer.status != 200:
            raise errors.of_status(answer.status, answer.body, f"the identity service of {self.name}")
        import orjson

        try:
            roles = orjson.loads(answer.body)["token"].get("roles") or ()
            names = tuple(sorted(str(role["name"]) for role in roles))
        except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError):
            raise CloudError("broken", f"the identity service of {self.name} answered without a token") from None
        return Token(held.user_id, held.user_name, held.scope, held.scope_name, names)

    def identity_url(self) -> str:
        """The identity endpoint with its version: the cloud's identity."""
        return _versioned("identity", self.auth_url)

    def regions(self) -> list[str]:
        """Regions of the catalog that have more than identity; [""] when the catalog names none."""
        found = {
            str(endpoint.get("region_id") or endpoint.get("region") or "")
            for service in self._catalog()
            if service.get("type") not in ("identity", "placement")
            for endpoint in service.get("endpoints") or ()
            if self._public(endpoint)
        }
        return sorted(found) or [""]

    def services(self) -> set[str]:
        """Service types in the catalog, by the names that declarations use."""
        types = {str(service.get("type")) for service in self._catalog()}
        known = {name for name, others in ALIASES.items() if types.intersection(others)}
        return types | known | {"identity"}

    def endpoint(self, service: str, region: str = "") -> Endpoint:
        """The service's endpoint in that region, its microversions discovered once; raises CloudError("no_service")."""
        key = (service, region)
        with self._lock:
            if key in self._endpoints:
                return self._endpoints[key]
        url = _versioned(service, self._find_url(service, region))
        top = self._discover(service, url) if service in _MICROVERSIONED else ""
        with self._lock:
            return self._endpoints.setdefault(key, Endpoint(service, region, url, top))

    def get(
        self,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        what: str = "",
        max_bytes: int = 1 << 29,
        cancelled: Callable[[], bool] = lambda: False,
    ) -> Answer:
        """GET an absolute URL with the token. A 401 logs in again and retries once; redirects are not followed (they
        could leave the cloud).

        Raises CloudError when there is no answer, it is cut off, larger than `max_bytes`, or takes longer than the
        call may.
        """
        return self._exchange("GET", url, None, headers, what, max_bytes, cancelled)

    def send(
        self, method: str, url: str, json: Mapping[str, Any] | None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """Send a request that changes something, once: it is repeated only after a 401, which did nothing. For the
        gate's sessions (engine/clouds/writing.py); nobody else may. Raises as `get` does: then nobody knows whether
        the cloud did it.
        """
        return self._exchange(method, url, json, headers, "", 1 << 26, lambda: False)

    def _exchange(
        self,
        method: str,
        url: str,
        json: Mapping[str, Any] | None,
        headers: Mapping[str, str] | None,
        what: str,
        max_bytes: int,
        cancelled: Callable[[], bool],
    ) -> Answer:
        import requests
        import urllib3
        from keystoneauth1 import exceptions as ksa

        what = what or self._what(url)
        deadline = time.monotonic() + self.timeouts.total
        try:
            response = self._session.request(
                url,
                method,
                json=json,
                headers={"Accept": "application/json", **(headers or {})},
                stream=True,
                log=False,
                raise_exc=False,
                redirect=False,
                connect_retries=0,
                status_code_retries=0,
                timeout=(self.timeouts.connect, self.timeouts.read),
            )
            with response:
                body = _read(response.raw, deadline, max_bytes, cancelled, what)
        except (ksa.ClientException, requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
            raise errors.explain(error, what, url) from None
        return Answer(response.status_code, {name.lower(): value for name, value in response.headers.items()}, body)

    def close(self) -> None:
        """Drop the connections; the session is not used again."""
        self._session.session.close()

    def _access(self) -> AccessInfo:
        import requests
        from keystoneauth1 import exceptions as ksa

        what = f"the identity service of {self.name}"
        try:
            access = self._auth.get_access(self._session)
        except ksa.NotFound:
            raise CloudError(
                "broken", f"{what} answers 404 at {self.auth_url}; auth_url should end in /v3", status=404
            ) from None
        except (ksa.ClientException, requests.RequestException, OSError) as error:
            raise errors.explain(error, what, self.auth_url) from None
        except (AttributeError, KeyError, TypeError, ValueError):
            raise CloudError("broken", f"{what} answered the login with something that is no token") from None
        return access

    def _unscoped(self) -> CloudError:
        import orjson

        answer = self.get(f"{self.identity_url()}/auth/projects")
        try:
            projects = orjson.loads(answer.body).get("projects") or []
            names = [str(one.get("name")) for one in projects]
        except (orjson.JSONDecodeError, AttributeError, TypeError):
            names = []
        if not names:
            return CloudError(
                "no_projects", f"the user of {self.name!r} has no role in any project, so it can see nothing"
            )
        return CloudError(
            "unscoped",
            f"the entry {self.name!r} names no project; add `project_name` (the user may use {', '.join(names[:5])}) "
            "or `system_scope: all`",
        )

    def _catalog(self) -> list[dict[str, Any]]:
        catalog = getattr(self._access(), "service_catalog", None)
        if catalog is None:
            return []
        return [service for service in catalog.catalog if isinstance(service, dict)]

    def _public(self, endpoint: Mapping[str, Any]) -> bool:
        return str(endpoint.get("interface", "")).removesuffix("URL") == self._interface

    def _find_url(self, service: str, region: str) -> str:
        override = self._config.config.get(f"{service.replace('-', '_')}_endpoint_override")
        if isinstance(override, str) and override:
            return override
        wanted = ALIASES.get(service, (service,))
        found: dict[str, str] = {}
        for one in self._catalog():
            if one.get("type") not in wanted:
                continue
            for endpoint in one.get("endpoints") or ():
                if self._public(endpoint) and isinstance(endpoint.get("url"), str):
                    name = str(endpoint.get("region_id") or endpoint.get("region") or "")
                    found.setdefault(name, endpoint["url"])
        url = found.get(region) or (next(iter(found.values()), "") if not region else "")
        if not url and service == "identity":
            return self.auth_url
        if not url:
            where = f" in region {region}" if region else ""
            raise CloudError("no_service", f"{self.name} has no {service} service{where} in its catalog")
        return url

    def _discover(self, service: str, url: str) -> str:
        """Highest microversion the service has; "" when it names none."""
        import orjson

        root = re.sub(r"(/v\d[\d.]*)/.*$", r"\1", url)
        what = f"the {service} service of {self.name}"
        answer = self.get(f"{root}/", what=what)
        if answer.status >= 300:
            raise errors.of_status(answer.status, answer.body, what)
        try:
            found = orjson.loads(answer.body)
            versions = found.get("versions") or [found.get("version")]
            tops = [
                str(one.get("version") or one.get("max_version") or "") for one in versions if isinstance(one, dict)
            ]
        except (orjson.JSONDecodeError, AttributeError, TypeError):
            raise CloudError(
                "broken", f"the {service} service of {self.name} answers, but not as OpenStack does"
            ) from None
        return max((top for top in tops if top), key=number, default="")

    def _what(self, url: str) -> str:
        with self._lock:
            known = list(self._endpoints.values())
        for endpoint in known:
            if url.startswith(endpoint.url):
                return f"the {endpoint.service} service of {self.name}"
        return f"the cloud {self.name}"


def microversion_header(service: str, version: str) -> dict[str, str]:
    """The header that asks for a microversion."""
    return (
        {"OpenStack-API-Version": f"{_MICROVERSIONED[service]} {version}"}
        if version and service in _MICROVERSIONED
        else {}
    )


def number(version: str) -> tuple[int, ...]:
    """A version as a sortable tuple: "2.96" -> (2, 96); anything unreadable is (0,)."""
    try:
        return tuple(int(part) for part in version.removeprefix("v").split("."))
    except ValueError:
        return (0,)


def negotiate(wanted: str, top: str) -> str:
    """The microversion to ask for: the highest that both know; "" when either has none."""
    if not wanted or not top:
        return ""
    return min(wanted, top, key=number)


def skew(answer: Answer, now: datetime) -> float:
    """Seconds the service's clock is ahead of `now`."""
    clock = answer.clock
    return (clock - now).total_seconds() if clock is not None and clock.tzinfo else 0.0


def _versioned(service: str, url: str) -> str:
    base = url.rstrip("/")
    if service == "identity":
        base = re.sub(r"/v2\.0$", "", base)
    version = _VERSIONED.get(service)
    if version is None or re.search(r"/v\d[\d.]*(/|$)", re.sub(r"^[a-z]+://[^/]*", "", base)):
        return base
    return f"{base}/{version}"


def _read(raw: Any, deadline: float, max_bytes: int, cancelled: Callable[[], bool], what: str) -> bytes:
    chunks: list[bytes] = []
    size = 0
    while chunk := raw.read(_CHUNK, decode_content=True):
        chunks.append(chunk)
        size += len(chunk)
        if size > max_bytes:
            raise CloudError("broken", f"{what} sent an answer of more than {max_bytes >> 20} MB")
        if time.monotonic() > deadline:
            raise CloudError("timeout", f"{what} took too long to send its answer")
        if cancelled():
            raise CloudError("unreachable", "cancelled")
    return chunks[0] if len(chunks) == 1 else b"".join(chunks)
