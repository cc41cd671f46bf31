"""Quota, capacity, drift, policies, runs, protection, snapshots and backups: what the rooms know."""

from __future__ import annotations

from tests.copilot.evaluation.cases import case
from tests.copilot.evaluation.expect import Expected, Number, Says, Yes, count, either, listed, rows, says
from tests.copilot.evaluation.oracle import pick, protected, room, total
from tests.copilot.evaluation.slots import Slots
from tests.copilot.evaluation.world import Row, World


def _quota(w: World, project: Row, resource: str) -> Row:
    return next(item for item in w.quotas[project["cloud"], project["id"]] if item["resource"] == resource)


def _limits(w: World, s: Slots) -> Expected:
    return says(*(_quota(w, s.project, name)["limit"] for name in ("instances", "cores")))


case(
    "quota",
    _limits,
    """
    quota of {project}; what is the configured quota for tenant {project}?; ~qouta of {project}; show {project}
    quota; limits of project {project}; quotas for {project|upper}
    """,
)
case(
    "quota",
    lambda w, s: says(*(_quota(w, s.project, "cores")[n] for n in ("limit", "used"))),
    """
    quota and usage of {project}; quota vs usage for tenant {project}; ~quota adn usage for {project}; how much of
    its quota does {project} use?; how full is the quota of {project}
    """,
)
case(
    "quota",
    lambda w, s: either(says(_quota(w, s.project2, "cores")["limit"]), Number(_quota(w, s.project2, "cores")["limit"])),
    """
    vcpu quota of {project2}; how many cores may {project2} use; ~core qouta for tenant {project2}; cpu limit of
    {project2}?
    """,
)
case(
    "quota",
    lambda w, s: either(
        Number(_quota(w, s.project, "instances")["limit"]), says(_quota(w, s.project, "instances")["limit"])
    ),
    """
    instance quota of {project}; how many vms may {project} have at most; ~instnace limit of {project}
    """,
)
case(
    "usage",
    lambda w, s: says(
        len(pick(w, "server", project_id=s.project["id"])),
        total(pick(w, "server", project_id=s.project["id"]), "vcpus"),
    ),
    """
    usage of {project}; resource usage for tenant {project}; ~how much does {project} ues; what does {project}
    consume?; resources used by project {project}
    """,
)


def _capacity(used: str, whole: str, unit: str = ""):  # type: ignore[no-untyped-def]
    def find(w: World, s: Slots) -> Expected:
        hosts = w.rows("hypervisor")
        options: list[Expected] = [says(total(hosts, used), total(hosts, whole), unit=unit)]
        return either(*options, _percent(hosts, used, whole), _each(w, used, whole, unit))

    return find


def _percent(hosts: list[Row], used: str, whole: str) -> Expected:
    return Number(100 * total(hosts, used) / total(hosts, whole), "%", 0.012)


def _each(w: World, used: str, whole: str, unit: str) -> Says:
    clouds = {cloud: pick(w, "hypervisor", cloud=cloud) for cloud, _ in w.style.clouds}
    return says(*(total(hosts, column) for hosts in clouds.values() for column in (used, whole)), unit=unit)


case(
    "capacity",
    _capacity("vcpus_used", "vcpus"),
    """
    cpu capacity; how much cpu is left?; vcpu usage of the cloud; ~cpu capcity overview; how many vcpus are used and
    how many are there; cpu utilisation overall
    """,
)
case(
    "capacity",
    _capacity("memory_used", "memory_mb", "MB"),
    """
    memory capacity; how much ram is used in the cloud; ~memroy capacity; ram utilization of all hosts; how full are
    we on memory
    """,
)
case(
    "capacity",
    _capacity("local_used", "local_gb", "GB"),
    """
    storage capacity of hypervisors; local disk capacity; ~disk capcity of the hosts
    """,
)

