"""Words that call for a topic: something that is answered by a handler of its own, not by one query. Data."""

from __future__ import annotations

TOPICS: dict[str, tuple[str, ...]] = {
    "help": ("help", "what can you do", "what can i ask", "how do i use this", "what do you know", "usage help",
        "examples", "manual"),
    "greeting": ("hello", "hi", "good morning", "good evening", "hey there"),
    "quota": ("quota", "quotas", "limit", "limits", "configured quota", "allowance"),
    "usage": (
        "usage", "use", "used", "using", "consumption", "resource usage", "utilization", "utilisation",
            "resources used",
        "resource consumption", "consume", "consumes", "consuming",
    ),
    "capacity": (
        "capacity", "headroom", "free", "left", "available capacity", "free capacity", "overcommit",
            "overcommitment", "remaining",
        "spare capacity", "how full", "room", "utilization", "utilisation", "how full is", "how full are",
            "space left",
    ),
    "overview": (
        "overview", "summary", "summarize", "summarise", "big picture", "state of the cloud", "inventory summary",
            "status report",
        "infrastructure overview", "whats in the cloud", "at a glance", "how is the cloud", "statistics", "stats",
            "status overview",
    ),
    "health": ("health", "healthy", "health score", "score", "tenant health", "scores", "health scores",
        "unhealthy", "sick"),
    "drift": ("drift", "drifts", "drifted", "drift events", "configuration drift", "unexpected changes",
        "drift status"),
    "compliance": ("compliance", "compliant", "snapshot compliance", "sla", "compliance report", "promises"),
    "protection": ("protected", "protection", "covered", "coverage", "unprotected", "backed up", "backup status",
        "rpo", "safe"),
    "restore": ("restore points", "restore point", "recovery points", "recovery point"),
    "problem": (
        "problem", "problems", "wrong", "issue", "issues", "trouble", "broken", "alert", "alerts", "alarm",
            "alarms", "on fire",
        "attention", "critical", "worry", "worried", "burning", "outage", "outages", "incident", "incidents",
            "insights",
        "critical insights", "is everything ok", "everything ok", "all good", "anything wrong",
    ),
    "activity": (
        "activity", "audit", "recent activity", "who did what", "audit log", "actions", "operations",
            "what did people do",
        "audit trail", "audit records",
    ),
    "login": ("login", "logins", "logged in", "log in", "sign in", "signed in", "logons", "recent logins",
        "who logged in", "sessions"),
    "owner": ("owner", "owns", "own", "owned", "belongs", "belong to", "responsible", "belongs to", "in charge",
        "whose", "owners",
              "accountable", "contact for", "contact"),
    "had": ("had", "held", "used to have", "was using", "has", "was on", "holds", "have"),
    "freshness": ("data age", "how fresh", "last collection", "last collected", "up to date", "how old is the data",
        "stale",
                  "collected", "last sync", "synced", "last refresh", "refreshed", "how current", "outdated"),
    "logs": ("console log", "boot log"),
}  # fmt: skip
