"""Numbers that topics say, against sums made of the estate by other means."""

from __future__ import annotations

import pytest

from tests.copilot.evaluation.sources import Fake
from tests.copilot.topics.conftest import Ask


def limit(fake: Fake, project: str, resource: str) -> dict[str, int]:
    """The limit of a project and what is used of it."""
    row = next(row for row in fake.world.rows("project") if row["name"] == project)
    items = fake.world.quotas[row["cloud"], row["id"]]
    return next(item for item in items if item["resource"] == resource)  # type: ignore[return-value]


def test_a_quota_is_asked_of_the_cloud_now(ask: Ask, fake: Fake) -> None:
    cores, answer = limit(fake, "acme-prod", "cores"), ask("how many cores may acme-prod use")
    assert (answer.value, answer.live) == (cores["limit"], True)


def test_what_is_left_of_a_quota(ask: Ask, fake: Fake) -> None:
    cores = limit(fake, "acme-dev", "cores")
    assert ask("how many cores does acme-dev have left in its quota").value == cores["limit"] - cores["used"]


@pytest.mark.parametrize("over", [0, 1])
def test_whether_more_may_be_created(ask: Ask, fake: Fake, over: int) -> None:
    servers = limit(fake, "acme-dev", "instances")
    more = servers["limit"] - servers["used"] + over
    assert ask(f"can acme-dev create {more} more servers").value is (over == 0)


def test_projects_above_a_share_of_a_quota(ask: Ask, fake: Fake) -> None:
    full = {
        name
        for (_, id), items in fake.world.quotas.items()
        for item in items
        if item["resource"] == "cores" and item["limit"] > 0 and item["used"] / item["limit"] > 0.955
        for name in [row["name"] for row in fake.world.rows("project") if row["id"] == id]
    }
    answer = ask("which projects use more than 95.5% of their core quota")
    assert answer.table is not None and {row["project"] for row in answer.table.rows} == full
    assert {row["resource"] for row in answer.table.rows} == {"cores"}


def test_usage_is_the_sum_over_a_projects_servers_and_volumes(ask: Ask, fake: Fake) -> None:
    servers = [row for row in fake.world.rows("server") if row["project"] == "acme-prod"]
    volumes = [row for row in fake.world.rows("volume") if row["project"] == "acme-prod"]
    answer = ask("resource usage of acme-prod")
    assert answer.table is not None
    row = answer.table.rows[0]
    assert (row["servers"], row["vcpus"]) == (len(servers), sum(one["vcpus"] for one in servers))
    assert (row["volumes"], row["volume_gb"]) == (len(volumes), sum(one["size_gb"] for one in volumes))


def test_capacity_is_the_sum_over_the_hosts(ask: Ask, fake: Fake) -> None:
    hosts = fake.world.rows("hypervisor")
    assert ask("how many vcpus are left").value == sum(host["vcpus"] - host["vcpus_used"] for host in hosts)
    free = ask("how much ram is free")
    assert (free.value, free.unit) == (sum(host["memory_mb"] - host["memory_used"] for host in hosts), "MB")


def test_the_host_with_the_most_free_memory(ask: Ask, fake: Fake) -> None:
    free = {host["name"]: host["memory_mb"] - host["memory_used"] for host in fake.world.rows("hypervisor")}
    answer = ask("which host has the most free ram")
    assert free[answer.value] == max(free.values())
    assert ask("which host has the least free ram").value == min(free, key=lambda name: free[name])


def test_servers_of_a_flavor_that_fit(ask: Ask, fake: Fake) -> None:
    large = next(row for row in fake.world.rows("flavor") if row["name"] == "m1.large")
    fits = sum(
        min((host["vcpus"] - host["vcpus_used"]) // large["vcpus"],
            (host["memory_mb"] - host["memory_used"]) // large["ram_mb"])
        for host in fake.world.rows("hypervisor")
        if (host["state"], host["status"]) == ("up", "enabled")
    )  # fmt: skip
    assert ask("how many m1.large can we still fit").value == fits
    assert ask(f"can we fit {fits} more m1.large").value is True
    assert ask(f"can we fit {fits + 1} more m1.large").value is False


def test_the_share_of_volumes_in_compliance(ask: Ask, fake: Fake) -> None:
    statuses = [row["status"] for row in fake.world.rooms["compliance"]]
    governed = [status for status in statuses if status not in ("no_policy", "excluded")]
    answer = ask("compliance report")
    assert answer.value == pytest.approx(100 * governed.count("compliant") / len(governed), abs=0.06)


def test_the_worst_health(ask: Ask, fake: Fake) -> None:
    scores = {row["project_name"]: row["score"] for row in fake.world.rooms["tenant_health"]}
    assert scores[ask("which tenant has the worst health").value] == min(scores.values())
    assert ask("health score of acme-dev").value == scores["acme-dev"]


def test_open_drift(ask: Ask, fake: Fake) -> None:
    found = sum(row["state"] == "open" for row in fake.world.rooms["drift_event"])
    assert ask("drift status").value == found > 0


def test_problems(ask: Ask, fake: Fake) -> None:
    answer = ask("what is wrong")
    assert answer.table is not None and answer.table.total == len(fake.world.rooms["problem"])
    assert ask("is everything ok").value is False


def test_an_asker_of_one_project_learns_nothing_of_the_hosts(ask: Ask, fake: Fake) -> None:
    own = next(row["id"] for row in fake.world.rows("project") if row["name"] == "acme-dev")
    answer = ask("cpu capacity", projects=(own,))
    assert answer.outcome == "apology" and answer.value is None
    usage = ask("usage by project", projects=(own,))
    assert usage.table is not None and [row["name"] for row in usage.table.rows] == ["acme-dev"]


def test_a_quota_question_goes_on(ask: Ask, fake: Fake) -> None:
    answer = ask("what about acme-dev", "quota of acme-prod")
    assert [one.name for one in answer.named] == ["acme-dev"] and answer.live
