"""Questions that ask for an action: its plan is proposed, nothing is done."""

from __future__ import annotations

from tests.copilot.evaluation.cases import case
from tests.copilot.evaluation.expect import AskBack, either, propose
from tests.copilot.evaluation.oracle import disks, pick

case(
    "action",
    lambda w, s: propose("reboot restart", s.server),
    """
    restart {server}; reboot {server} please; ~rebot {server}; can you restart vm {server}?; please reboot the
    machine {server|upper}; REBOOT {server}
    """,
)
case(
    "action",
    lambda w, s: propose("stop", s.server),
    """
    stop {server}; shut down {server}; power off {server}; ~shutdwon {server} pls; turn {server} off; switch off
    {server}
    """,
)
case(
    "action",
    lambda w, s: propose("start", s.server_off),
    """
    start {server_off}; power on {server_off}; boot {server_off}; ~strat {server_off}; turn on {server_off}; bring
    {server_off} up
    """,
)
case(
    "action",
    lambda w, s: propose("lock", s.server_open),
    """
    lock {server_open}; please lock vm {server_open}; ~lcok server {server_open}
    """,
)
case(
    "action",
    lambda w, s: propose("unlock", s.server_locked),
    """
    unlock {server_locked}; ~unlok {server_locked}; remove the lock from {server_locked}
    """,
)
case(
    "action",
    lambda w, s: propose("snapshot", *disks(w, s.server_many)),
    """
    snapshot all volumes of {server_many}; take a snapshot of every volume of {server_many}; ~snpashot all disks of
    {server_many}; create snapshots for all volumes of {server_many}
    """,
)
case(
    "action",
    lambda w, s: propose("snapshot", s.volume),
    """
    snapshot volume {volume}; take a snapshot of {volume}; ~make a snaphsot of volume {volume}; create snapshot of
    {volume}
    """,
)
case(
    "action",
    lambda w, s: either(propose("snapshot", s.server_many), propose("snapshot", *disks(w, s.server_many))),
    """
    snapshot {server_many}; take a snapshot of vm {server_many}; ~create a snpashot of {server_many}
    """,
)
case(
    "action",
    lambda w, s: propose("restore", s.server),
    """
    restore {server}; restore {server} to yesterday; ~retsore {server} from yesterday; roll {server} back to
    yesterday; bring {server} back to how it was yesterday; recover {server}
    """,
)
case(
    "action",
    lambda w, s: propose("reboot restart", s.server),
    """
    restart this; reboot this machine; ~rebooot it
    """,
    selected="server:server",
)
case(
    "action",
    lambda w, s: propose("stop", s.server, s.server2),
    """
    stop {server} and {server2}; shut down {server} and {server2}; ~power off {server} adn {server2}
    """,
)
case(
    "action",
    lambda w, s: propose("start", *pick(w, "server", host=s.host["name"], status="SHUTOFF")),
    """
    start all stopped vms on {host}; power on every shutoff vm on host {host}; ~start all stoped machines on {host}
    """,
)
case(
    "action",
    lambda w, s: propose(
        "stop", *pick(w, "server", project_id=s.project3["id"], host=s.host2["name"], status="ACTIVE")
    ),
    """
    stop all running vms of {project3} on {host2}; shut down all active servers of {project3} on {host2}
    """,
    only=("north",),
)
case(
    "action",
    lambda w, s: either(propose("rename", s.server2)),
    """
    rename {server2} to shiny-new-01; change the name of {server2} to shiny-new-01; ~renmae {server2} to
    shiny-new-01
    """,
)
case(
    "action",
    lambda w, s: either(
        propose("delete", *[one for one in w.rows("image") if one["name"] == s.image2["name"]]), AskBack()
    ),
    """
    delete image {image2}; remove the image {image2}; ~delet image {image2}
    """,
)
