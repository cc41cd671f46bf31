"""How the evaluated clouds differ: names, zones, clouds and regions."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo


@dataclass(frozen=True, slots=True)
class Style:
    """What a world is made of.

    clouds    (cloud, regions)
    projects  (domain, project) of every cloud, the cloud's own
    server    pattern of servers' names with role and number, `volume` of volumes', `host` of hosts'
    """

    name: str
    seed: int
    zone: str
    clouds: tuple[tuple[str, tuple[str, ...]], ...]
    projects: tuple[tuple[tuple[str, str], ...], ...]
    roles: tuple[str, ...]
    server: str
    volume: str
    host: str
    zones: tuple[str, ...]
    flavors: tuple[tuple[str, int, int, int], ...]  # name, vCPUs, RAM in MB, disk in GB
    images: tuple[str, ...]
    types: tuple[str, ...]
    users: tuple[str, ...]
    networks: tuple[str, ...]
    prefix: int  # second octet of addresses
    servers: int = 100  # in each region

    @property
    def now(self) -> datetime:
        """Wednesday afternoon, aware, in the world's zone."""
        return datetime(2026, 11, 25, 15, 20, tzinfo=ZoneInfo(self.zone))


NORTH = Style(
    name="north",
    seed=11,
    zone="Europe/Berlin",
    clouds=(("north", ("one",)),),
    projects=(
        (
            ("acme", "acme-prod"),
            ("acme", "acme-dev"),
            ("acme", "acme-staging"),
            ("globex", "globex-shop"),
            ("globex", "globex-billing"),
            ("initech", "initech-analytics"),
            ("Default", "admin"),
            ("initech", "initech-sandbox"),
        ),
    ),
    roles=("web", "db", "cache", "queue", "batch", "mail", "billing-api", "report"),
    server="{role}-{n:02d}",
    volume="{server}-data{k}",
    host="cmp-{n:02d}",
    zones=("az-east", "az-west"),
    flavors=(
        ("m1.small", 1, 2048, 20),
        ("m1.medium", 2, 4096, 40),
        ("m1.large", 4, 8192, 80),
        ("m1.xlarge", 8, 16384, 160),
        ("r1.big", 8, 65536, 80),
        ("c1.tiny", 1, 512, 1),
    ),
    images=("ubuntu-22.04", "debian-12", "rocky-9", "windows-2022", "cirros"),
    types=("ssd", "hdd", "archive"),
    users=("alice", "bertram", "carla", "dieter", "svc-backup"),
    networks=("frontend", "backend", "storage-net", "mgmt"),
    prefix=20,
    servers=240,
)

RHINE = Style(
    name="rhine",
    seed=22,
    zone="UTC",
    clouds=(("rhine", ("fra", "muc")),),
    projects=(
        (
            ("retail", "team-blue"),
            ("retail", "team-green"),
            ("retail", "checkout"),
            ("media", "streaming"),
            ("media", "transcoder"),
            ("Default", "services"),
            ("lab", "playground"),
        ),
    ),
    roles=("worker", "ingest", "gateway", "postgres", "redis", "jenkins", "vault"),
    server="k8s-{role}-{n:03d}",
    volume="pvc-{server}-{k}",
    host="compute{n:02d}.rhine.example",
    zones=("zone-a", "zone-b", "zone-c"),
    flavors=(
        ("gp.1x2", 1, 2048, 10),
        ("gp.2x4", 2, 4096, 20),
        ("gp.4x16", 4, 16384, 50),
        ("gp.16x64", 16, 65536, 100),
        ("mem.8x128", 8, 131072, 100),
    ),
    images=("flatcar-3815", "ubuntu-24.04-minimal", "alma-8", "windows-server-2019"),
    types=("gold", "silver", "bronze"),
    users=("jana", "marek", "olga", "robot-ci", "pavel"),
    networks=("pods", "services-net", "public-lb", "monitoring"),
    prefix=44,
    servers=120,
)

ISLES = Style(
    name="isles",
    seed=33,
    zone="America/New_York",
    clouds=(("skye", ("hq",)), ("mull", ("dr",))),
    projects=(
        (
            ("corp", "Finance Dept"),
            ("corp", "hr_portal"),
            ("corp", "ERP"),
            ("partners", "northwind"),
            ("Default", "infra"),
        ),
        (("corp", "finance_dr"), ("corp", "erp_standby"), ("partners", "contoso"), ("Default", "operations")),
    ),
    roles=("SRV", "SQL", "APP", "FILE", "PRINT", "CITRIX"),
    server="LON{role}{n:03d}",
    volume="vol_{server}_{k}",
    host="kvm-rack{n:02d}",
    zones=("rack-north", "rack-south"),
    flavors=(
        ("small", 1, 2048, 20),
        ("standard", 2, 8192, 60),
        ("large-mem", 4, 32768, 60),
        ("heavy", 12, 49152, 200),
    ),
    images=("win2019-gold", "rhel-8.6", "sles-15", "win11-vdi"),
    types=("fast-nvme", "capacity", "replicated"),
    users=("t.miller", "h.ito", "s.novak", "backup-bot", "k.osei"),
    networks=("lan-office", "dmz", "san", "vdi-pool"),
    prefix=71,
    servers=120,
)

# Names that are words of questions, near each other, and twice there.
MAZE = Style(
    name="maze",
    seed=44,
    zone="Europe/London",
    clouds=(("maze", ("left", "right")), ("mirror", ("left",))),
    projects=(
        (
            ("default", "test"),
            ("default", "list"),
            ("shared", "all hosts"),
            ("shared", "prod"),
            ("shared", "prod-eu"),
            ("tenants", "production"),
            ("tenants", "pordal"),
        ),
        (("default", "test"), ("shared", "prod"), ("tenants", "volumes"), ("tenants", "quarantine")),
    ),
    roles=("node", "nodes", "server", "host", "image", "backend", "backend-api"),
    server="{role}-{n:02d}",
    volume="{server}-vol{k}",
    host="hv-{n:02d}",
    zones=("nova", "internal-2"),
    flavors=(
        ("small", 1, 2048, 20),
        ("medium", 2, 4096, 40),
        ("large", 4, 8192, 80),
        ("16G", 8, 16384, 80),
    ),
    images=("ubuntu", "ubuntu-lts", "windows", "latest"),
    types=("ssd", "default"),
    users=("root", "admin", "yesterday", "maria", "maria2"),
    networks=("private", "public", "net", "internal"),
    prefix=99,
    servers=100,
)

STYLES = (NORTH, RHINE, ISLES, MAZE)
