"""Quick questions by group, as documented, and how to ask."""

from __future__ import annotations

from typing import Any

# group, icon, (label, question); a label that ends in "…" is a template: its question still wants a name.
_GROUPS: tuple[tuple[str, str, tuple[tuple[str, str], ...]], ...] = (
    ("Infrastructure", "🖥️", (
        ("How many VMs?", "How many VMs?"),
        ("List all hosts", "List all hosts"),
        ("Hosts down", "Which hosts are down?"),
        ("Overview", "Give me an overview"),
        ("Largest VMs", "Show the 10 largest VMs by RAM"),
    )),
    ("VM Power State", "⚡", (
        ("Powered on VMs", "How many powered on VMs?"),
        ("Powered off VMs", "Show powered off VMs"),
        ("VMs in error", "Show VMs in error"),
        ("VMs on host …", "VMs on host "),
    )),
    ("Tenant / Project", "📁", (
        ("VMs on tenant …", "VMs on tenant "),
        ("Quota for …", "Quota of tenant "),
        ("Usage for …", "Usage for tenant "),
        ("Quota & Usage …", "Quota and usage for tenant "),
        ("Tenant health", "Which tenants are unhealthy?"),
    )),
    ("Capacity", "📊", (
        ("CPU", "CPU capacity"),
        ("Memory", "Memory capacity"),
        ("Storage", "Storage capacity"),
    )),
    ("Storage & Snapshots", "💾", (
        ("Unattached volumes", "Show unattached volumes"),
        ("Recent snapshots", "Show the newest 10 snapshots"),
        ("Overdue volumes", "Which volumes are overdue by their snapshot policy?"),
    )),
    ("Networking", "🌐", (
        ("Networks", "List networks"),
        ("Unused floating IPs", "Show unused floating IPs"),
        ("Routers", "List routers"),
        ("Who had the address …", "Who had the address "),
    )),
    ("Security & Access", "🔐", (
        ("Open drift", "Show open drift events"),
        ("Security groups", "Give me a security group overview"),
        ("Who has access to …", "Who has access to project "),
        ("Recent logins", "Who logged in recently?"),
    )),
    ("Operations", "🛠️", (
        ("Problems", "What is wrong right now?"),
        ("Recent changes", "What changed in the last 24 hours?"),
        ("Failed jobs", "Show failed jobs"),
        ("Snapshot runs", "How did the last snapshot runs go?"),
        ("Drift status", "Drift status"),
    )),
)  # fmt: skip

TIPS = (
    'Ask naturally: "How many powered on VMs on tenant <your-tenant>?"',
    'Scope by tenant: add "on tenant <name>" or "for project <name>"',
    'Scope by host: add "on host <hostname>"',
    'Go on from an answer: "only the stopped ones", "and in project <name>?"',
    'Ask of the past: "as of Monday 9:00", "since yesterday"',
    "Click any chip to run it instantly — chips with “…” need a name",
)


def suggestions() -> dict[str, Any]:
    """The Suggestions."""
    return {
        "suggestions": {
            "categories": [
                {"name": name, "icon": icon, "chips": [_chip(label, question) for label, question in chips]}
                for name, icon, chips in _GROUPS
            ],
            "tips": list(TIPS),
        }
    }


def _chip(label: str, question: str) -> dict[str, Any]:
    chip: dict[str, Any] = {"label": label, "question": question}
    return {**chip, "template": True} if label.endswith("…") else chip
