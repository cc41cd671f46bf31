"""Requests for actions: which form opens, on what, with what; and what is no request."""

from __future__ import annotations

import pytest

from copilot.answers import Proposal
from store.types.actions import ACTIONS
from tests.copilot.topics.conftest import Ask


def names(ask: Ask, question: str, *before: str) -> tuple[Proposal, set[str]]:
    answer = ask(question, *before)
    assert answer.outcome == "proposal", answer.text
    (proposal,) = answer.proposals
    assert "Nothing was changed" in answer.text
    return proposal, {one.name for one in answer.named}


# question, action, names of its targets, values
ASKED = [
    ("reboot web-03", "server.reboot", {"web-03"}, {}),
    ("pls restart WEB-03 now", "server.reboot", {"web-03"}, {}),
    ("can you bounce web-03?", "server.reboot", {"web-03"}, {}),
    ("hard reboot web-03", "server.reboot", {"web-03"}, {"type": "HARD"}),
    ("power cycle web-03", "server.reboot", {"web-03"}, {"type": "HARD"}),
    ("do a soft reboot of db-01", "server.reboot", {"db-01"}, {"type": "SOFT"}),
    ("web-03 reboot please", "server.reboot", {"web-03"}, {}),
    ("web-03 needs a reboot", "server.reboot", {"web-03"}, {}),
    ("would you mind restarting web-03", "server.reboot", {"web-03"}, {}),
    ("can web-03 be restarted", "server.reboot", {"web-03"}, {}),
    ("is it possible to stop web-03", "server.stop", {"web-03"}, {}),
    ("shut down web-03", "server.stop", {"web-03"}, {}),
    ("shut web-03 down please", "server.stop", {"web-03"}, {}),
    ("turn db-01 off", "server.stop", {"db-01"}, {}),
    ("take db-01 down", "server.stop", {"db-01"}, {}),
    ("i need web-03 stopped", "server.stop", {"web-03"}, {}),
    ("halt web-03 and db-01", "server.stop", {"web-03", "db-01"}, {}),
    ("start web-03, web-04 and web-05", "server.start", {"web-03", "web-04", "web-05"}, {}),
    ("power on batch-01", "server.start", {"batch-01"}, {}),
    ("lock web-03 because of maintenance", "server.lock", {"web-03"}, {"reason": "maintenance"}),
    ("remove the lock from web-03", "server.unlock", {"web-03"}, {}),
    ("rename web-03 to web-03-old", "server.rename", {"web-03"}, {"name": "web-03-old"}),
    ("change the name of web-03 to shop.front", "server.rename", {"web-03"}, {"name": "shop.front"}),
    ("snapshot db-01", "server.snapshot", {"db-01"}, {}),
    ("back up db-01", "server.snapshot", {"db-01"}, {}),
    ("make a backup of db-01", "server.snapshot", {"db-01"}, {}),
    ("snapshot db-01 as before-upgrade", "server.snapshot", {"db-01"}, {"name": "before-upgrade"}),
    ("snapshot volume db-01-data1", "volume.snapshot", {"db-01-data1"}, {}),
    ("take a snapshot of every volume of db-01", "volume.snapshot", {"db-01-data1", "db-01-data2"}, {}),
    ("delete snapshot snap-db-01-data1-40", "snapshot.delete", {"snap-db-01-data1-40"}, {}),
    ("restore web-03", "restore", {"web-03"}, {}),
    ("restore web-03 to monday 9:00", "restore", {"web-03"}, {"at": "2026-11-23 09:00"}),
    ("create network", "network.create", set(), {}),
    ("create a network called blue", "network.create", set(), {"name": "blue"}),
    (
        "create flavor m9.huge with 8 vcpus and 16 gb ram",
        "flavor.create",
        set(),
        {"name": "m9.huge", "vcpus": "8", "ram": "16384"},
    ),
]


@pytest.mark.parametrize(("question", "action", "targets", "values"), ASKED)
def test_a_request_opens_the_form_of_its_action_filled_in(
    ask: Ask, question: str, action: str, targets: set[str], values: dict[str, str]
) -> None:
    proposal, named = names(ask, question)
    assert (proposal.kind, proposal.name, named, dict(proposal.values)) == ("prefill", action, targets, values)
    assert action == "restore" or action in ACTIONS
    assert len(proposal.keys) == len(targets)
    assert proposal.command.startswith("qdeck ")


