"""Listings that go wrong on a real cloud: nothing is deleted, nothing is changed, and it is said."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contract.wire import Actor, Login, wait_for
from tests.lab import places
from tests.live.cells import cell_down
from tests.live.console import Console, write_entry
from tests.live.fault_proxy import FaultProxy, How
from tests.live.lab_cloud import LabCloud
from tests.live.projects import Project

pytestmark = pytest.mark.live

# What breaks: the request (path and query), and the type that is read with it.
BREAKABLE = {
    "server": r"^/v2\.1/servers/detail",
    "volume": r"^/v3/[0-9a-f]+/volumes/detail",
    "port": r"^/v2\.0/ports",
    "image": r"^/v2/images\?",
    "project": r"^/v3/projects",
}
PAGED = [type for type in BREAKABLE if type not in ("image", "project")]


@pytest.fixture
def console(tmp_path: Path) -> Iterator[Console]:
    made = Console(tmp_path / "home")
    yield made
    made.close()


@pytest.fixture
def proxy() -> Iterator[FaultProxy]:
    made = FaultProxy()
    yield made
    made.close()


@pytest.fixture
def through_proxy(lab: LabCloud, proxy: FaultProxy, tmp_path: Path) -> Path:
    """A clouds.yaml whose entry `lab` is the administrator, signing in through the proxy."""
    auth = dict(lab.entries["lab-admin"]["auth"])
    auth["auth_url"] = proxy.through(auth["auth_url"])
    return write_entry(tmp_path / "clouds.yaml", "lab", auth)


@pytest.mark.parametrize("how", ["status", "reset", "truncate"])
def test_a_listing_that_fails_changes_nothing(
    console: Console, proxy: FaultProxy, through_proxy: Path, how: How
) -> None:
    console.add("lab", through_proxy)
    console.collect(*BREAKABLE)
    before = console.versions()
    assert all(before.all[type] for type in BREAKABLE)
    for type, pattern in BREAKABLE.items():
        with proxy.broken(pattern, how) as fault:
            ended = console.collect(*BREAKABLE)
        assert fault.seen > 0, f"the collector never asked for {pattern}"
        assert ended[type]["state"] in ("failed", "partial"), (type, ended[type])
        assert ended[type]["error"]
        assert console.versions().since(before) == {}, type
        others = {name: row["state"] for name, row in ended.items() if name != type}
        assert set(others.values()) == {"done"}, (type, others)
    ended = console.collect(*BREAKABLE)
    assert {row["state"] for row in ended.values()} == {"done"}
    assert console.versions().since(before) == {}


@pytest.mark.parametrize("how", ["status", "reset", "truncate"])
def test_a_listing_that_breaks_off_between_pages_changes_nothing(
    console: Console, proxy: FaultProxy, through_proxy: Path, how: How
) -> None:
    proxy.page_limit = 3
    console.add("lab", through_proxy)
    console.collect(*PAGED)
    before = console.versions()
    for type in PAGED:
        assert before.all[type] > 6, f"{type} needs three pages"
        with proxy.broken(BREAKABLE[type], how, after=2) as fault:
            ended = console.collect(*PAGED)
        assert fault.seen > 2, "the listing did not get beyond its second page"
        assert ended[type]["state"] in ("failed", "partial"), (type, ended[type])
        assert console.versions().since(before) == {}, type
    assert console.collect("server")["server"]["state"] == "done"
    assert console.versions().since(before) == {}


@pytest.mark.parametrize(
    ("how", "status", "headers"),
    [
        ("status", 401, {}),  # the token expired in the middle
        ("status", 503, {}),
        ("status", 429, {"Retry-After": "1"}),
        ("reset", 0, {}),
        ("truncate", 0, {}),
    ],
)
def test_what_passes_by_itself_is_only_tried_again(
    console: Console, proxy: FaultProxy, through_proxy: Path, how: How, status: int, headers: dict[str, str]
) -> None:
    proxy.page_limit = 3
    console.add("lab", through_proxy)
    pattern = BREAKABLE["server"]
    with proxy.broken(pattern, how, after=2, status=status, times=1, headers=headers) as fault:
        ended = console.collect("server")
    assert fault.seen > 3
    assert ended["server"]["state"] == "done", ended["server"]
    assert len(console.current("server")) >= 12


class TestRoleTakenAway:
    """The collecting user loses admin between two collections: the same calls now answer 200 with less."""

    @pytest.fixture
    def operator(self, lab: LabCloud, admin: Actor, tmp_path: Path) -> Iterator[Project]:
        """A project with a user who is admin and member there, and a clouds.yaml for that user."""
        project = Project(admin)
        collector = project.user("admin")
        project.grant(project.users["admin"], "member")
        login: Login = collector.login
        auth = {
            "auth_url": login.auth_url,
            "username": login.user,
            "password": login.password,
            "user_domain_name": "Default",
            "project_name": project.name,
            "project_domain_name": "Default",
        }
        write_entry(tmp_path / "clouds.yaml", "operator", auth)
        yield project
        project.remove()

    @staticmethod
    def settle(operator: Project, status: int) -> None:
        """Wait until Keystone, which caches roles for some seconds, says to a new token what it should."""
        login = Login(operator.admin.login.auth_url, f"{operator.name}-admin", operator.password, project=operator.name)
        for path in ("/roles", "/users"):
            wait_for(lambda path=path: Actor(login)("identity", path).status_code, lambda seen: seen == status, 30)

    def test_nothing_is_lost_and_nothing_comes_back_twice(
        self, console: Console, operator: Project, tmp_path: Path
    ) -> None:
        own = operator.volume(f"own-{secrets.token_hex(2)}")
        console.add("operator", tmp_path / "clouds.yaml", "lab")
        ended = console.collect()
        assert {row["state"] for row in ended.values()} == {"done"}
        everything = {type: console.current(type) for type in ("server", "volume", "port", "network_agent")}
        assert len(everything["volume"]) > 10
        before = console.versions()

        operator.revoke(operator.users["admin"], "admin")
        self.settle(operator, 403)
        for full in (True, False):
            ended = console.collect(full=full)
            assert console.versions().since(before) == {}
        assert {type: console.current(type) for type in everything} == everything
        # What every role may list whole is still read; what is refused now says so.
        assert ended["flavor"]["state"] == "done"
        assert ended["hypervisor"]["state"] == "not_permitted"

        operator.grant(operator.users["admin"], "admin")
        self.settle(operator, 200)
        ended = console.collect()
        assert {row["state"] for row in ended.values()} == {"done"}
        assert console.versions().since(before) == {}
        assert own["id"] in console.current("volume")


COMPUTE_TYPES = ("server", "hypervisor", "compute_service", "server_group", "aggregate")


def test_a_down_cell_keeps_the_last_known_state(lab: LabCloud, console: Console, tmp_path: Path, admin: Actor) -> None:
    """Nova answers 200 and leaves the servers of a cell that it can't reach out of paged listings.

    The member sees three servers, which no rule about many vanished rows protects.
    """
    member = Console(tmp_path / "member")
    auth = {
        **lab.entries["lab-admin"]["auth"],
        "username": "retail-web-member",
        "password": places.load_secrets()["member"],
        "user_domain_name": "retail",
        "project_name": "retail-web",
        "project_domain_name": "retail",
    }
    member.add("member", write_entry(tmp_path / "clouds.yaml", "member", auth), "lab")
    console.add("lab-admin", lab.clouds_yaml, "lab")
    console.collect(*COMPUTE_TYPES)
    member.collect("server")
    known = console.current("server")
    before, before_member = console.versions(), member.versions()
    assert before_member.all["server"] == 3
    try:
        with cell_down(admin) as ids:
            assert sorted(ids) == known
            for full in (True, False):
                ended = console.collect(*COMPUTE_TYPES, full=full)
                assert console.versions().since(before) == {}
                assert ended["server"]["state"] != "done", "nothing told that servers are missing"
                member.collect("server", full=full)
                assert member.versions().since(before_member) == {}
        assert console.collect("server", "compute_service")["server"]["state"] == "done"
        assert console.versions().since(before) == {}
    finally:
        member.close()
