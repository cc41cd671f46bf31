"""Health, problems, jobs, restores, logins, records, an overview."""

from __future__ import annotations

from tests.copilot.evaluation.cases import case
from tests.copilot.evaluation.expect import Moment, Number, count, either, listed, says, winner
from tests.copilot.evaluation.oracle import room
from tests.copilot.evaluation.world import Row, World


def _score(w: World, project: Row) -> float:
    return float(
        next(
            r["score"]
            for r in w.rooms["tenant_health"]
            if r["project_id"] == project["id"] and r["cloud"] == project["cloud"]
        )
    )


case(
    "health",
    lambda w, s: either(Number(_score(w, s.project)), says(_score(w, s.project))),
    """
    health of {project}; tenant health of {project}; ~helath score of {project}; how healthy is {project}?; health
    score for tenant {project}
    """,
)
case(
    "health",
    lambda w, s: winner({r["project_name"]: r["score"] for r in w.rooms["tenant_health"]}, least=True),
    """
    which tenant has the worst health; least healthy project; ~wich tenant is the unhealthiest; lowest health score
    """,
)
case(
    "health",
    lambda w, s: listed(room(w, "tenant_health", band="critical"), "project_name"),
    """
    tenants in critical health; which projects have critical health?; ~tennants with critical helath
    """,
)
case(
    "health",
    lambda w, s: either(listed(room(w, "tenant_health"), "project_name"), says(len(w.rooms["tenant_health"]))),
    """
    tenant health; health of all tenants; ~tenant helath overview
    """,
)
case(
    "problems",
    lambda w, s: listed(w.rooms["problem"], "title"),
    """
    what are the current problems; list problems; ~waht problems do we have; what's broken?; anything wrong right
    now?; show me all open issues
    """,
)
case(
    "problems",
    lambda w, s: listed(room(w, "problem", severity="critical"), "title"),
    """
    critical problems; which critical problems are there; ~critcal problems
    """,
)
case(
    "problems",
    lambda w, s: count(w.rooms["problem"]),
    """
    how many problems do we have; number of open problems; ~how mnay problems are there
    """,
)
case(
    "problems",
    lambda w, s: listed(room(w, "problem", owner="carla"), "title"),
    """
    problems owned by carla; which problems does carla have?; ~problmes of carla
    """,
)
case(
    "jobs",
    lambda w, s: listed(room(w, "job", state="running")),
    """
    running jobs; which jobs are running?; ~jobs runing now; jobs in progress
    """,
)
case(
    "jobs",
    lambda w, s: either(listed(room(w, "job", state="failed")), listed(room(w, "job", state=("failed", "partial")))),
    """
    failed jobs; which jobs failed; ~faild jobs; jobs that failed
    """,
)
case(
    "jobs",
    lambda w, s: count(room(w, "job", lambda r: r["at"] >= w.at(0, 0))),
    """
    how many jobs today; number of jobs started today; ~how many jobs where started today
    """,
)
case(
    "jobs",
    lambda w, s: listed(room(w, "job", by="alice")),
    """
    jobs of alice; which jobs did alice submit; ~jobs startet by alice
    """,
)
case(
    "jobs",
    lambda w, s: listed(room(w, "job", lambda r: r["at"] >= w.at(-1, 0), state="failed")),
    """
    jobs that failed since yesterday; failed jobs since yesterday; ~faild jobs since yesterday
    """,
)
case(
    "restores",
    lambda w, s: listed(room(w, "restore", status="RUNNING")),
    """
    running restores; which restores are running?; ~restroes in progress
    """,
)
case(
    "restores",
    lambda w, s: listed(room(w, "restore", status="FAILED")),
    """
    failed restores; which restores failed; ~faild restores; restores that didn't work
    """,
)
case(
    "restores",
    lambda w, s: listed(w.rooms["restore"]),
    """
    list restores; show all restores; ~list retsores; restore history
    """,
)
case(
    "restores",
    lambda w, s: count(w.rooms["restore"]),
    """
    how many restores are there; number of restores; ~how many restroes
    """,
)
case(
    "logins",
    lambda w, s: either(listed(w.rooms["login"]), listed(room(w, "login", ok=True))),
    """
    recent logins; who logged in?; ~recent lgoins; last logins; login history
    """,
)
case(
    "logins",
    lambda w, s: listed(room(w, "login", ok=False)),
    """
    failed logins; which logins failed; ~faild logins; unsuccessful login attempts
    """,
)
case(
    "logins",
    lambda w, s: either(
        listed(room(w, "login", lambda r: r["at"] >= w.at(0, 0))),
        listed(room(w, "login", lambda r: r["at"] >= w.at(0, 0), ok=True)),
    ),
    """
    who logged in today; logins today; ~who loged in today
    """,
)
case(
    "logins",
    lambda w, s: count(room(w, "login", ok=False)),
    """
    how many failed logins; number of login failures; ~how many failed logisn
    """,
)
case(
    "logins",
    lambda w, s: either(listed(room(w, "login", user="carla")), Moment(room(w, "login", user="carla")[0]["at"])),
    """
    logins of carla; when did carla log in; ~logins form carla
    """,
)
case(
    "records",
    lambda w, s: listed(w.rooms["audit_record"]),
    """
    recent activity; audit log; ~recent activty; show the audit trail
    """,
)
case(
    "records",
    lambda w, s: listed(room(w, "audit_record", actor="alice")),
    """
    what did alice do; audit records of alice; ~waht did alice do; activity of alice
    """,
)
case(
    "overview",
    lambda w, s: says(len(w.rows("server")), len(w.rows("hypervisor"))),
    """
    give me an overview; infrastructure overview; ~overveiw of the infrastructure; summary of the cloud please;
    what's going on in general, numbers please
    """,
)
case(
    "runs",
    lambda w, s: listed(w.rooms["snapshot_run"]),
    """
    list snapshot runs; show snapshot runs; ~snapshot rnus
    """,
)
case(
    "people",
    lambda w, s: listed(w.rooms["console_user"], "name"),
    """
    list console users; who may use this console; ~conosle users
    """,
)
