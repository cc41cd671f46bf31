"""Sessions for the gate: the only ones that can send what changes a cloud. Nobody but the gate is given them.

Three kinds, never mixed (Nova and Cinder create in the token's project):

    admin, read   an account as configured, an administrator's where there is one
    tenant        scoped to the resource's own project: an account that is, or a user who has a role there
"""

from __future__ import annotations

import contextlib
import shlex
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from engine.clouds import accounts as stored
from engine.clouds.errors import CloudError
from engine.clouds.session import Answer, CloudSession, Token, microversion_header, negotiate
from engine.gate.models import NoRole, SessionKind

if TYPE_CHECKING:
    from engine.clouds.accounts import Account
    from engine.clouds.service import CloudService
    from store.ops.ops import Ops

_KEPT = 64  # sessions of (account, project)
_REFUSED_SECONDS = 20.0  # how long an account that has no role in a project is not tried again
_ADMIN = "admin"
# Roles that change nothing: a token with no other is not for writing.
_LOOKERS = frozenset({"reader", "auditor", "observer"})


class AccountSession:
    """One account in one scope: asks and sends below a service's endpoint. Thread-safe. Raises CloudError."""

    def __init__(self, session: CloudSession, token: Token, refused: Callable[[], None] = lambda: None) -> None:
        """`refused()` is told when the login is refused at last: the role or the password is gone."""
        self._session, self._refused = session, refused
        self.account = session.name
        self.project_id = token.project_id
        self.user_id = token.user_id
        self.roles = token.roles

    def get(
        self, service: str, region: str, path: str, microversion: str = "", query: Sequence[tuple[str, str]] = ()
    ) -> Answer:
        """Ask. `path` lies below the service's versioned endpoint."""
        url, headers = self._address(service, region, path, microversion)
        with self._watched():
            return self._session.get(f"{url}?{urlencode(list(query))}" if query else url, headers=headers)

    def send(
        self,
        method: str,
        service: str,
        region: str,
        path: str,
        body: Mapping[str, object] | None,
        microversion: str = "",
    ) -> Answer:
        """Send once. A 401 logs in again and repeats it: it did nothing."""
        url, headers = self._address(service, region, path, microversion)
        with self._watched():
            return self._session.send(method, url, body, headers)

    def top(self, service: str, region: str) -> str:
        """The service's highest microversion, asked for once; "" where it has none."""
        return self._session.endpoint(service, region).top

    def close(self) -> None:
        """Drop its connections."""
        self._session.close()

    @contextlib.contextmanager
    def _watched(self) -> Iterator[None]:
        try:
            yield
        except CloudError as error:
            if error.kind == "password":
                self._refused()
            raise

    def _address(self, service: str, region: str, path: str, microversion: str) -> tuple[str, dict[str, str]]:
        endpoint = self._session.endpoint(service, region)
        return f"{endpoint.url}{path}", microversion_header(service, negotiate(microversion, endpoint.top))


