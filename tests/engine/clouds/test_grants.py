"""Roles for the length of a job: noted, given, counted, taken back, and found again after a crash anywhere between."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.access.models import Caller
from engine.api.changes import ChangeFeed
from engine.api.errors import ApiError, NotFound
from engine.clouds import grants as module
from engine.clouds.errors import CloudError
from engine.clouds.grants import Use
from engine.gate.models import Actor, Call, NoRole
from engine.gate.performing import Performer
from engine.gate.refusals import NotDone, Refused
from engine.gate.windows import WriteWindows
from engine.settings.models import Settings
from tests.engine.clouds.lending import MEMBER, OPS, USER, Died, Place, place


@pytest.fixture
def east(tmp_path: Path) -> Iterator[Place]:
    with place(tmp_path) as made:
        yield made


def test_a_role_is_given_for_the_job_and_taken_back(east: Place) -> None:
    east.grants.hold_for(Use("east", "p1", "job-1", step=3, caller=OPS, reason="why", ticket="CHG1"))
    assert east.cloud.held == {("p1", MEMBER)} and east.cloud.sent == [("PUT", "p1")]
    (shown,) = east.grants.page(OPS)
    assert (shown["state"], shown["user_name"], shown["role_name"]) == ("given", "engine-user", "member")
    assert shown["command"] == f"openstack role remove --user {USER} --project p1 member"
    assert east.grants.release("job-1") == []
    assert east.cloud.held == set() and east.jobs == []
    given_, taken = east.told("grant.give", "ok")[0], east.told("grant.take", "ok")[0]
    assert given_["detail"]["job"] == "job-1" and given_["detail"]["reason"] == "why"
    assert given_["detail"]["standing"] == "grants" and taken["detail"]["call"]["method"] == "DELETE"
    assert set(east.cloud.forgotten) == {"p1"}, "tokens from before do not know"


def test_it_is_noted_before_anything_is_sent(east: Place) -> None:
    seen: list[list[str]] = []
    east.cloud.before = lambda method: seen.append([row["state"] for row in east.grants.page(OPS)])
    east.grants.hold("east", "p1", "job-1")
    east.grants.release("job-1")
    assert seen == [["giving"], ["taking"]]


def test_the_last_job_that_uses_it_gives_it_back(east: Place) -> None:
    for job in ("job-1", "job-2", "job-1"):
        east.grants.hold("east", "p1", job)
    east.grants.hold("east", "p2", "job-2")
    assert east.cloud.sent == [("PUT", "p1"), ("PUT", "p2")]
    assert east.grants.release("job-1") == [] and east.cloud.held == {("p1", MEMBER), ("p2", MEMBER)}
    assert east.grants.release("job-2") == [] and east.cloud.held == set()
    assert east.grants.release("job-2") == [], "it may be told twice"


def test_a_job_that_finds_a_role_lent_for_another_keeps_it(east: Place) -> None:
    call = Call("east", "r1", "compute", "GET", "/servers/s1", None, session="tenant", project_id="p1")
    second = Actor(OPS, "restore:write", "restore", job="job-2")
    east.grants.share(second, call)  # none is lent: nothing is
    assert east.jobs == [] and east.cloud.held == set()
    east.grants.hold("east", "p1", "job-1")
    east.grants.share(second, call)
    east.grants.share(second, call)
    assert sorted(east.jobs) == ["job-1", "job-2"]
    assert east.grants.release("job-1") == [] and east.cloud.held != set()
    assert east.grants.release("job-2") == [] and east.cloud.held == set()


def test_without_the_setting_nothing_is_given(tmp_path: Path) -> None:
    with place(tmp_path) as made:
        made.allowed = False
        grants = made.start()
        with pytest.raises(NoRole, match="openstack role add --user engine-user --project p1 member"):
            grants.hold("east", "p1", "job-1")
        assert made.cloud.sent == [] and made.jobs == []
        # A demo has nothing to lose.
        made.cloud.writable = True
        grants.hold("east", "p1", "job-1")
        assert made.jobs == ["job-1"] and grants.release("job-1") == []


@pytest.mark.parametrize("role", [MEMBER, "r-reader", "r-admin"])
def test_a_role_that_was_there_before_is_nobodys_to_take(east: Place, role: str) -> None:
    east.cloud.held.add(("p1", role))
    east.cloud.rescopes = False
    with pytest.raises(NoRole, match="already"):
        east.grants.hold("east", "p1", "job-1")
    assert east.cloud.sent == [] and east.jobs == []
    assert east.grants.release("job-1") == [] and east.cloud.held == {("p1", role)}


def test_it_waits_until_a_token_works(east: Place) -> None:
    east.cloud.slow = 3
    east.grants.hold("east", "p1", "job-1")
    assert east.jobs == ["job-1"]


def test_a_role_that_helps_nothing_is_taken_back_at_once(east: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "WORKS_SECONDS", 0.0)
    east.cloud.rescopes = False
    with pytest.raises(NoRole, match="got no token with it"):
        east.grants.hold("east", "p1", "job-1")
    assert east.cloud.sent == [("PUT", "p1"), ("DELETE", "p1")] and east.jobs == []


def test_a_cloud_that_says_no_leaves_nothing_behind(east: Place) -> None:
    east.cloud.refuse["PUT"] = 403
    with pytest.raises(NoRole, match="refused it \\(403\\)"):
        east.grants.hold("east", "p1", "job-1")
    assert east.cloud.sent == [("PUT", "p1")] and east.jobs == []


def test_no_answer_may_have_been_yes(east: Place) -> None:
    east.cloud.refuse["PUT"] = CloudError("timeout", "Keystone does not answer")
    with pytest.raises(NoRole):
        east.grants.hold("east", "p1", "job-1")
    assert east.cloud.sent == [("DELETE", "p1")] and east.jobs == []


def test_a_cloud_without_the_role(east: Place) -> None:
    east.cloud.roles = {"admin": "r-admin"}
    with pytest.raises(NoRole, match="no role called member"):
        east.grants.hold("east", "p1", "job-1")
    east.cloud.roles = {"_member_": MEMBER}
    east.grants.hold("east", "p1", "job-1")
    assert east.cloud.held == {("p1", MEMBER)}


# What could not be taken back


def test_what_cannot_be_taken_back_is_told_and_tried_again(east: Place) -> None:
    east.grants.hold("east", "p1", "job-1")
    east.cloud.refuse["DELETE"] = 403
    (problem,) = east.grants.release("job-1")
    assert "could not be taken back" in problem and f"role remove --user {USER} --project p1 member" in problem
    (row,) = east.grants.problems()
    assert row["problem"] == problem and row["state"] == "taking"
    # Not again at once, and later by itself.
    assert east.grants.recover(lambda job: False) == [] and len(east.cloud.sent) == 2
    east.clock[0] += timedelta(minutes=5)
    assert len(east.grants.recover(lambda job: False)) == 1
    del east.cloud.refuse["DELETE"]
    east.clock[0] += timedelta(hours=7)
    assert east.grants.recover(lambda job: False) == []
    assert east.cloud.held == set() and east.grants.problems() == []


def test_somebody_who_took_it_back_meanwhile_is_no_problem(east: Place) -> None:
    east.grants.hold("east", "p1", "job-1")
    east.cloud.held.clear()
    assert east.grants.release("job-1") == [] and east.jobs == []


def test_the_next_job_goes_on_with_what_could_not_be_taken_back(east: Place) -> None:
    east.grants.hold("east", "p1", "job-1")
    east.cloud.refuse["DELETE"] = 503
    assert east.grants.release("job-1")
    east.grants.hold("east", "p1", "job-2")
    assert sorted(east.jobs) == ["job-1", "job-2"]
    del east.cloud.refuse["DELETE"]
    east.clock[0] += timedelta(days=1)
    assert east.grants.recover(lambda job: job == "job-2") == [] and east.jobs == ["job-2"]
    assert east.cloud.held == {("p1", MEMBER)}
    assert east.grants.release("job-2") == [] and east.cloud.held == set()


def test_people_try_again_or_say_that_they_did_it(east: Place) -> None:
    east.grants.hold("east", "p1", "job-1")
    east.cloud.refuse["DELETE"] = 403
    east.grants.release("job-1")
    (row,) = east.grants.page(OPS)
    with pytest.raises(ApiError, match="could not be taken back"):
        east.grants.take_back(OPS, row["id"])
    elsewhere = Caller("eve", 1, None, None, "superadmin", clouds=("west",))
    with pytest.raises(NotFound):
        east.grants.take_back(elsewhere, row["id"], forget=True)
    east.grants.take_back(OPS, row["id"], forget=True)
    assert east.jobs == [] and east.told("grant.forget")[0]["actor"] == "ops"
    with pytest.raises(NotFound):
        east.grants.take_back(OPS, row["id"])


def test_a_cloud_that_is_no_longer_watched_is_told(east: Place) -> None:
    east.grants.hold("east", "p1", "job-1")
    session = east.cloud.session
    east.cloud.session = lambda *given: (_ for _ in ()).throw(CloudError("unknown", "there is no cloud east"))  # type: ignore[method-assign]
    (problem,) = east.grants.release("job-1")
    assert "there is no cloud east" in problem
    east.cloud.session = session  # type: ignore[method-assign]
    assert east.grants.release("job-1") == []


# Read-only mode


def call(method: Any, project: str = "p1", user: str = USER, role: str = MEMBER) -> Call:
    return Call("east", "", "identity", method, f"/projects/{project}/users/{user}/roles/{role}", project_id=project)


def test_on_a_read_only_cloud_only_what_is_noted_is_given_and_taken(east: Place) -> None:
    assert "no such role is noted" in (east.grants.problem(call("PUT")) or "")
    assert "no such role is noted" in (east.grants.problem(call("DELETE")) or "")
    east.grants.hold("east", "p1", "job-1")
    assert east.grants.problem(call("DELETE")) is None and east.grants.problem(call("PUT")) is None
    for other in (call("DELETE", "p2"), call("DELETE", user="boss"), call("PUT", role="r-admin")):
        assert east.grants.problem(other) is not None
    east.grants.enabled = lambda cloud: False
    assert "not enabled" in (east.grants.problem(call("PUT")) or "")
    assert east.grants.release("job-1") == [], "taking back is always allowed"


def test_nothing_is_given_on_a_cloud_that_is_not_enabled(east: Place) -> None:
    east.grants.enabled = lambda cloud: False
    with pytest.raises(NoRole, match="not enabled"):
        east.grants.hold("east", "p1", "job-1")
    assert east.cloud.sent == [] and east.jobs == []


# Crashes


@pytest.mark.parametrize("moment", ["before PUT", "after PUT", "given", "before DELETE", "after DELETE"])
@pytest.mark.parametrize("goes_on", [True, False])
def test_killed_at_any_moment_nothing_stays_behind(tmp_path: Path, moment: str, goes_on: bool) -> None:
    def die(when: str) -> Callable[[str], None]:
        def at(method: str) -> None:
            if f"{when} {method}" == moment:
                raise Died

        return at

    with place(tmp_path) as made:
        made.cloud.before, made.cloud.after = die("before"), die("after")
        if moment == "given":
            made.grants.hold("east", "p1", "job-1")
        else:
            with pytest.raises(Died):
                made.grants.hold("east", "p1", "job-1")
                made.grants.release("job-1")
        made.cloud.before = made.cloud.after = lambda method: None
        again = made.start()
        if goes_on:
            # The job is taken up again before anybody looks.
            again.recover(lambda job: True)
            again.hold("east", "p1", "job-1")
            assert made.cloud.held == {("p1", MEMBER)}
            assert again.release("job-1") == []
        else:
            made.clock[0] += timedelta(minutes=10)
            assert again.recover(lambda job: False) == []
        assert made.cloud.held == set() and made.jobs == []


STEPS = st.lists(
    st.tuples(st.sampled_from(["hold", "release", "crash", "away", "back"]), st.sampled_from("ab"), st.integers(1, 3)),
    max_size=25,
)


@given(STEPS, st.booleans())
def test_whatever_happens_only_what_was_given_is_taken(steps: list[tuple[str, str, int]], own: bool) -> None:
    """`own`: the user is a member of project b by itself. At the end of all jobs there is what was there before."""
    import tempfile

    with tempfile.TemporaryDirectory() as folder, place(Path(folder)) as made:
        if own:
            made.cloud.held.add(("b", MEMBER))
        before, holding = set(made.cloud.held), set[tuple[str, str]]()
        for what, project, number in steps:
            job = f"job-{number}"
            if what == "hold":
                try:
                    if not (own and project == "b"):  # with a role of its own there is no NoRole, and nobody asks
                        made.grants.hold("east", project, job)
                        holding.add((project, job))
                except NoRole:
                    pass
            elif what == "release":
                made.grants.release(job)
                holding = {one for one in holding if one[1] != job}
            elif what == "crash":
                made.start()
            else:
                made.cloud.refuse = {"PUT": 503, "DELETE": 503} if what == "away" else {}
            assert before <= made.cloud.held
            assert {(p, MEMBER) for p, _ in holding} <= made.cloud.held
        made.cloud.refuse = {}
        made.clock[0] += timedelta(days=1)
        assert made.grants.recover(lambda job: False) == []
        assert made.cloud.held == before and made.jobs == []


def test_many_steps_of_many_jobs_at_once_give_it_once(east: Place) -> None:
    failures: list[BaseException] = []

    def one(job: str) -> None:
        try:
            for _ in range(3):
                east.grants.hold("east", "p1", job)
            east.grants.release(job)
        except BaseException as error:
            failures.append(error)

    east.grants.hold("east", "p1", "job-0")
    threads = [threading.Thread(target=one, args=(f"job-{n % 4 + 1}",)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == [] and east.cloud.sent == [("PUT", "p1")]
    assert east.grants.release("job-0") == [] and east.cloud.held == set()


def test_the_thread_takes_back_what_a_crash_left(east: Place) -> None:
    east.grants.hold("east", "p1", "job-1")
    done = threading.Event()
    east.cloud.after = lambda method: done.set()
    again = east.start()
    again.begin(lambda job: False)
    assert done.wait(20)
    again.close()
    assert east.cloud.held == set() and east.jobs == []


# The gate asks for it


def test_the_gate_asks_for_a_role_for_its_jobs_only(east: Place) -> None:
    asked: list[tuple[str, str]] = []
    settings = Settings()
    east.cloud.writable = True
    windows = WriteWindows(east.ops, lambda: settings, east.audit, ChangeFeed(), east.cloud)  # type: ignore[arg-type]
    performer = Performer(east.cloud, windows, east.audit, lambda *key: None)  # type: ignore[arg-type]
    made = Call(
        "east", "r1", "block-storage", "POST", "/snapshots", {"snapshot": {}}, session="tenant", project_id="p1"
    )
    performer.hold = lambda actor, call: asked.append((actor.job, call.project_id))
    for job in ("", "job-1"):
        with pytest.raises(Refused) as refused:
            performer.perform(Actor(OPS, "snapshots:admin", "volume.snapshot", job=job), made)
        assert refused.value.code == "no_role" and not isinstance(refused.value, NotDone)
    assert asked == [("job-1", "p1")] and east.cloud.sent == []
