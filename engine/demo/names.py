"""Words the demo cloud is named with, as people name things; and a few that are hostile on purpose."""

from __future__ import annotations

DOMAINS = [
    ("retail", "shops and web"),
    ("research", "laboratories and simulation"),
    ("internal", "what the company runs for itself"),
    ("media", "streaming and archive"),
    ("finance", "billing and reporting"),
]
TEAMS = [
    "web", "shop", "hpc", "tools", "mail", "data", "edge", "ci", "billing", "search", "video", "auth",
    "iot", "maps", "stage", "analytics", "portal", "backup", "mobile", "ledger", "risk", "lab", "vision",
    "archive", "gateway",
]  # fmt: skip

# Role of a machine: name stem, how often, flavors it gets, image it boots, data volumes (GB), group of rules.
MACHINES: list[tuple[str, int, tuple[str, ...], str, tuple[int, ...], str]] = [
    ("web", 22, ("m1.small", "m1.medium", "v1.medium"), "ubuntu-24.04", (), "web"),
    ("app", 18, ("m1.medium", "v1.medium", "v1.large"), "ubuntu-24.04", (50,), "app"),
    ("db", 9, ("v1.large", "r1.large", "r1.xlarge"), "rocky-9", (200, 100), "db"),
    ("k8s-worker", 16, ("v1.large", "v1.xlarge"), "flatcar-stable", (100,), "app"),
    ("k8s-master", 4, ("v1.medium", "v1.large"), "flatcar-stable", (20,), "admin"),
    ("cache", 6, ("r1.large", "m1.medium"), "debian-12", (), "app"),
    ("mq", 4, ("v1.medium",), "debian-12", (50,), "app"),
    ("ci-runner", 6, ("c1.large", "m1.small"), "ubuntu-22.04", (), "admin"),
    ("batch", 6, ("c1.large", "c1.xlarge"), "rocky-9", (100,), "app"),
    ("win-ts", 3, ("v1.large", "v1.xlarge"), "windows-2022", (80,), "admin"),
    ("bastion", 2, ("m1.tiny", "m1.small"), "debian-12", (), "admin"),
    ("monitor", 3, ("v1.medium",), "debian-12", (100,), "admin"),
    ("gpu", 1, ("g1.xlarge",), "ubuntu-22.04", (500,), "app"),
]
PRIMARY = ("primary", "replica-1", "replica-2")

# name, vcpus, ram MB, disk GB, ephemeral, swap, public, extra specs
FLAVORS: list[tuple[str, int, int, int, int, int, bool, dict[str, str]]] = [
    ("m1.tiny", 1, 512, 1, 0, 0, True, {}),
    ("m1.small", 1, 2048, 20, 0, 0, True, {}),
    ("m1.medium", 2, 4096, 40, 0, 0, True, {}),
    ("m1.large", 4, 8192, 80, 0, 1024, True, {}),
    ("v1.small", 1, 2048, 0, 0, 0, True, {}),
    ("v1.medium", 2, 4096, 0, 0, 0, True, {}),
    ("v1.large", 4, 8192, 0, 0, 0, True, {}),
    ("v1.xlarge", 8, 16384, 0, 0, 0, True, {}),
    ("c1.large", 8, 8192, 40, 0, 0, True, {"hw:cpu_policy": "dedicated"}),
    ("c1.xlarge", 16, 16384, 80, 100, 0, True, {"hw:cpu_policy": "dedicated"}),
    ("r1.large", 2, 16384, 0, 0, 0, True, {"hw:mem_page_size": "large"}),
    ("r1.xlarge", 4, 32768, 0, 0, 0, True, {"hw:mem_page_size": "large"}),
    ("g1.xlarge", 8, 65536, 100, 0, 0, False, {"pci_passthrough:alias": "a100:1"}),
]

# name, size bytes, virtual GB, disk format, min disk, min ram, properties
IMAGES: list[tuple[str, int, int, str, int, int, dict[str, str]]] = [
    ("ubuntu-24.04", 618_659_840, 4, "qcow2", 10, 512, {"os_distro": "ubuntu", "os_version": "24.04"}),
    ("ubuntu-22.04", 671_744_000, 3, "qcow2", 10, 512, {"os_distro": "ubuntu", "os_version": "22.04"}),
    ("debian-12", 347_602_944, 2, "qcow2", 5, 256, {"os_distro": "debian", "os_version": "12"}),
    (
        "rocky-9",
        1_083_703_296,
        10,
        "qcow2",
        10,
        1024,
        {"os_distro": "rocky", "os_version": "9.4", "os_require_quiesce": "yes"},
    ),
    ("flatcar-stable", 478_150_656, 9, "qcow2", 10, 1024, {"os_distro": "flatcar", "os_version": "3975"}),
    (
        "windows-2022",
        12_884_901_888,
        40,
        "raw",
        40,
        2048,
        {"os_distro": "windows", "os_version": "2022", "os_type": "windows", "hw_firmware_type": "uefi"},
    ),
    ("cirros-0.6", 21_430_272, 1, "qcow2", 1, 64, {"os_distro": "cirros", "os_version": "0.6.3"}),
    ("centos-7-legacy", 902_889_472, 8, "qcow2", 8, 512, {"os_distro": "centos", "os_version": "7.9"}),
]

FIRST_NAMES = [
    "anna", "ben", "chiara", "david", "elif", "farid", "greta", "hugo", "ines", "jonas", "kemal", "lena",
    "marek", "nadia", "oskar", "paula", "quentin", "rosa", "samir", "tove", "ugo", "vera", "wim", "yara",
    "zoe",
]  # fmt: skip

# What a cloud lets people type: markup, escape sequences, directions, wide characters, formulas, quotes.
HOSTILE = [
    "🔥 prod 👩‍👩‍👧 do not touch",
    "名前が長い全角のサーバー",
    "[red]alarm[/red] [bold",
    "\x1b[31mred\x1b[0m\x1b]0;title\x07",
    "\u202egnp.exe\u202c-rtl-שלום",
    '=HYPERLINK("http://example.invalid")',
    "'; DROP TABLE servers; --",
    "  spaces\tand\nlines  ",
    "a" * 255,
    "e\u0301\u0301\u0301 zalgo\u200b\u200dzero",
]

NOVALID = "No valid host was found. There are not enough hosts available."
