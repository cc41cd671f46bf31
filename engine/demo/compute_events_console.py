"""What a machine of the demo cloud wrote to its serial port: a boot as real images print it, and life since then.

The same machine writes the same log, a little more of it the later one asks. A few did not come up as they should:
a kernel that panics, a cloud-init that finds no metadata, a disk that is full, a machine that writes escape sequences.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

from engine.demo.answers import Refusal
from engine.demo.records import Server
from engine.demo.state import State

MAX_BYTES = 102_400  # Nova's MAX_CONSOLE_BYTES
# What Nova takes out of every console log, the escape character too.
_REMOVED = re.compile("[\x00-\x08\x0b-\x1f]")
_MOST_LATER = 600  # lines since the boot
_OK, _FAILED, _OFF = "\x1b[0;32m", "\x1b[0;1;31m", "\x1b[0m"

KERNELS = {
    "ubuntu": "Linux version 6.8.0-45-generic (buildd@lcy02-amd64-115) (x86_64-linux-gnu-gcc-13 13.2.0) "
    "#45-Ubuntu SMP PREEMPT_DYNAMIC",
    "debian": "Linux version 6.1.0-25-cloud-amd64 (debian-kernel@lists.debian.org) (gcc-12 12.2.0) #1 SMP",
    "rocky": "Linux version 5.14.0-427.33.1.el9_4.x86_64 (mockbuild@iad1-prod-build001) (gcc 11.4.1) #1 SMP",
    "centos": "Linux version 3.10.0-1160.119.1.el7.x86_64 (mockbuild@kbuilder) (gcc version 4.8.5) #1 SMP",
    "flatcar": "Linux version 6.6.54-flatcar (build@pony-truck.infra.kinvolk.io) (x86_64-cros-linux-gnu-gcc) #1 SMP",
    "cirros": "Linux version 5.15.0-117-generic (buildd@lcy02-amd64-037) (gcc 11.4.0) #127-Ubuntu SMP",
}
SYSTEMD = (
    "Created slice system-getty.slice - Slice /system/getty.",
    "Reached target local-fs.target - Local File Systems.",
    "Started systemd-journald.service - Journal Service.",
    "Finished systemd-sysctl.service - Apply Kernel Variables.",
    "Started systemd-udevd.service - Rule-based Manager for Device Events and Files.",
    "Finished systemd-fsck-root.service - File System Check on Root Device.",
    "Mounted boot-efi.mount - /boot/efi.",
    "Finished apparmor.service - Load AppArmor profiles.",
    "Started systemd-networkd.service - Network Configuration.",
    "Reached target network.target - Network.",
    "Started systemd-resolved.service - Network Name Resolution.",
    "Started dbus.service - D-Bus System Message Bus.",
    "Started systemd-timesyncd.service - Network Time Synchronization.",
    "Started cron.service - Regular background program processing daemon.",
    "Started ssh.service - OpenBSD Secure Shell server.",
    "Reached target multi-user.target - Multi-User System.",
)
LATER = (
    "systemd[1]: Starting apt-daily.service - Daily apt download activities...",
    "systemd[1]: Finished apt-daily.service - Daily apt download activities.",
    "systemd[1]: Starting logrotate.service - Rotate log files...",
    "systemd[1]: logrotate.service: Deactivated successfully.",
    "systemd[1]: Starting fstrim.service - Discard unused filesystem blocks...",
    "systemd-timesyncd[512]: Contacted time server 198.51.100.123:123 (ntp.example.org).",
    "kernel: device-mapper: uevent: version 1.0.3",
    "kernel: perf: interrupt took too long (2517 > 2500), lowering kernel.perf_event_max_sample_rate to 79250",
    "systemd[1]: Started session of user ops.",
    "systemd[1]: user@1000.service: Deactivated successfully.",
)


def console_output(server: Server, value: Any, now: int, state: State) -> str:
    """The output of os-getConsoleOutput with these parameters. Raises Refusal as Nova does."""
    length = _length(value)
    if server.host is None:
        raise Refusal(409, f"Instance {server.id} is not ready")
    told = next((how for name, how in state.boots if name.search(server.name)), None)
    text = _REMOVED.sub("", "\n".join(lines(server, now, told)))[-MAX_BYTES:]
    return text if length is None else "\n".join(text.split("\n")[-length:]) if length else ""


def _length(value: Any) -> int | None:
    """How many lines are asked for; None is all of them."""
    given = value.get("length") if isinstance(value, dict) else None
    if given is None:
        return None
    if isinstance(given, bool) or not re.fullmatch(r"-?[0-9]+", str(given)):
        raise Refusal(
            400,
            f"Invalid input for field/attribute length. Value: {given}. {given!r} is not of type 'integer', 'string', "
            "'null'",
        )
    if int(given) < -1:
        raise Refusal(
            400, f"Invalid input for field/attribute length. Value: {given}. {given} is less than the minimum of -1"
        )
    return None if int(given) == -1 else int(given)


def trouble(server: Server) -> str:
    """What is wrong with a machine's boot: "" for most; what is made by a call boots well unless it is told not to."""
    if "\x1b" in server.name:
        return "hostile"
    if server.boot is not None:
        return server.boot
    return {3: "panic", 11: "cloud-init", 20: "full", 27: "memory"}.get(server.number % 31, "")