case(
    "drift",
    lambda w, s: either(
        count(room(w, "drift_event", state="open")), count(room(w, "drift_event", state=("open", "resolved_unseen")))
    ),
    """
    how many open drift events are there; number of unresolved drifts; ~how many open drfit events; open drift count
    """,
)
case(
    "drift",
    lambda w, s: listed(room(w, "drift_event", severity="critical")),
    """
    critical drift events; show all critical drifts; ~critcal drift events; list drift events with severity critical
    """,
)
case(
    "drift",
    lambda w, s: listed(room(w, "drift_event", lambda r: r["at"] >= w.at(-1, 0))),
    """
    drift since yesterday; what drifted since yesterday?; ~drfit events since yesterday; drift events detected since
    yesterday
    """,
)
case(
    "drift",
    lambda w, s: either(
        listed(room(w, "drift_event", state="acknowledged")), count(room(w, "drift_event", state="acknowledged"))
    ),
    """
    acknowledged drift events; which drifts were acknowledged; ~acknoledged drift
    """,
)
case(
    "drift",
    lambda w, s: either(
        says(len(room(w, "drift_event"))),
        says(len(room(w, "drift_event", state="open"))),
        says(len(room(w, "drift_event", state=("open", "resolved_unseen")))),
        listed(room(w, "drift_event", state="open")),
        listed(room(w, "drift_event", state=("open", "resolved_unseen"))),
    ),
    """
    drift status; drift summary; ~drift sumary please; how does drift look; any drift?
    """,
)
case(
    "drift",
    lambda w, s: listed(room(w, "drift_event", type="volume")),
    """
    drift events of volumes; volume drift; ~drift on volmues
    """,
)
case(
    "drift",
    lambda w, s: listed(room(w, "drift_event", actor="alice")),
    """
    drift caused by alice; which drift events did alice cause; ~drfit by alice
    """,
)
case(
    "policy",
    lambda w, s: listed(room(w, "snapshot_policy"), "name"),
    """
    list snapshot policies; which snapshot policies exist?; ~snapshot polices; show the backup policies
    """,
)
case(
    "policy",
    lambda w, s: either(listed(room(w, "snapshot_policy", enabled=False), "name")),
    """
    disabled snapshot policies; which snapshot policies are switched off; ~snapshot policys that are disabled
    """,
)
case(
    "policy",
    lambda w, s: count(room(w, "snapshot_policy")),
    """
    how many snapshot policies are there; snapshot policy count; ~how many snapshot polcies
    """,
)
case(
    "runs",
    lambda w, s: listed(room(w, "snapshot_run", status="partial")),
    """
    failed snapshot runs; which snapshot runs failed; ~snapshot runs that faild
    """,
)
case(
    "runs",
    lambda w, s: listed(room(w, "snapshot_run", lambda r: r["at"] >= w.at(0, 0))),
    """
    snapshot runs today; today's snapshot runs; ~snapshto runs today
    """,
)
case(
    "protection",
    lambda w, s: listed(room(w, "compliance", status="missing"), "volume_name"),
    """
    which volumes are not compliant; volumes that violate their snapshot policy; ~volmues not compliant;
    non-compliant volumes; overdue snapshots: which volumes
    """,
)
case(
    "protection",
    lambda w, s: either(
        _compliant(w),
        says(len(room(w, "compliance", status="compliant"))),
        says(len(room(w, "compliance", status="missing"))),
    ),
    """
    compliance report; snapshot compliance; ~complience summary; how compliant are we with snapshot policies
    """,
)
case(
    "protection",
    lambda w, s: count(room(w, "compliance", status="compliant")),
    """
    how many volumes are compliant; number of compliant volumes; ~how many volumes are complaint with their policy
    """,
)
case(
    "protection",
    lambda w, s: Yes(False),
    """
    is {volume_bare} protected; is volume {volume_bare} backed up?; ~is {volume_bare} protcted; does {volume_bare}
    have a backup
    """,
)
case(
    "protection",
    lambda w, s: Yes(True),
    """
    is {volume_kept} protected; is volume {volume_kept} protected?; ~is {volume_kept} proteced
    """,
)
case(
    "protection",
    lambda w, s: _bare(w),
    """
    which volumes are not protected; unprotected volumes; ~unproteced volumes; disks that have neither snapshot nor
    backup; volumes without protection
    """,
)
case(
    "protection",
    lambda w, s: _bare(w, s.project["id"]),
    """
    unprotected volumes of {project}; which volumes in {project} are not protected; ~unprotectd disks in {project}
    """,
)
case(
    "backups",
    lambda w, s: either(says(len(w.rows("backup"))), count(w.rows("backup"))),
    """
    backup status; backup overview; ~bakcup status
    """,
)
case(
    "snapshots",
    lambda w, s: either(says(len(w.rows("snapshot")))),
    """
    snapshot overview; snapshot summary; ~snapshto summary please
    """,
)


def _compliant(w: World) -> Number:
    governed = room(w, "compliance", lambda r: r["status"] != "no_policy")
    return Number(100 * len(room(w, "compliance", status="compliant")) / len(governed), "%", 0.012)


def _bare(w: World, project: str = "") -> Expected:
    """By the estate: no usable snapshot or backup."""
    found = pick(w, "volume", lambda v: v["id"] not in protected(w) and (not project or v["project_id"] == project))
    return either(rows("volume", found), listed(found, "name"))
