"""A session of a project: an account that has no role there is not asked again for every call of a job."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from engine.clouds import writing
from engine.clouds.accounts import Account
from engine.clouds.errors import CloudError
from engine.clouds.writing import WriteSessions
from engine.gate.models import NoRole
from store.ops.ops import Ops


class Clouds:
    """Two accounts of one cloud: a reader somewhere else, and an administrator."""

    def __init__(self) -> None:
        self.members = [
            Account("a1", "east", "watcher", "x", Path("x"), "x", "project:p9", "watcher", ("member",)),
            Account("a2", "east", "boss", "x", Path("x"), "x", "project:p0", "boss", ("admin",)),
        ]

    def on_remove(self, callback: Any) -> None: ...

    def accounts(self, cloud: str) -> list[Account]:
        return self.members


class Sessions(WriteSessions):
    """Logs in to nothing: `held` are (account, project) that have a role."""

    held: set[tuple[str, str]]
    tried: list[tuple[str, str]]

    def _open(self, account: Account, project_id: str) -> Any:
        self.tried.append((account.name, project_id))
        if (account.name, project_id) not in self.held:
            raise CloudError("password", "no role in the project")
        return SimpleNamespace(project_id=project_id, roles=("member",), account=account.name)


@pytest.fixture
def sessions(tmp_path: Path) -> Iterator[Sessions]:
    with closing(Ops.open(tmp_path / "ops.sqlite")) as ops:
        made = Sessions(ops, Clouds())  # type: ignore[arg-type]
        made.held, made.tried = set(), []
        yield made


def test_who_has_no_role_is_not_asked_again_at_once(sessions: Sessions, monkeypatch: pytest.MonkeyPatch) -> None:
    sessions.held = {("boss", "p1")}
    for _ in range(3):
        assert sessions.session("east", "tenant", "p1").account == "boss"
    assert sessions.tried.count(("watcher", "p1")) == 1 and sessions.tried.count(("boss", "p1")) == 3
    monkeypatch.setattr(writing, "_REFUSED_SECONDS", 0.0)
    sessions.session("east", "tenant", "p1")
    assert sessions.tried.count(("watcher", "p1")) == 2


def test_a_role_that_was_given_counts_at_once(sessions: Sessions) -> None:
    for _ in range(2):
        with pytest.raises(NoRole, match="openstack role add"):
            sessions.session("east", "tenant", "p1")
    assert len(sessions.tried) == 2
    sessions.held = {("boss", "p1")}
    sessions.forget_project("east", "p2")
    with pytest.raises(NoRole):
        sessions.session("east", "tenant", "p1")
    sessions.forget_project("east", "p1")
    assert sessions.session("east", "tenant", "p1").account == "boss"


def test_a_cloud_that_does_not_answer_is_no_answer(sessions: Sessions, monkeypatch: pytest.MonkeyPatch) -> None:
    def down(account: Account, project_id: str) -> Any:
        sessions.tried.append((account.name, project_id))
        raise CloudError("timeout", "nobody answers")

    monkeypatch.setattr(sessions, "_open", down)
    for _ in range(2):
        with pytest.raises(CloudError, match="nobody answers"):
            sessions.session("east", "tenant", "p1")
    assert len(sessions.tried) == 2, "it is asked again"