def lines(server: Server, now: int, told: str | None = None) -> list[str]:
    """All that the machine wrote since its last boot, escape sequences included; `told`: how its boot has to go."""
    dice = random.Random(server.id)
    boot = _booted(server)
    system = _system(server)
    wrong = trouble(server) if told is None else told
    if system == "windows" and not wrong:
        return list(_windows(server))
    found = list(_kernel(server, system, boot, dice))
    if wrong == "panic":
        return [*found, *_panic(dice)]
    if wrong == "silent":
        return found
    found += _systemd(server, wrong, dice)
    found += _cloud_init(server, boot, wrong, dice)
    found += ["", f"{_release(server)} {server.hostname} ttyS0", "", f"{server.hostname} login: "]
    if wrong == "hostile":
        found += [
            "\x1b]0;owned\x07\x1b[2J\x1b[31mALL YOUR TERMINAL\x1b[0m",
            "\x9b31mmore\u202egnp.exe\u202c",
            "\x1b[6n",
        ]
    found += _later(server, boot, now, wrong, dice)
    if server.status == "SHUTOFF":
        up = max(60.0, server.updated - boot)
        words = ("Stopped target multi-user.target - Multi-User System.", "Reached target poweroff.target - Power-Off.")
        found += [f"[{_OK}  OK  {_OFF}] {word}" for word in words] + [f"[{up:12.6f}] reboot: Power down"]
    return found


def _booted(server: Server) -> int:
    """Seconds since 1970 of the last boot."""
    boots = [action.start for action in server.actions or () if action.action in ("start", "reboot", "rebuild")]
    return max([server.launched or server.created, *boots])


def _system(server: Server) -> str:
    if server.image is not None:
        return server.image.properties.get("os_distro", "ubuntu")
    name = server.name  # a machine that boots from a volume knows no image
    if "-win-" in name:
        return "windows"
    return "rocky" if "-db" in name or "-batch" in name else "flatcar" if "-k8s" in name else "debian"


def _release(server: Server) -> str:
    return {
        "ubuntu": "Ubuntu 24.04.1 LTS",
        "debian": "Debian GNU/Linux 12",
        "rocky": "Rocky Linux 9.4 (Blue Onyx)",
        "flatcar": "This is localhost (Linux x86_64 6.6.54-flatcar)",
        "centos": "CentOS Linux 7 (Core)",
        "cirros": "login as 'cirros' user.",
    }.get(_system(server), "Linux")


def _clocked(dice: random.Random, start: float, step: float) -> Callable[[str], str]:
    """A function that puts the kernel's time before a line; the time moves on with every line."""
    passed = [start]

    def put(line: str) -> str:
        found = f"[{passed[0]:12.6f}] {line}"
        passed[0] += dice.random() * step
        return found

    return put


def _kernel(server: Server, system: str, boot: int, dice: random.Random) -> Iterator[str]:
    when = datetime.fromtimestamp(boot, UTC)
    ram, cpus = server.flavor.ram, server.flavor.vcpus
    yield "SeaBIOS (version 1.16.3-debian-1.16.3-2)"
    yield "Booting from Hard Disk..."
    yield f"[    0.000000] {KERNELS.get(system, KERNELS['ubuntu'])} {when:%a %b %d %H:%M:%S UTC %Y}"
    yield f"[    0.000000] Command line: BOOT_IMAGE=/vmlinuz root=UUID={server.id} ro console=tty1 console=ttyS0"
    yield "[    0.000000] BIOS-provided physical RAM map:"
    yield f"[    0.000000] BIOS-e820: [mem 0x0000000000100000-0x{(ram << 20) - 1:016x}] usable"
    yield "[    0.000000] DMI: OpenStack Foundation OpenStack Nova, BIOS 1.16.3-debian-1.16.3-2 04/01/2014"
    put = _clocked(dice, 0.004, 0.09)
    yield put("Hypervisor detected: KVM")
    yield put("tsc: Detected 2593.906 MHz processor")
    yield put(f"Memory: {ram * 960}K/{ram * 1024}K available (18432K kernel code, 3345K rwdata, 10904K rodata)")
    yield put(f"smp: Bringing up secondary CPUs ... {cpus} CPUs")
    yield put("devtmpfs: initialized")
    yield put("NET: Registered PF_INET protocol family")
    yield put("pci 0000:00:03.0: [1af4:1000] type 00 class 0x020000")
    for number, attachment in enumerate(server.volumes or (None,)):
        gigabytes = server.flavor.disk or 20
        device = attachment.device.removeprefix("/dev/") if attachment is not None and attachment.device else "vda"
        yield put(
            f"virtio_blk virtio{number + 1}: [{device}] {gigabytes << 21} 512-byte logical blocks ({gigabytes} GiB)"
        )
    for number, port in enumerate(server.ports):
        yield put(f"virtio_net virtio0 ens{3 + number}: renamed from eth{number} ({port.mac})")


