"""Adding, trying and removing clouds, and the one sentence for each way it fails."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from engine.access.models import ENGINE, Caller
from engine.audit.service import AuditService
from engine.clouds.errors import CloudError
from engine.clouds.service import CloudService
from engine.demo.launch import DemoCloud
from engine.settings.models import Settings
from store.ops.ops import Ops
from tests.engine.clouds import broken

FAST = Settings.model_validate({"collection": {"connect_timeout_seconds": 1, "read_timeout_seconds": 0.5}})
SECRET = "made-up"


@pytest.fixture
def ops(tmp_path: Path) -> Iterator[Ops]:
    opened = Ops.open(tmp_path / "ops.sqlite")
    yield opened
    opened.close()


@pytest.fixture
def clouds(ops: Ops) -> CloudService:
    return CloudService(ops, FAST, AuditService(ops))


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DemoCloud]:
    cloud = DemoCloud.start(tmp_path_factory.mktemp("demo"), servers=5, still=True)
    yield cloud
    cloud.stop()


def refused(clouds: CloudService, file: Path | None, entry: str = "broken") -> CloudError:
    with pytest.raises(CloudError) as caught:
        clouds.add(ENGINE, entry, file=file)
    text = str(caught.value)
    assert text and "\n" not in text and SECRET not in text and len(text) < 400
    assert clouds.names() == []
    return caught.value


def test_no_clouds_yaml(clouds: CloudService, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(tmp_path / "none.yaml"))
    error = refused(clouds, None)
    assert error.kind == "no_file" and "OS_CLIENT_CONFIG_FILE" in str(error)


def test_an_entry_that_is_missing_gets_the_nearest_names(clouds: CloudService, demo: DemoCloud) -> None:
    error = refused(clouds, demo.clouds_yaml, "demo-membr")
    assert error.kind == "no_entry" and "demo-member" in str(error)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("clouds: [", "not valid YAML (line"),
        ("password: made-up\n  bad: made-up", "not valid YAML (line"),
        ("- a", "not a clouds.yaml"),
        ("cloud: {}", "no `clouds:` section"),
        ("clouds: {broken: {auth_type: password}}", "can not be used"),
        ("clouds: {broken: 7}", "can not be used"),
        ("clouds: {broken: {auth_type: nonsense, auth: {auth_url: 'http://127.0.0.1:1'}}}", "can not be used"),
        ("clouds: {broken: {profile: no-such-vendor}}", "can not be used"),
    ],
)
def test_files_that_say_nothing_useful(clouds: CloudService, tmp_path: Path, content: str, words: str) -> None:
    file = tmp_path / "clouds.yaml"
    file.write_text(content)
    assert words in str(refused(clouds, file))


def test_a_wrong_password(clouds: CloudService, demo: DemoCloud, tmp_path: Path) -> None:
    file = broken.write_clouds(tmp_path / "clouds.yaml", demo.auth_url)
    error = refused(clouds, file)
    assert error.kind == "password" and "password" in str(error)


def test_nothing_listens(clouds: CloudService, tmp_path: Path) -> None:
    error = refused(clouds, broken.write_clouds(tmp_path / "clouds.yaml", broken.refusing()))
    assert error.kind == "refused" and "refused the connection" in str(error)


def test_an_unknown_host(clouds: CloudService, tmp_path: Path) -> None:
    error = refused(clouds, broken.write_clouds(tmp_path / "clouds.yaml", "http://no-such-host.invalid:5000/v3"))
    assert error.kind == "dns" and "no-such-host.invalid" in str(error)


def test_no_answer(clouds: CloudService, tmp_path: Path) -> None:
    with broken.silent() as url:
        error = refused(clouds, broken.write_clouds(tmp_path / "clouds.yaml", f"{url}/v3"))
    assert error.kind == "timeout"


@pytest.mark.parametrize(
    ("answers", "words"),
    [
        (lambda method, path, url: (404, {}), "auth_url"),
        (lambda method, path, url: (200, b"<html>hello</html>"), "identity service"),
        (lambda method, path, url: (201, {"nothing": 1}), "not as an OpenStack identity"),
        (lambda method, path, url: (503, {"error": {"message": "down for maintenance"}}), "503"),
    ],
)
def test_something_else_answers(clouds: CloudService, tmp_path: Path, answers: Any, words: str) -> None:
    with broken.speaking(answers) as url:
        assert words in str(refused(clouds, broken.write_clouds(tmp_path / "clouds.yaml", f"{url}/v3")))


@contextmanager
def secured(tmp_path: Path, **options: Any) -> Iterator[tuple[str, Path]]:
    context, file = broken.certificate(tmp_path, **options)
    with broken.speaking(broken.identity(), context) as url:
        yield f"{url}/v3", file


def test_a_certificate_that_signed_itself(clouds: CloudService, tmp_path: Path) -> None:
    with secured(tmp_path) as (url, _):
        error = refused(clouds, broken.write_clouds(tmp_path / "clouds.yaml", url))
    assert error.kind == "tls" and "self-signed" in str(error)


def test_a_certificate_that_has_expired(clouds: CloudService, tmp_path: Path) -> None:
    with secured(tmp_path, days=-1) as (url, ca):
        error = refused(clouds, broken.write_clouds(tmp_path / "clouds.yaml", url, cacert=str(ca)))
    assert error.kind == "tls" and "expired" in str(error)


def test_a_certificate_for_another_host(clouds: CloudService, tmp_path: Path) -> None:
    with secured(tmp_path, host="cloud.example.org") as (url, ca):
        error = refused(clouds, broken.write_clouds(tmp_path / "clouds.yaml", url, cacert=str(ca)))
    assert error.kind == "tls" and "another host name" in str(error)


def test_http_where_https_was_meant(clouds: CloudService, tmp_path: Path) -> None:
    with broken.speaking(broken.identity()) as url:
        error = refused(clouds, broken.write_clouds(tmp_path / "c.yaml", url.replace("http:", "https:") + "/v3"))
    assert error.kind == "tls"


def test_a_cacert_that_is_not_there(clouds: CloudService, tmp_path: Path) -> None:
    with secured(tmp_path) as (url, _):
        error = refused(clouds, broken.write_clouds(tmp_path / "clouds.yaml", url, cacert=str(tmp_path / "none.pem")))
    assert "does not exist" in str(error) or "cacert" in str(error)


def test_a_token_without_a_scope(clouds: CloudService, tmp_path: Path) -> None:
    with broken.speaking(broken.identity(project=False)) as url:
        error = refused(clouds, broken.write_clouds(tmp_path / "clouds.yaml", f"{url}/v3"))
    assert error.kind == "unscoped" and "web" in str(error)


def test_a_user_without_any_project(clouds: CloudService, tmp_path: Path) -> None:
    with broken.speaking(broken.identity(project=False, some=False)) as url:
        error = refused(clouds, broken.write_clouds(tmp_path / "clouds.yaml", f"{url}/v3"))
    assert error.kind == "no_projects"


def test_a_half_dead_cloud_is_added_and_says_so(clouds: CloudService, tmp_path: Path) -> None:
    services = {"compute": broken.refusing().replace("/v3", "/v2.1"), "network": broken.refusing().replace("/v3", "")}
    with broken.speaking(broken.identity(services=services)) as url:
        added = clouds.add(ENGINE, "broken", file=broken.write_clouds(tmp_path / "clouds.yaml", f"{url}/v3"))
        error = added["accounts"][0]["last_error"]
        assert error.startswith("identity answers, but the compute service")
        assert clouds.test("broken")["accounts"][0]["last_error"] == error


def test_a_missing_service_is_named(clouds: CloudService, tmp_path: Path) -> None:
    with broken.speaking(broken.identity(services={"compute": "http://127.0.0.1:1/v2.1"})) as url:
        added = clouds.add(ENGINE, "broken", file=broken.write_clouds(tmp_path / "clouds.yaml", f"{url}/v3"))
    assert "more" in added["accounts"][0]["last_error"]


# Working clouds


def test_accounts_of_one_identity_endpoint_are_one_cloud(clouds: CloudService, ops: Ops, demo: DemoCloud) -> None:
    added = clouds.add(ENGINE, "demo", "prod", demo.clouds_yaml)
    assert (added["name"], added["state"], added["writable"]) == ("prod", "new", False)
    assert added["accounts"][0]["roles"] and added["regions"] == ["RegionOne"]
    clouds.add(ENGINE, "demo-reader", file=demo.clouds_yaml)
    assert [account["name"] for account in clouds.cloud("prod")["accounts"]] == ["demo", "demo-reader"]
    with pytest.raises(CloudError, match="already used"):
        clouds.add(ENGINE, "demo", file=demo.clouds_yaml)
    with pytest.raises(CloudError, match="already watched as prod"):
        clouds.add(ENGINE, "demo-member", "other", demo.clouds_yaml)
    assert clouds.test("prod")["accounts"][0]["last_error"] is None


def test_names_that_are_none(clouds: CloudService, demo: DemoCloud) -> None:
    with pytest.raises(CloudError, match="no name for a cloud"):
        clouds.add(ENGINE, "demo", "Ümläut", demo.clouds_yaml)


def test_candidates(clouds: CloudService, demo: DemoCloud, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(demo.clouds_yaml))
    clouds.add(ENGINE, "demo")
    found = {item["name"]: item["added"] for item in clouds.candidates()}
    assert found == {"demo": "demo", "demo-member": None, "demo-reader": None} | {
        name: None for name in found if not name.startswith("demo")
    }


def test_an_entry_can_be_tried_and_nothing_is_kept(clouds: CloudService, ops: Ops, demo: DemoCloud) -> None:
    found = clouds.try_entry("demo", demo.clouds_yaml)
    assert found["user"] and found["regions"] and found["problem"] is None
    assert found["auth_url"].startswith("http")
    assert clouds.clouds() == []
    assert AuditService(ops).page()[1] == []
    with pytest.raises(CloudError):
        clouds.try_entry("no such entry", demo.clouds_yaml)


def test_adding_and_removing_is_audited_and_holds_no_secret(clouds: CloudService, ops: Ops, demo: DemoCloud) -> None:
    caller = Caller(name="alice", role="admin")
    clouds.add(caller, "demo", file=demo.clouds_yaml)
    clouds.remove(caller, "demo")
    with pytest.raises(CloudError, match="no cloud 'demo'"):
        clouds.remove(caller, "demo")
    _, records = AuditService(ops).page()
    acts = [(r["actor"], r["action"], r["outcome"]) for r in reversed(records)]
    assert acts == [
        ("alice", "cloud.add", "intent"),
        ("alice", "cloud.add", "ok"),
        ("alice", "cloud.remove", "intent"),
        ("alice", "cloud.remove", "ok"),
    ]
    password = demo.clouds_yaml.read_text().split("password: ")[1].split("\n")[0].strip("'\"")
    for file in ops.path.parent.glob("ops.sqlite*"):
        assert password.encode() not in file.read_bytes()


def test_an_entry_that_came_to_point_elsewhere(clouds: CloudService, demo: DemoCloud, tmp_path: Path) -> None:
    file = tmp_path / "clouds.yaml"
    file.write_text(demo.clouds_yaml.read_text())
    clouds.add(ENGINE, "demo", file=file)
    with broken.speaking(broken.identity()) as url:
        broken.write_clouds(file, f"{url}/v3", "demo")
        with pytest.raises(CloudError, match="points to another cloud"):
            clouds.connect(clouds.accounts("demo")[0])
    assert clouds.cloud("demo")["state"] == "failed"
