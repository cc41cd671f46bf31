"""Live quota: what the services say, kept for a moment, and a reason when none can be had."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import orjson
import pytest

from engine.clouds.errors import CloudError
from engine.clouds.quota import COMPUTE, KEPT_SECONDS, LiveQuota, entries

NOVA = {"instances": {"limit": 50, "in_use": 10, "reserved": 0}, "cores": {"limit": -1, "in_use": 40, "reserved": 2},
        "ram": {"limit": 1024, "in_use": 5, "reserved": 0}, "id": "p1"}  # fmt: skip
CINDER = {"volumes": {"limit": 9, "in_use": 1, "reserved": 0}, "gigabytes": {"limit": 5, "in_use": 1}, "snapshots": 7}


class Cloud:
    """Stands for CloudService: accounts with sessions that answer as told."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.closed = 0

    def accounts(self, cloud: str) -> list[int]:
        if cloud != "prod":
            raise CloudError("unknown", "there is no such cloud")
        return list(range(len(self.answers)))

    def connect(self, account: int) -> Any:
        answer = self.answers[account]
        if isinstance(answer, CloudError):
            raise answer
        session = SimpleNamespace(
            regions=lambda: ["RegionOne"],
            endpoint=lambda service, region: SimpleNamespace(url=f"http://{service}/{region}", top="2.96"),
            get=lambda url, headers: self.get(answer, url, headers),
            close=self.close,
        )
        return SimpleNamespace(session=session)

    def get(self, answer: Any, url: str, headers: dict[str, str]) -> Any:
        self.asked.append((url, headers))
        status, body = answer[1 if "block-storage" in url else 0]
        return SimpleNamespace(status=status, body=body if isinstance(body, bytes) else orjson.dumps(body))

    def close(self) -> None:
        self.closed += 1


GOOD = ((200, {"quota_set": NOVA}), (200, {"quota_set": CINDER}))
FORBIDDEN = ((403, {"forbidden": {"message": "no"}}), (200, {"quota_set": CINDER}))


def quota(cloud: Any, seconds: float = 0.0) -> LiveQuota:
    return LiveQuota(cloud, clock=lambda: seconds)


def test_the_documented_answer() -> None:
    cloud = Cloud(GOOD)
    found = quota(cloud).read("prod", "", "p1")
    assert found == {
        "available": True,
        "region": "RegionOne",
        "compute": {
            "instances": {"limit": 50, "in_use": 10, "reserved": 0},
            "cores": {"limit": -1, "in_use": 40, "reserved": 2},
            "ram_mb": {"limit": 1024, "in_use": 5, "reserved": 0},
        },
        "storage": {
            "volumes": {"limit": 9, "in_use": 1, "reserved": 0},
            "gigabytes": {"limit": 5, "in_use": 1, "reserved": None},
            "snapshots": {"limit": None, "in_use": None, "reserved": None},
            "backups": {"limit": None, "in_use": None, "reserved": None},
            "backup_gigabytes": {"limit": None, "in_use": None, "reserved": None},
        },
    }
    assert [url for url, _ in cloud.asked] == [
        "http://compute/RegionOne/os-quota-sets/p1/detail", "http://block-storage/RegionOne/os-quota-sets/p1?usage=true",
    ]  # fmt: skip
    assert cloud.closed == 1


def test_another_account_may_know() -> None:
    cloud = Cloud(CloudError("password", "refused"), FORBIDDEN, GOOD)
    assert quota(cloud).read("prod", "", "p1")["available"]


@pytest.mark.parametrize(
    ("answers", "reason"),
    [
        ((), "OpenStack credentials not configured"),
        ((CloudError("password", "refused"),), "refused"),
        ((FORBIDDEN,), "the quota of compute: not permitted for this account: no"),
        ((((200, b"<html>"), GOOD[1]),), "the quota of compute could not be read: no JSON object"),
        ((((200, b"[]"), GOOD[1]),), "the quota of compute could not be read: no JSON object"),
    ],
)
def test_no_quota_is_no_error(answers: Any, reason: str) -> None:
    assert quota(Cloud(*answers)).read("prod", "", "p1") == {"available": False, "reason": reason}
    assert not quota(Cloud()).read("other", "", "p1")["available"]


def test_an_answer_is_kept_for_a_moment() -> None:
    cloud, seconds = Cloud(GOOD), [0.0]
    asking = LiveQuota(cloud, clock=lambda: seconds[0])  # type: ignore[arg-type]
    for at, calls in ((0.0, 2), (KEPT_SECONDS - 1, 2), (KEPT_SECONDS + 1, 4)):
        seconds[0] = at
        assert asking.read("prod", "", "p1")["available"]
        assert len(cloud.asked) == calls
    asking.read("prod", "", "p2")
    assert len(cloud.asked) == 6
    asking.read("prod", "", "p2", now=True)
    assert len(cloud.asked) == 8


@pytest.mark.parametrize("odd", [{}, {"cores": None}, {"cores": []}, {"cores": {"limit": "many", "in_use": True}}])
def test_odd_answers(odd: dict[str, Any]) -> None:
    assert entries(odd, COMPUTE)["cores"] == {"limit": None, "in_use": None, "reserved": None}


TYPED = CINDER | {
    "snapshots_ssd": {"limit": 3, "in_use": 1, "reserved": 1},
    "gigabytes_ssd": {"limit": -1, "in_use": 5, "reserved": 0},
    "volumes_hdd": {"limit": -1, "in_use": 1, "reserved": 0}, "snapshots___DEFAULT__": {"limit": 1, "in_use": 0},
    "backups": {"limit": 4, "in_use": 2, "reserved": 0},
}  # fmt: skip


def test_types_that_have_a_limit_of_their_own_are_told() -> None:
    cloud = Cloud((GOOD[0], (200, {"quota_set": TYPED})))
    found = quota(cloud).read("prod", "", "p1")
    assert list(found["storage_types"]) == ["ssd"]
    assert found["storage_types"]["ssd"]["snapshots"] == {"limit": 3, "in_use": 1, "reserved": 1}
    assert found["storage"]["backups"] == {"limit": 4, "in_use": 2, "reserved": 0}


def test_many_projects_are_read_with_one_login_and_asked_of_the_account_that_knows() -> None:
    class Two(Cloud):
        logins = 0

        def connect(self, account: int) -> Any:
            self.logins += 1
            return super().connect(account)

        def get(self, answer: Any, url: str, headers: dict[str, str]) -> Any:
            if answer is FORBIDDEN and "/p2?" in url:
                self.asked.append((url, headers))
                return SimpleNamespace(status=403, body=b"{}")
            return super().get(answer, url, headers)

    cloud = Two(FORBIDDEN, (GOOD[0], (200, {"quota_set": TYPED})), GOOD)
    found = quota(cloud).storage("prod", "RegionOne", ["p1", "p2", "p3"])
    assert found["p1"]["volumes"] == {"limit": 9, "in_use": 1, "reserved": 0}  # type: ignore[index]
    assert found["p2"]["snapshots_ssd"] == {"limit": 3, "in_use": 1, "reserved": 1}  # type: ignore[index]
    assert set(found) == {"p1", "p2", "p3"}
    assert cloud.logins == 2 and cloud.closed == 2


@pytest.mark.parametrize("cloud", [Cloud(), Cloud(CloudError("password", "refused"))])
def test_a_quota_that_cannot_be_read_is_a_sentence(cloud: Any) -> None:
    assert all(isinstance(why, str) and why for why in quota(cloud).storage("prod", "", ["p1"]).values())
    assert quota(cloud).storage("other", "", ["p1"]) == {"p1": "there is no such cloud"}
