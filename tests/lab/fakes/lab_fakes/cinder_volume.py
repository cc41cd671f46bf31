"""Cinder volume driver: every volume and snapshot is a sparse file.

Content follows clones, snapshots, reverts, images and backups; nothing is
exported to anyone. Nova is handed an iSCSI-looking connection, Cinder's own
data path (backup, image copy) gets the local file.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

from cinder import interface
from cinder.image import image_utils
from cinder.volume import configuration, driver, volume_utils
from oslo_config import cfg
from oslo_log import log as logging

LOG = logging.getLogger(__name__)

OPTS = [
    cfg.StrOpt("lab_volume_dir", help="Where the sparse files live, one folder per back end"),
    cfg.ListOpt("lab_pools", default=["pool1"], help="Names of the pools that this back end reports"),
    cfg.IntOpt("lab_capacity_gb", default=20000, help="Capacity that each pool pretends to have"),
]
cfg.CONF.register_opts(OPTS, group=configuration.SHARED_CONF_GROUP)


def copy_sparse(source: Path, target: Path) -> None:
    """Copy a file without filling its holes."""
    subprocess.run(["cp", "--sparse=always", "--", source, target], check=True)


def resize(path: Path, gigabytes: int) -> None:
    """Grow or cut a sparse file to a size in GiB."""
    with path.open("ab") as handle:
        handle.truncate(gigabytes << 30)


@interface.volumedriver
class LabVolumeDriver(driver.VolumeDriver):
    """One back end; its name decides the folder."""

    VERSION = "1.0.0"
    CI_WIKI_NAME = "none"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.configuration.append_config_values(OPTS)
        self._stats: dict[str, Any] = {}

    @staticmethod
    def get_driver_options() -> list[cfg.Opt]:
        return OPTS

    @property
    def _folder(self) -> Path:
        return Path(self.configuration.lab_volume_dir) / self.configuration.safe_get("volume_backend_name")

    def _volume(self, volume: Any) -> Path:
        return self._folder / volume.name

    def _snapshot(self, snapshot: Any) -> Path:
        return self._folder / "snapshots" / snapshot.id

    def do_setup(self, context: Any) -> None:
        (self._folder / "snapshots").mkdir(parents=True, exist_ok=True)

    def check_for_setup_error(self) -> None:
        pass

    # -- volumes -------------------------------------------------------------
    def create_volume(self, volume: Any) -> None:
        self._volume(volume).write_text(f"volume {volume.id}\n")
        resize(self._volume(volume), volume.size)

    def delete_volume(self, volume: Any) -> None:
        self._volume(volume).unlink(missing_ok=True)

    def create_cloned_volume(self, volume: Any, src_vref: Any) -> None:
        copy_sparse(self._volume(src_vref), self._volume(volume))
        resize(self._volume(volume), volume.size)

    def extend_volume(self, volume: Any, new_size: int) -> None:
        resize(self._volume(volume), new_size)

    def retype(self, context: Any, volume: Any, new_type: Any, diff: Any, host: Any) -> tuple[bool, dict]:
        return True, {}

    def update_migrated_volume(self, ctxt: Any, volume: Any, new_volume: Any, original_status: str) -> dict:
        """The new volume takes over the name, so it keeps its own file."""
        source, target = self._folder / new_volume.name, self._folder / volume.name
        if source.exists() and source != target:
            source.replace(target)
        return {"_name_id": None}

    def migrate_volume(self, context: Any, volume: Any, host: Any) -> tuple[bool, dict | None]:
        kind, _, place = (host["capabilities"].get("location_info") or "").partition(":")
        folder = Path(place)
        if kind != "qdecklab" or folder.parent != self._folder.parent:
            return False, None
        if folder != self._folder:
            shutil.move(self._volume(volume), folder / volume.name)
        return True, None

    # -- snapshots -----------------------------------------------------------
    def create_snapshot(self, snapshot: Any) -> None:
        copy_sparse(self._volume(snapshot.volume), self._snapshot(snapshot))

    def delete_snapshot(self, snapshot: Any) -> None:
        self._snapshot(snapshot).unlink(missing_ok=True)

    def create_volume_from_snapshot(self, volume: Any, snapshot: Any) -> None:
        copy_sparse(self._snapshot(snapshot), self._volume(volume))
        resize(self._volume(volume), volume.size)

    def revert_to_snapshot(self, context: Any, volume: Any, snapshot: Any) -> None:
        self.create_volume_from_snapshot(volume, snapshot)

    # -- images --------------------------------------------------------------
    def copy_image_to_volume(
        self, context: Any, volume: Any, image_service: Any, image_id: str, disable_sparse: bool = False
    ) -> None:
        target, block = str(self._volume(volume)), self.configuration.volume_dd_blocksize
        image_utils.fetch_to_raw(context, image_service, image_id, target, block, size=volume.size, run_as_root=False)
        resize(self._volume(volume), volume.size)

    def copy_volume_to_image(self, context: Any, volume: Any, image_service: Any, image_meta: Any) -> None:
        # The whole volume is mostly holes; the first MiB stands for it.
        stub = self._folder / f"{volume.name}.upload"
        with self._volume(volume).open("rb") as source:
            stub.write_bytes(source.read(1 << 20))
        try:
            volume_utils.upload_volume(context, image_service, image_meta, str(stub), volume, run_as_root=False)
        finally:
            stub.unlink()

    # -- connections ---------------------------------------------------------
    def ensure_export(self, context: Any, volume: Any) -> None:
        pass

    def create_export(self, context: Any, volume: Any, connector: Any) -> None:
        pass

    def remove_export(self, context: Any, volume: Any) -> None:
        pass

    def create_export_snapshot(self, context: Any, snapshot: Any, connector: Any) -> None:
        pass

    def remove_export_snapshot(self, context: Any, snapshot: Any) -> None:
        pass

    @staticmethod
    def _connection(path: Path, name: str, connector: dict | None) -> dict[str, Any]:
        if (connector or {}).get("initiator") != "fake":
            data: dict[str, Any] = {"device_path": str(path), "access_mode": "rw"}
            return {"driver_volume_type": "local", "data": data}
        data = {
            "target_discovered": False,
            "target_portal": "127.0.0.1:3260",
            "target_iqn": f"iqn.2010-10.org.openstack:{name}",
            "target_lun": 1,
            "discard": True,
            "access_mode": "rw",
        }
        return {"driver_volume_type": "iscsi", "data": data}

    def initialize_connection(self, volume: Any, connector: dict | None) -> dict[str, Any]:
        return self._connection(self._volume(volume), volume.name, connector)

    def terminate_connection(self, volume: Any, connector: dict | None, **kwargs: Any) -> None:
        pass

    def initialize_connection_snapshot(self, snapshot: Any, connector: dict, **kwargs: Any) -> dict[str, Any]:
        return self._connection(self._snapshot(snapshot), snapshot.name, connector)

    def terminate_connection_snapshot(self, snapshot: Any, connector: dict, **kwargs: Any) -> None:
        pass

    # -- figures -------------------------------------------------------------
    def _update_volume_stats(self) -> None:
        files = [path for path in self._folder.iterdir() if path.is_file()]
        pools = list(self.configuration.lab_pools)
        used = sum(path.stat().st_size >> 30 for path in files) // len(pools)
        capacity = self.configuration.lab_capacity_gb
        location = f"qdecklab:{self._folder}"
        shared = {
            "total_capacity_gb": capacity,
            "free_capacity_gb": capacity - used // 3,
            "provisioned_capacity_gb": used,
            "allocated_capacity_gb": used,
            "max_over_subscription_ratio": "10.0",
            "reserved_percentage": 5,
            "thin_provisioning_support": True,
            "thick_provisioning_support": False,
            "multiattach": True,
            "online_extend_support": True,
            "QoS_support": True,
            "backend_state": "up",
            "location_info": location,
            "filter_function": self.get_filter_function(),
            "goodness_function": self.get_goodness_function(),
        }
        self._stats = {
            "volume_backend_name": self._folder.name,
            "vendor_name": "Lab",
            "driver_version": self.VERSION,
            "storage_protocol": "iSCSI",
            "location_info": location,
            "pools": [{"pool_name": pool, **shared} for pool in pools],
        }

    def get_volume_stats(self, refresh: bool = False) -> dict[str, Any]:
        if refresh or not self._stats:
            self._update_volume_stats()
        return self._stats
