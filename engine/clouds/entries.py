"""The user's own clouds.yaml: where it lies, what entries it has, and a keystoneauth session made from one.

Secrets stay there. What leaves this module is the entry's name, its file, and its auth_url.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.clouds import errors
from engine.clouds.errors import CloudError

if TYPE_CHECKING:
    from openstack.config.cloud_region import CloudRegion
    from openstack.config.loader import OpenStackConfig

_NAMES = ("clouds.yaml", "clouds.yml", "clouds.json")
_MAX_BYTES = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry of a clouds.yaml file: its name, the file, and the auth_url as written there ("" when a profile gives
    it)."""

    name: str
    file: Path
    auth_url: str


def places(env: Mapping[str, str] | None = None) -> list[Path]:
    """Where clouds.yaml is looked for, first match wins: OS_CLIENT_CONFIG_FILE, then the user's folder, then
    /etc/openstack.

    The current directory is left out on purpose: an engine in the background has none that means anything.
    """
    env = os.environ if env is None else env
    found: list[Path] = []
    if named := env.get("OS_CLIENT_CONFIG_FILE"):
        found.append(Path(named).expanduser())
    home = Path(env.get("HOME") or Path.home())
    config = Path(env.get("XDG_CONFIG_HOME") or home / ".config")
    for folder in dict.fromkeys((config / "openstack", home / ".config" / "openstack", Path("/etc/openstack"))):
        found.extend(folder / name for name in _NAMES)
    return found


def files(env: Mapping[str, str] | None = None) -> list[Path]:
    """The clouds.yaml files that exist; raises CloudError when there is none."""
    looked = places(env)
    found = [path for path in looked if path.is_file()]
    if not found:
        raise errors.no_file(dict.fromkeys(str(p) for p in looked if p.suffix == ".yaml"))
    return found


def entries(file: Path) -> list[Entry]:
    """All entries of one file, by name; raises CloudError when it can't be read or is no clouds.yaml."""
    clouds = _read(file).get("clouds")
    if not isinstance(clouds, dict):
        raise CloudError("bad_file", f"{file} has no `clouds:` section, so it names no cloud")
    return [Entry(str(name), file, _auth_url(value)) for name, value in sorted(clouds.items(), key=lambda x: str(x[0]))]


def find(name: str, file: Path | None = None, env: Mapping[str, str] | None = None) -> Entry:
    """The entry of that name, in `file` or wherever it is found first; raises CloudError with the nearest names."""
    if file is not None and not file.is_file():
        raise CloudError("no_file", f"there is no file {file}")
    looked = [file] if file is not None else files(env)
    known: list[str] = []
    for path in looked:
        for entry in entries(path):
            if entry.name == name:
                return entry
            known.append(entry.name)
    raise errors.no_entry(name, known, [str(path) for path in looked])


def region(entry: Entry, project_id: str = "") -> CloudRegion:
    """The entry as the SDK understands it: profiles, secure.yaml and `regions` resolved; raises CloudError.

    project_id: the same user, but scoped to that project. An application credential cannot be: it has its own.
    """
    from keystoneauth1 import exceptions as ksa
    from openstack import exceptions as sdk
    from openstack.config.loader import OpenStackConfig

    find(entry.name, entry.file)
    secure = [str(entry.file.with_name(f"secure{suffix}")) for suffix in (".yaml", ".yml", ".json")]
    try:
        config = OpenStackConfig(config_files=[str(entry.file)], secure_files=secure, load_envvars=False)
        if not project_id:
            return config.get_one(cloud=entry.name)
        return _scoped_to(config, entry, project_id)
    except (sdk.SDKException, ksa.ClientException, KeyError, TypeError, ValueError, AttributeError) as error:
        raise CloudError(
            "bad_entry",
            f"the entry {entry.name!r} in {entry.file} can not be used: {errors.plain(error)}",
        ) from None


def _scoped_to(config: OpenStackConfig, entry: Entry, project_id: str) -> CloudRegion:
    plain = config.get_one(cloud=entry.name, validate=False).config
    if "applicationcredential" in str(plain.get("auth_type") or "").replace("_", "").lower():
        raise CloudError(
            "bad_entry", f"{entry.name!r} is an application credential, which works in its own project only"
        )
    # What else would give a scope: the libraries take one, and complain about two.
    config.cloud_config["clouds"][entry.name] = _without_scope(config.cloud_config["clouds"][entry.name])
    return config.get_one(cloud=entry.name, auth={"project_id": project_id})


_SCOPES = ("project", "tenant", "system", "domain_", "trust")


def _without_scope(entry: Any) -> Any:
    """The entry without keys that scope a token; what names the user (and his domain) stays."""
    kept = {name: value for name, value in entry.items() if not str(name).startswith(_SCOPES)}
    if isinstance(entry.get("auth"), dict):
        kept["auth"] = _without_scope(entry["auth"])
    return kept


def _auth_url(value: Any) -> str:
    auth = value.get("auth") if isinstance(value, dict) else None
    url = auth.get("auth_url") if isinstance(auth, dict) else None
    return url if isinstance(url, str) else ""


def _read(file: Path) -> dict[str, Any]:
    import yaml

    try:
        if file.stat().st_size > _MAX_BYTES:
            raise CloudError("bad_file", f"{file} is larger than 4 MB, so it is no clouds.yaml")
        loaded = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        # Not the error's own text: it quotes the line, and the line may hold a password.
        mark = getattr(error, "problem_mark", None)
        where = f" (line {mark.line + 1})" if mark else ""
        raise CloudError("bad_file", f"{file} is not valid YAML{where}") from None
    except OSError as error:
        raise CloudError("bad_file", f"{file} can not be read: {error.strerror}") from None
    if not isinstance(loaded, dict):
        raise CloudError("bad_file", f"{file} is not a clouds.yaml file")
    return loaded
