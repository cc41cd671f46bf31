"""Ways to ask for a topic: who answers, and that it is answered with confidence."""

from __future__ import annotations

import pytest

from tests.copilot.topics.conftest import Ask

PHRASINGS = {
    "configured_quota": (
        "acme-prod quota", "show me the quota of tenant acme-prod", "what limits does acme-dev have",
        "how many instances is acme-prod allowed to run", "max cores for acme-staging quota",
        "ram quota left for acme-dev", "is globex-shop at its vcpu limit", "how close is acme-prod to its quota",
        "has acme-prod reached its instance quota", "what percentage of its storage quota does acme-prod use",
        "how much more ram can acme-dev use", "which tenants are over their quota",
        "does any project exceed 95% of its core quota", "projects near their storage quota",
        "quota usage for globex-billing", "can acme-dev create 3 more servers",
        "may acme-prod use 10 more cores", "current quota and usage for acme-prod",
    ),
    "resource_usage": (
        "what is acme-prod using", "resource usage of acme-dev", "usage by project", "consumption per tenant",
        "how much does acme-prod use", "show me resource consumption of all projects", "footprint of globex-shop",
        "what does each project use",
        "which resources does acme-staging consume",
    ),
    "capacity": (
        "how much cpu is left", "free memory", "available ram in the cloud", "memory headroom", "vcpu capacity",
        "how much ram do we have left", "storage capacity", "how much disk space is free", "cpu utilization",
        "ram usage per host", "how full is host cmp-02", "how much memory is free on cmp-01",
        "which hypervisor has the least free ram", "host with the most free cores", "are we overcommitted on cpu",
        "cpu overcommit ratio", "capacity report", "how much room is left in the cloud", "spare cpu capacity",
        "is cmp-03 full", "hosts with less than 1 TB free memory", "how many cores are free",
        "top 2 hosts by free ram", "local disk left on cmp-04", "how many vcpus are left",
    ),
    "capacity_fit": (
        "can we fit 500 m1.large", "how many more m1.small fit", "is there room for 10 m1.xlarge servers",
        "do we have capacity for another r1.big",
    ),
    "infrastructure_overview": (
        "overview", "summary please", "give me the big picture", "how is the cloud doing", "infrastructure summary",
        "status report of the cloud", "what is in the cloud", "cloud at a glance", "summarize the cloud",
        "whats up",
    ),
    "tenant_health": (
        "health of acme-prod", "health score of acme-dev", "why is acme-staging so unhealthy", "worst tenants",
        "which tenant is the sickest", "healthiest tenants", "tenant health scores", "is acme-dev healthy",
        "average tenant health", "the 3 least healthy projects", "projects with health score below 70",
        "how healthy is globex-shop", "why does acme-dev have a low score",
    ),
    "drift_summary": (
        "drift overview", "is there any drift", "what drifted today", "any drift in acme-prod",
        "has anything drifted since monday", "did web-01 drift", "what has drifted this week",
        "drift report", "drift status of acme-prod", "have volumes drifted",
    ),
    "critical_insights": (
        "is everything all right", "what's wrong", "anything broken?", "is anything on fire", "do we have any problems",
        "are there critical issues", "what needs my attention", "all good?", "is the cloud ok", "any alerts",
        "current alarms", "what should i worry about", "is something wrong with cmp-06", "is cmp-06 ok",
        "any outages right now",
    ),
    "backup_status": (
        "is web-03 protected", "is db-01 backed up", "when was db-01 last backed up", "is web-01 safe",
        "is volume db-01-data1 covered by a snapshot", "is db-01 unprotected", "how is db-01 protected",
        "protection of web-03", "rpo of db-01",
    ),
    "compliance_summary": (
        "compliance report", "snapshot compliance", "how compliant are we", "rpo", "what is our backup coverage",
        "which volumes violate their policy", "non compliant volumes of acme-prod", "compliance of acme-prod",
        "disks with neither snapshots nor backups", "snapshot compliance percentage", "is everything backed up",
    ),
    "snapshot_summary": ("snapshot summary", "snapshot overview", "status of snapshots in acme-prod"),
    "jobs": (
        "what happened to job 103", "did job 101 fail", "is job 100 done", "did the restore of report-02 work",
        "has my restore finished", "how did the last restore go", "status of job 102", "how long did job 103 take",
    ),
    "data_age": (
        "how old is the data", "is the data up to date", "how fresh is this data", "when was the last collection",
        "when was the inventory last refreshed", "is the data stale", "is this live",
        "data age", "how current is the information",
    ),
    "help": (
        "help", "what can you do", "what can i ask", "hi", "good morning", "thank you", "thanks a lot",
        "how do i use this", "who are you", "show me examples",
    ),
}  # fmt: skip


@pytest.mark.parametrize(
    ("topic", "question"), [(topic, question) for topic, questions in PHRASINGS.items() for question in questions]
)
def test_is_answered_by_its_topic(ask: Ask, topic: str, question: str) -> None:
    answer = ask(question)
    assert (answer.topic, answer.sure, answer.unknown) == (topic, True, ())


@pytest.mark.parametrize(
    "question",
    [
        "what does acme-prod cost", "how much do we pay for storage", "monthly bill of acme-dev", "cpu load of web-03",
        "how is the weather", "show me the runbooks", "iops of db-01", "uptime percentage of web-03",
        "when do we run out of disk", "network throughput of web-01", "tell me a joke",
        "which hosts use the most power consumption",
        "cheapest project", "what is the sla of acme-prod", "list unread notifications", "cves on web-03",
    ],
)  # fmt: skip
def test_what_there_is_no_data_for_is_said_without_a_number(ask: Ask, question: str) -> None:
    answer = ask(question)
    assert not answer.sure and answer.value is None and answer.table is None


@pytest.mark.parametrize(
    "question",
    [
        "list servers in acme-prod", "how many vms are in error", "free floating ips", "unused volumes",
        "which servers use the most ram", "total ram of acme-prod", "protected volumes", "unprotected servers",
        "running jobs", "failed restores", "snapshots per project", "hosts that are down", "critical drift events",
        "volumes without a backup", "largest images", "how many cores does acme-prod use",
        "how many problems are there",
        "which policies are disabled", "servers with more than 8 cores", "drift events per severity",
    ],
)  # fmt: skip
def test_what_is_one_query_is_left_to_the_grammar(ask: Ask, question: str) -> None:
    answer = ask(question)
    assert answer.topic == "" and answer.frame is not None and answer.sure


@pytest.mark.parametrize(
    "question",
    [
        "quota of acme-prod last week", "quota of purple acme-prod", "is the frobnicated data up to date",
        "capacity of the moon", "health of purple tenants", "cpu capacity in march 2019",
        "drift status of turquoise elephants",
    ],
)  # fmt: skip
def test_words_that_a_topic_does_not_know_lower_its_claim(ask: Ask, question: str) -> None:
    answer = ask(question)
    assert not answer.sure