@pytest.mark.parametrize(
    ("question", "listed"),
    [
        ("start all stopped vms on cmp-01", "list stopped vms on cmp-01"),
        ("stop all running vms of acme-dev", "list running vms of acme-dev"),
        ("can you shut down every vm in acme-dev", "list vms in acme-dev"),
        ("stop everything on cmp-03", "list vms on cmp-03"),
        ("kill all vms in error", "list vms in error"),
    ],
)
def test_a_set_of_targets_is_what_a_list_of_the_same_words_shows(ask: Ask, question: str, listed: str) -> None:
    proposal, _ = names(ask, question)
    table = ask(listed).table
    assert table is not None and table.total > 0
    assert set(proposal.keys) == {key for _, key in table.keys}


def test_them_are_the_rows_of_the_question_before(ask: Ask) -> None:
    proposal, _ = names(ask, "start them", "list stopped vms on cmp-01")
    table = ask("list stopped vms on cmp-01").table
    assert table is not None and set(proposal.keys) == {key for _, key in table.keys}


@pytest.mark.parametrize(
    "question",
    [
        "delete web-03", "nuke web-03", "resize web-03 to m1.large", "migrate web-03 to cmp-02", "evacuate cmp-03",
        "create a vm called foo-1", "spin up a vm", "create volume of 100 GB", "create user bob",
        "extend volume db-01-data1 to 200GB", "attach volume db-01-data1 to web-03", "reboot cmp-03",
        "set the quota of acme-prod to 100 cores", "pause web-03", "shelve web-03", "rebuild web-03",
        "add 2 vcpus to web-03", "reset the password of alice", "how can i resize a server", "how do I delete a vm",
        "delete all unattached volumes", "assign floating ip to web-03",
    ],
)  # fmt: skip
def test_what_there_is_no_action_for_is_said_so(ask: Ask, question: str) -> None:
    answer = ask(question)
    assert answer.outcome == "apology", answer.text
    assert "There is no action here" in answer.text
    assert all(one.kind == "open" for one in answer.proposals)


@pytest.mark.parametrize(
    ("question", "choice"),
    [
        ("restart web-99", "restart web-09"),
        ("reboot server web-99", "reboot server web-09"),
        ("delete security group default", "delete security group default in project acme-dev"),
        ("stop acme-dev", "stop all servers in project acme-dev"),
        ("reboot", ""),
        ("reboot the server", ""),
        ("stop it", ""),
    ],
)
def test_an_unclear_target_is_asked_back(ask: Ask, question: str, choice: str) -> None:
    answer = ask(question)
    assert answer.outcome == "ask_back", answer.text
    assert not answer.proposals
    assert choice in (answer.choices or ("",))


@pytest.mark.parametrize(
    ("question", "pane"),
    [
        ("acknowledge all drift", "drift"),
        ("refresh the data", "clouds"),
        ("collect now", "clouds"),
        ("cancel job 12", "jobs"),
        ("add a note to web-03", "notes"),
    ],
)
def test_what_is_done_on_a_page_opens_it(ask: Ask, question: str, pane: str) -> None:
    proposal, _ = names(ask, question)
    assert (proposal.kind, proposal.name) == ("pane", pane)


@pytest.mark.parametrize(
    "question",
    [
        "show stopped vms", "shut down vms", "when was web-03 deleted", "which vms were restarted",
        "boot volume of web-03",
        "backup status of db-01", "snapshots of db-01", "snapshot policies", "restore jobs", "restore points of db-01",
        "locked vms", "is web-03 locked", "are there stopped vms", "list deleted servers", "make a list of all vms",
        "set of policies", "last restart of web-03", "how many snapshots were created today", "start time of web-03",
        "update me on db-01", "should i reboot web-03", "has web-03 been restarted", "is web-03 stopped",
    ],
)  # fmt: skip
def test_what_only_speaks_of_an_action_is_no_request(ask: Ask, question: str) -> None:
    answer = ask(question)
    assert answer.outcome != "proposal"
    assert all(one.kind != "prefill" for one in answer.proposals)
    assert answer.topic != "action"


def test_another_time_is_not_promised(ask: Ask) -> None:
    assert "not at another time" in ask("restart web-03 tomorrow at 9").text
