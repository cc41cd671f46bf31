"""Nova virt driver: nova's own fake driver with a memory.

Differences from nova.virt.fake.FakeDriver:
- instances are read back from the database when the process restarts;
- the node UUID is derived from the host name, so it survives a restart;
- snapshots upload a few bytes, so the image becomes `active`;
- pause, suspend and power states are tracked;
- a boot takes a moment, so that BUILD can be seen;
- a tagged disk can be detached (Nova wants the list of tagged devices that a real driver keeps);
- a server whose metadata has `lab_fault=boot` fails to spawn (ERROR).
"""

from __future__ import annotations

import io
import os
import time
import uuid
from typing import Any

import nova.conf
from nova import context as nova_context
from nova import exception, objects
from nova.compute import power_state, task_states, vm_states
from nova.image import glance
from nova.virt import fake
from oslo_log import log as logging

CONF = nova.conf.CONF
LOG = logging.getLogger(__name__)

BOOT_SECONDS = float(os.environ.get("QDECK_LAB_BOOT_SECONDS", "0.3"))

WITHOUT_GUEST = (vm_states.BUILDING, vm_states.ERROR, vm_states.DELETED, vm_states.SHELVED_OFFLOADED)
POWER_STATES = {
    vm_states.STOPPED: power_state.SHUTDOWN,
    vm_states.PAUSED: power_state.PAUSED,
    vm_states.SUSPENDED: power_state.SUSPENDED,
}


def node_uuid(name: str) -> str:
    """The identity of a compute node, the same as in its `compute_id` file."""
    return str(uuid.uuid5(uuid.NAMESPACE_DNS, f"qdeck-lab.{name}"))


class LabDriver(fake.FakeDriver):
    """64 vCPU, 256 GiB and 8,000 GB per host, none of it real."""

    vcpus = 64
    memory_mb = 256 * 1024
    local_gb = 8000

    capabilities = fake.FakeDriver.capabilities | {"supports_image_type_qcow2": True}

    def __init__(self, virtapi: Any, read_only: bool = False) -> None:
        super().__init__(virtapi, read_only)
        self._started = time.time()

    # -- identity and restart ------------------------------------------------
    def init_host(self, host: str) -> None:
        super().init_host(host)
        context = nova_context.get_admin_context()
        known = objects.InstanceList.get_by_host(context, host, expected_attrs=["flavor", "info_cache"])
        for instance in known:
            if instance.vm_state not in WITHOUT_GUEST:
                self._recover(instance)
        LOG.info("%d instances recovered on %s", len(self.instances), host)

    def _recover(self, instance: Any) -> None:
        self._set_state(instance, POWER_STATES.get(instance.vm_state, power_state.RUNNING))
        flavor = instance.flavor
        self.resources.claim(vcpus=flavor.vcpus, mem=flavor.memory_mb, disk=flavor.root_gb)
        if instance.info_cache and instance.info_cache.network_info:
            self._interfaces.update((vif["id"], vif) for vif in instance.info_cache.network_info)

    def get_available_resource(self, nodename: str) -> dict[str, Any]:
        status = super().get_available_resource(nodename)
        if status:
            status["uuid"] = node_uuid(nodename)
            status["disk_available_least"] = self.local_gb - self.resources.local_gb_used
        return status

    def get_nodenames_by_uuid(self, refresh: bool = False) -> dict[str, str]:
        return {node_uuid(name): name for name in self.get_available_nodes()}

    def get_host_ip_addr(self) -> str:
        return CONF.my_ip

    def get_host_uptime(self) -> str:
        minutes = int(time.time() - self._started) // 60
        clock = f"{minutes // 60 % 24:2d}:{minutes % 60:02d}"
        now = time.strftime("%H:%M:%S")
        return f" {now} up 12 days, {clock},  0 users,  load average: 0.42, 0.37, 0.31"

    # -- life cycle ----------------------------------------------------------
    def spawn(
        self,
        context: Any,
        instance: Any,
        image_meta: Any,
        injected_files: Any,
        admin_password: Any,
        allocations: Any,
        network_info: Any = None,
        block_device_info: Any = None,
        power_on: bool = True,
        accel_info: Any = None,
    ) -> None:
        if instance.vm_state == vm_states.BUILDING:
            if instance.metadata.get("lab_fault") == "boot":
                raise exception.BuildAbortException(
                    instance_uuid=instance.uuid, reason="lab: the guest was asked to fail"
                )
            time.sleep(BOOT_SECONDS)
        if instance.uuid not in self.instances:
            super().spawn(
                context,
                instance,
                image_meta,
                injected_files,
                admin_password,
                allocations,
                network_info,
                block_device_info,
                power_on,
                accel_info,
            )

    def _set_state(self, instance: Any, state: int) -> None:
        known = self.instances.get(instance.uuid)
        if known is None:
            known = fake.FakeInstance(instance.name, state, instance.uuid)
            self.instances[instance.uuid] = known
        known.state = state

    def power_off(self, instance: Any, timeout: int = 0, retry_interval: int = 0) -> None:
        self._set_state(instance, power_state.SHUTDOWN)

    def power_on(self, context: Any, instance: Any, *args: Any, **kwargs: Any) -> None:
        self._set_state(instance, power_state.RUNNING)

    def pause(self, instance: Any) -> None:
        self._set_state(instance, power_state.PAUSED)

    def unpause(self, instance: Any) -> None:
        self._set_state(instance, power_state.RUNNING)

    def suspend(self, context: Any, instance: Any) -> None:
        self._set_state(instance, power_state.SUSPENDED)

    def resume(self, context: Any, instance: Any, *args: Any, **kwargs: Any) -> None:
        self._set_state(instance, power_state.RUNNING)

    def detach_interface(self, context: Any, instance: Any, vif: Any) -> None:
        self._interfaces.pop(vif["id"], None)

    def detach_volume(
        self, context: Any, connection_info: Any, instance: Any, mountpoint: str, encryption: Any = None
    ) -> None:
        super().detach_volume(context, connection_info, instance, mountpoint, encryption)
        if instance.device_metadata is None:
            instance.device_metadata = objects.InstanceDeviceMetadata(devices=[])

    def snapshot(self, context: Any, instance: Any, image_id: str, update_task_state: Any) -> None:
        update_task_state(task_state=task_states.IMAGE_PENDING_UPLOAD)
        update_task_state(task_state=task_states.IMAGE_UPLOADING, expected_state=task_states.IMAGE_PENDING_UPLOAD)
        data = f"snapshot of {instance.uuid}\n".encode().ljust(64 * 1024, b"\0")
        api = glance.API()
        image = api.get(context, image_id)
        image.update({"disk_format": "raw", "container_format": "bare"})
        api.update(context, image_id, image, io.BytesIO(data))

    def get_console_output(self, context: Any, instance: Any) -> str:
        lines = [
            "[    0.000000] Linux version 6.1.0-lab (lab@cloud) #1 SMP",
            f"[    0.412345] smp: Brought up 1 node, {instance.flavor.vcpus} CPUs",
            f"[    4.551201] cloud-init[512]: hostname {instance.hostname}",
            f"[    5.012345] cloud-init[512]: finished at {instance.launched_at}",
            f"{instance.hostname} login: ",
        ]
        return "\n".join(lines)