class WriteSessions:
    """See the module; what the gate calls `Sessions`. Logins are kept and shared."""

    def __init__(self, ops: Ops, clouds: CloudService) -> None:
        self._ops = ops
        self._clouds = clouds
        self._kept: OrderedDict[tuple[str, str, str], AccountSession] = OrderedDict()
        self._refused: dict[tuple[str, str, str], tuple[float, CloudError]] = {}
        self._lock = threading.Lock()
        clouds.on_remove(self.forget)

    def names(self) -> list[str]:
        """Names of all clouds."""
        return self._clouds.names()

    def regions(self, cloud: str) -> list[str]:
        """Regions of the cloud, as its accounts' catalogs have them; raises CloudError("unknown")."""
        return sorted({region for account in self._clouds.accounts(cloud) for region in account.regions})

    def always_writable(self, cloud: str) -> bool:
        """Whether the cloud was added without read-only mode, as the demo is."""
        return any(account.writable for account in stored.every(self._ops, cloud))

    def account(self, cloud: str, kind: SessionKind, project_id: str = "") -> str:
        """The entry that such a session would use first; "" when the cloud is not known."""
        found = order(stored.every(self._ops, cloud), kind, project_id)
        return found[0].name if found else ""

    def session(self, cloud: str, kind: SessionKind, project_id: str = "") -> AccountSession:
        """A session of that kind; raises CloudError, and NoRole when no account's user has a role in the project.

        What is to be done without a role is decided by who asks: engine/clouds/grants.py may give one for a job.
        """
        members = order(self._clouds.accounts(cloud), kind, project_id)
        if kind == "tenant" and project_id:
            return self._tenant(cloud, members, project_id)
        failure: CloudError | None = None
        for account in members:
            try:
                return self._open(account, "")
            except CloudError as error:
                failure = error
        assert failure is not None  # a cloud without accounts is unknown
        raise failure

    def forget(self, cloud: str) -> None:
        """Close the cloud's sessions."""
        with self._lock:
            gone = [self._kept.pop(key) for key in [key for key in self._kept if key[0] == cloud]]
        for session in gone:
            session.close()

    def forget_project(self, cloud: str, project_id: str) -> None:
        """Close the sessions of that project: a role in it was given or taken, and old tokens do not know."""
        with self._lock:
            keys = [key for key in self._kept if key[0] == cloud and key[2] == project_id]
            gone = [self._kept.pop(key) for key in keys]
            for refused in [key for key in self._refused if key[0] == cloud and key[2] == project_id]:
                del self._refused[refused]
        for session in gone:
            session.close()

    def user(self, cloud: str, account: str) -> str:
        """Name of the user that an account logs in as; "" when it is not known."""
        found = (one.user for one in stored.every(self._ops, cloud) if one.name == account)
        return next(found, "")

    def role_command(self, cloud: str, project_id: str) -> str:
        """What an administrator runs so that a session of the project can be had."""
        members = order(stored.every(self._ops, cloud), "tenant", project_id)
        user = next((account.user for account in members if account.user), "USER")
        return shlex.join(["openstack", "role", "add", "--user", user, "--project", project_id, "member"])

    def close(self) -> None:
        """Close every session."""
        with self._lock:
            gone = list(self._kept.values())
            self._kept.clear()
        for session in gone:
            session.close()

    def _tenant(self, cloud: str, members: Sequence[Account], project_id: str) -> AccountSession:
        refused: CloudError | None = None
        for account in members:
            own = account.scope == f"project:{project_id}"
            key = (cloud, account.id, project_id)
            if (lately := self._lately(key)) is not None:
                refused = lately
                continue
            try:
                session = self._open(account, "" if own else project_id)
            except CloudError as error:
                if error.kind not in ("password", "bad_entry", "denied"):
                    raise  # not an answer to the question whether there is a role
                refused = error
                with self._lock:
                    self._refused[key] = (time.monotonic(), error)
                continue
            if session.project_id == project_id and not set(session.roles) <= _LOOKERS:
                return session
        command = self.role_command(cloud, project_id)
        raise NoRole(
            f"no account of {cloud} has a role in the project {project_id} that may change anything there; an "
            f"administrator gives it with: {command}",
            command,
        ) from refused

    def _lately(self, key: tuple[str, str, str]) -> CloudError | None:
        """Why the account got no token of the project a moment ago: it is not asked again for every call of a job."""
        with self._lock:
            at, error = self._refused.get(key, (float("-inf"), None))
        return error if time.monotonic() - at < _REFUSED_SECONDS else None

    def _open(self, account: Account, project_id: str) -> AccountSession:
        key = (account.cloud, account.id, project_id)
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
        if project_id:
            session = CloudSession(account.entry, timeouts=self._clouds.timeouts(), project_id=project_id)
            token = session.login()
            if session.identity_url() != account.identity:
                raise CloudError("bad_entry", f"the entry {account.name!r} now points to another cloud")
            # Whoever asks next learns that there is no role, and what to do, or is given one.
            made = AccountSession(session, token, lambda: self.forget_project(account.cloud, project_id))
        else:
            connected = self._clouds.connect(account)
            made = AccountSession(connected.session, connected.token)
        with self._lock:
            kept = self._kept.setdefault(key, made)
            dropped = self._kept.popitem(last=False)[1] if len(self._kept) > _KEPT else None
        if dropped is not None and dropped is not kept:
            dropped.close()
        return kept


def order(members: Sequence[Account], kind: SessionKind, project_id: str = "") -> list[Account]:
    """The cloud's accounts as they are to be tried for a session of that kind, the best one first."""

    def rank(account: Account) -> tuple[int, str]:
        own = account.scope == f"project:{project_id}" if project_id else False
        scoped = account.scope.startswith("project:")
        admin = _ADMIN in account.roles
        looks = set(account.roles) <= _LOOKERS
        if kind == "tenant":
            # Its own project as it is; else an administrator last, whose role would be wider than needed.
            return (0 if own and not looks else 1 if not admin else 2), account.name
        if admin and scoped:
            return 0, account.name
        return (1 if own and not looks else 2 if not looks else 3), account.name

    return sorted(members, key=rank)
