"""A session of the gate whose login is refused at last is not kept: whoever asks next learns why, or is lent a role."""

from __future__ import annotations

from typing import Any

import pytest

from engine.clouds.errors import CloudError, Kind
from engine.clouds.session import Endpoint, Token
from engine.clouds.writing import AccountSession


class Session:
    """Answers nothing but a problem."""

    name = "prod"

    def __init__(self, kind: Kind) -> None:
        self.kind = kind

    def endpoint(self, service: str, region: str) -> Endpoint:
        return Endpoint(service, region, "http://cloud.invalid/v3", "3.71")

    def get(self, *given: Any, **more: Any) -> Any:
        raise CloudError(self.kind, "no")

    send = get


@pytest.mark.parametrize("call", ["get", "send"])
@pytest.mark.parametrize(("kind", "dropped"), [("password", 1), ("broken", 0), ("denied", 0)])
def test_only_a_refused_login_ends_a_session(kind: Kind, dropped: int, call: str) -> None:
    told: list[bool] = []
    token = Token("u1", "robot", "project:p1", "shop", ("member",))
    session = AccountSession(Session(kind), token, lambda: told.append(True))  # type: ignore[arg-type]
    with pytest.raises(CloudError):
        if call == "get":
            session.get("block-storage", "RegionOne", "/volumes/v1")
        else:
            session.send("POST", "block-storage", "RegionOne", "/snapshots", {})
    assert len(told) == dropped
