"""The proxy itself: it must change nothing but what it is told to break."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import requests

from tests.contract.wire import Actor, Login
from tests.live.fault_proxy import FaultProxy
from tests.live.lab_cloud import LabCloud

pytestmark = pytest.mark.live
PORTS = "/v2.0/ports?limit=1000"


@pytest.fixture
def proxy() -> Iterator[FaultProxy]:
    made = FaultProxy()
    yield made
    made.close()


@pytest.fixture
def actor(lab: LabCloud, proxy: FaultProxy) -> Actor:
    """The administrator, signed in through the proxy."""
    auth = lab.entries["lab-admin"]["auth"]
    return Actor(Login.from_entry(auth, auth_url=proxy.through(auth["auth_url"])))


def test_answers_pass_unchanged_and_stay_in_the_proxy(lab: LabCloud, proxy: FaultProxy, actor: Actor) -> None:
    direct = lab.actor("lab-admin")
    assert str(proxy.port) in actor.endpoints["network"]
    assert actor.get("network", PORTS)["ports"] == direct.get("network", PORTS)["ports"]
    assert proxy.requests[-1] == PORTS


def test_small_pages_still_add_up(lab: LabCloud, proxy: FaultProxy, actor: Actor) -> None:
    whole = {row["id"] for row in lab.actor("lab-admin").get("network", PORTS)["ports"]}
    proxy.page_limit = 5
    pages = list(actor.pages("network", PORTS))
    assert len(pages) >= len(whole) // 5
    assert {row["id"] for page in pages for row in page["ports"]} == whole


def test_faults_strike_after_the_given_number_and_end_with_the_block(proxy: FaultProxy, actor: Actor) -> None:
    with proxy.broken("/v2.0/ports", "status", after=1, status=503):
        assert actor("network", PORTS).status_code == 200
        assert actor("network", PORTS).status_code == 503
        assert actor("network", "/v2.0/networks").status_code == 200
    assert actor("network", PORTS).status_code == 200


def test_truncated_and_reset_answers_are_errors_to_a_client(proxy: FaultProxy, actor: Actor) -> None:
    for how in ("truncate", "reset"):
        with proxy.broken("/v2.0/ports", how), pytest.raises(requests.RequestException):
            actor("network", PORTS)