def _panic(dice: random.Random) -> Iterator[str]:
    put = _clocked(dice, 1.9, 0.002)
    yield put('VFS: Cannot open root device "UUID=9a7b-dead" or unknown-block(0,0): error -6')
    yield put('Please append a correct "root=" boot option; here are the available partitions:')
    yield put("fd00         20971520 vda  driver: virtio_blk")
    yield put("Kernel panic - not syncing: VFS: Unable to mount root fs on unknown-block(0,0)")
    yield put("CPU: 0 PID: 1 Comm: swapper/0 Not tainted")
    yield put("Call Trace:")
    for name in ("dump_stack_lvl+0x76/0xa0", "panic+0x1b5/0x3c0", "mount_root+0x1c4/0x2e0", "kernel_init+0x1a/0x1c0"):
        yield put(f" {name}")
    yield put("---[ end Kernel panic - not syncing: VFS: Unable to mount root fs on unknown-block(0,0) ]---")


def _systemd(server: Server, wrong: str, dice: random.Random) -> Iterator[str]:
    put = _clocked(dice, 2.6, 0.2)
    yield put("systemd[1]: Detected virtualization kvm.")
    yield put(f"systemd[1]: Hostname set to <{server.hostname}>.")
    for words in SYSTEMD:
        yield f"[{_OK}  OK  {_OFF}] {words}"
    if wrong == "full":
        yield f"[{_FAILED}FAILED{_OFF}] Failed to start postgresql@15-main.service - PostgreSQL Cluster 15-main."
        yield "See 'systemctl status postgresql@15-main.service' for details."
        yield put("EXT4-fs warning (device vda1): ext4_end_bio:343: I/O error 3 writing to inode 131090")
        yield put("systemd-journald[231]: Failed to open system journal: No space left on device")


def _cloud_init(server: Server, boot: int, wrong: str, dice: random.Random) -> Iterator[str]:
    put = _clocked(dice, 7.8, 1.1)
    when = datetime.fromtimestamp(boot + 12, UTC).strftime("%a, %d %b %Y %H:%M:%S +0000")
    name = "cloud-init[612]:"
    yield put(f"{name} Cloud-init v. 24.1.3 running 'init-local' at {when}. Up 7.81 seconds.")
    yield "ci-info: ++++++++++++++++++++++++++++++++++++++Net device info++++++++++++++++++++++++++++++++++++++"
    yield "ci-info: | Device |  Up  |           Address            |      Mask     | Scope  |     Hw-Address    |"
    for number, port in enumerate(server.ports):
        for _, address in port.fixed_ips:
            yield f"ci-info: |  ens{3 + number}  | True | {address:^28} | 255.255.255.0 | global | {port.mac} |"
    yield "ci-info: +--------+------+------------------------------+---------------+--------+-------------------+"
    if wrong == "cloud-init":
        url = "http://169.254.169.254/openstack/latest/meta_data.json"
        for attempt in range(1, 6):
            yield put(f"{name} url_helper.py[WARNING]: Calling '{url}' failed [{attempt * 10}/120s]: timed out")
        yield put(f"{name} util.py[WARNING]: No active metadata service found")
        yield put(f"{name} DataSourceNone.py[WARNING]: Used fallback datasource")
        yield put(f"{name} failed: cc_ssh_import_id, cc_users_groups: no user or keys came from the cloud")
        yield f"[{_FAILED}FAILED{_OFF}] Failed to start cloud-final.service - Execute cloud user/final scripts."
        return
    yield put(f"{name} Cloud-init v. 24.1.3 running 'modules:config' at {when}. Up 14.02 seconds.")
    key = server.key or "none"
    yield f"ci-info: ++++Authorized keys from /home/ubuntu/.ssh/authorized_keys for user ubuntu ({key})++++"
    yield put(
        f"{name} Cloud-init v. 24.1.3 finished at {when}. Datasource DataSourceOpenStackLocal [net,ver=2].  "
        "Up 16.44 seconds"
    )


def _later(server: Server, boot: int, now: int, wrong: str, dice: random.Random) -> list[str]:
    """A line every few seconds or minutes since the boot: the newest ones."""
    pace = dice.choice((7, 23, 61, 307))
    end = server.updated if server.status == "SHUTOFF" else now
    count = max(0, end - boot - 60) // pace
    found = []
    for number in range(max(0, count - _MOST_LATER), count):
        up = 60 + number * pace + (number * 7919 % 1000) / 1000
        words = LATER[(number * 31 + server.number) % len(LATER)]
        if wrong == "memory" and number % 40 == 39:
            words = (
                f"Out of memory: Killed process {1000 + number % 30000} (java) total-vm:8421376kB, anon-rss:3999744kB"
            )
        found.append(f"[{up:12.6f}] {words}")
    return found


def _windows(server: Server) -> Iterator[str]:
    yield "Computer is booting, SAC started and initialized."
    yield 'Use the "ch -?" command for information about using channels.'
    yield 'Use the "?" command for general help.'
    yield "SAC>"
    yield "EVENT: The CMD command is now available."
    yield f"SAC>EVENT: machine name {server.hostname[:15].upper()}"
    yield "SAC>"
