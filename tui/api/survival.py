"""Whether an engine started by this session outlives the logout, and how to start it so that it does.

A user's processes end at logout in two cases: logind kills the session's (`KillUserProcesses=yes`), or the user's own
service manager ends and takes its scopes along (no lingering). Who lingers is safe in the manager; who does not is
safe outside of it, unless logind kills.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

_CONFIGURATION = ("/usr/lib/systemd/logind.conf.d", "/run/systemd/logind.conf.d", "/etc/systemd/logind.conf.d")
_MAIN_FILES = ("/usr/lib/systemd/logind.conf", "/etc/systemd/logind.conf")


@dataclass(frozen=True, slots=True)
class Host:
    """What matters of the host. `manager`: the user has a service manager and systemd-run is there."""

    manager: bool = False
    lingers: bool = False
    kills: bool = False

    @property
    def scope(self) -> bool:
        """Whether the engine is better off in the user's service manager."""
        return self.manager and (self.lingers or self.kills)

    @property
    def warning(self) -> str | None:
        """What the person should know about the logout, if anything."""
        if self.kills and not self.lingers:
            return (
                "this host ends your processes when you log out (KillUserProcesses), also the engine; "
                "`loginctl enable-linger` keeps it"
            )
        return None


def this_host(root: Path = Path("/"), user: str | None = None) -> Host:
    """Look at the host. root: where its file system begins; user: name, default is the current one's."""
    if not (root / "run/systemd/system").is_dir():
        return Host()
    runtime = root / f"run/user/{os.getuid()}/systemd/private"
    manager = runtime.exists() and shutil.which("systemd-run") is not None
    name = _user_name() if user is None else user
    lingers = bool(name) and (root / "var/lib/systemd/linger" / name).exists()
    return Host(manager, lingers, _kills(_files(root), name))


def _user_name() -> str:
    import pwd

    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return ""


def _files(root: Path) -> list[Path]:
    mains = [root / name.lstrip("/") for name in _MAIN_FILES]
    # Drop-ins of all folders are read in the order of their names; the last folder wins a name.
    drops: dict[str, Path] = {}
    for folder in _CONFIGURATION:
        for file in sorted((root / folder.lstrip("/")).glob("*.conf")):
            drops[file.name] = file
    return [*(file for file in mains if file.is_file()), *(drops[name] for name in sorted(drops))]


def _kills(files: Iterable[Path], user: str) -> bool:
    """Whether logind kills this user's processes at logout."""
    values = {"KillUserProcesses": "no", "KillOnlyUsers": "", "KillExcludeUsers": "root"}
    for file in files:
        try:
            lines = file.read_text(encoding="utf-8", errors="replace").splitlines()
        except OSError:
            continue
        for line in lines:
            name, equals, value = line.partition("=")
            if equals and name.strip() in values:
                values[name.strip()] = value.strip()
    if values["KillUserProcesses"].lower() not in ("yes", "true", "1", "on"):
        return False
    if user in values["KillExcludeUsers"].split():
        return False
    only = values["KillOnlyUsers"].split()
    return not only or user in only
