"""Cinder backup driver: a sparse copy of the volume's file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from cinder.backup import driver
from oslo_config import cfg

from lab_fakes.cinder_volume import copy_sparse

OPTS = [cfg.StrOpt("lab_backup_dir", help="Where the backups live")]
cfg.CONF.register_opts(OPTS)


class LabBackupDriver(driver.BackupDriver):
    """Two files per backup: the content and what Cinder wants to remember."""

    def __init__(self, context: Any) -> None:
        super().__init__(context)
        Path(cfg.CONF.lab_backup_dir).mkdir(parents=True, exist_ok=True)

    @staticmethod
    def get_driver_options() -> list[cfg.Opt]:
        return OPTS

    def check_for_setup_error(self) -> None:
        pass

    @staticmethod
    def _path(backup: Any, suffix: str = ".raw") -> Path:
        return Path(cfg.CONF.lab_backup_dir) / f"{backup.id}{suffix}"

    def backup(self, backup: Any, volume_file: Any, backup_metadata: bool = True) -> dict[str, Any]:
        copy_sparse(Path(volume_file.name), self._path(backup))
        meta = self.get_metadata(backup.volume_id) if backup_metadata else None
        self._path(backup, ".json").write_text(json.dumps(meta))
        return {
            "container": backup.container or "lab-backups",
            "service_metadata": backup.id,
            "object_count": 1,
        }

    def restore(self, backup: Any, volume_id: str, volume_file: Any, volume_is_new: bool) -> None:
        target = Path(volume_file.name)
        size = target.stat().st_size
        copy_sparse(self._path(backup), target)
        with target.open("ab") as handle:
            handle.truncate(max(size, backup.size << 30))
        metadata = json.loads(self._path(backup, ".json").read_text())
        if metadata:
            self.put_metadata(volume_id, metadata)

    def delete_backup(self, backup: Any) -> None:
        for suffix in (".raw", ".json"):
            self._path(backup, suffix).unlink(missing_ok=True)
