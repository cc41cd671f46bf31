"""Whether an engine outlives the logout."""

import os
from pathlib import Path

import pytest

from tui.api.survival import Host, this_host


def host_at(root: Path, *, linger: bool = False, **files: str) -> Host:
    (root / "run/systemd/system").mkdir(parents=True)
    if linger:
        (root / "var/lib/systemd/linger").mkdir(parents=True)
        (root / "var/lib/systemd/linger/me").touch()
    for name, text in files.items():
        path = root / {"main": "etc/systemd/logind.conf", "drop": "etc/systemd/logind.conf.d/50-x.conf",
                       "vendor": "usr/lib/systemd/logind.conf.d/60-y.conf"}[name]  # fmt: skip
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return this_host(root, "me")


@pytest.mark.parametrize(
    ("linger", "files", "kills", "warned"),
    [
        (False, {}, False, False),
        (False, {"main": "[Login]\n#KillUserProcesses=yes\n"}, False, False),
        (False, {"main": "[Login]\nKillUserProcesses = yes\n"}, True, True),
        (True, {"main": "[Login]\nKillUserProcesses=yes\n"}, True, False),
        (False, {"main": "KillUserProcesses=yes\n", "drop": "KillUserProcesses=no\n"}, False, False),
        (False, {"drop": "KillUserProcesses=no\n", "vendor": "KillUserProcesses=yes\n"}, True, True),
        (False, {"main": "KillUserProcesses=yes\nKillExcludeUsers=root me\n"}, False, False),
        (False, {"main": "KillUserProcesses=yes\nKillOnlyUsers=you\n"}, False, False),
    ],
)
def test_what_logind_does(tmp_path: Path, linger: bool, files: dict[str, str], kills: bool, warned: bool) -> None:
    host = host_at(tmp_path, linger=linger, **files)
    assert (host.kills, host.lingers) == (kills, linger)
    assert (host.warning is not None) is warned
    if warned:
        assert "loginctl enable-linger" in (host.warning or "")


@pytest.mark.parametrize(
    ("host", "scope"),
    [
        (Host(manager=True, lingers=True, kills=True), True),
        (Host(manager=True, lingers=True, kills=False), True),
        (Host(manager=True, lingers=False, kills=False), False),  # the manager ends at logout, the session's do not
        (Host(manager=False, lingers=True, kills=False), False),
    ],
)
def test_where_the_engine_lives_longest(host: Host, scope: bool) -> None:
    assert host.scope is scope


def test_a_host_without_systemd(tmp_path: Path) -> None:
    assert this_host(tmp_path, "me") == Host()


def test_a_user_manager_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    private = tmp_path / f"run/user/{os.getuid()}/systemd/private"
    private.parent.mkdir(parents=True)
    private.touch()
    monkeypatch.setattr("shutil.which", lambda name: f"/usr/bin/{name}")
    assert host_at(tmp_path).manager
