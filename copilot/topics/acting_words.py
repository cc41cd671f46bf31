"""Words that ask for an action, and what each of them asks for. Data."""

from __future__ import annotations

# What may stand before the verb of a request.
_POLITE_WORDS = """
mind able are there way
please pls plz plx kindly can could would will you u i we id want wanna wants need needs like to lets let us
go ahead and now just hey hi hello ok okay so help me have got gotta must quickly quick asap gracefully
immediately then also try someone somebody the a an yes my for it is time possible bitte cleanly properly
force forcibly forcefully simply finally already urgently"""
POLITE = frozenset(_POLITE_WORDS.split())
# What says nothing behind the verb of a request.
_TRAILING_WORDS = (
    """please pls plz plx now asap quickly immediately thanks thx ok okay right away for me will you again"""
)
TRAILING = frozenset(_TRAILING_WORDS.split())
HOW = {"hard": "HARD", "soft": "SOFT", "forced": "HARD", "forcefully": "HARD", "force": "HARD", "gracefully": "SOFT"}

# verb -> phrases that ask for it
PHRASES: dict[str, tuple[str, ...]] = {
    "start": ("start", "start up", "boot", "boot up", "power on", "power up", "turn on", "switch on", "fire up",
        "wake up", "poweron", "startup"),
    "stop": ("stop", "shut down", "shutdown", "power off", "power down", "poweroff", "turn off", "switch off", "halt",
        "shut off", "kill"),
    "reboot": ("reboot", "restart", "bounce", "power cycle", "powercycle", "reset", "cycle", "re boot", "re start"),
    "lock": ("lock",),
    "unlock": ("unlock", "remove the lock from", "remove the lock of", "remove lock from", "take the lock off",
        "lift the lock of", "lift the lock on", "release the lock of", "release the lock on"),
    "rename": ("rename", "change the name of", "change name of", "give a new name to", "relabel"),
    "snapshot": ("snapshot", "snap", "back up", "backup", "make a point of", "checkpoint"),
    "restore": ("restore", "roll back", "rollback", "revert", "recover", "undo the changes of", "undo changes to"),
    "delete": ("delete", "remove", "destroy", "terminate", "erase", "wipe", "get rid of", "nuke", "purge", "drop",
        "throw away", "tear down", "decommission", "trash", "scrap"),
    "create": ("create", "make", "launch", "add", "provision", "deploy", "spin up", "build", "spawn", "set up",
        "stand up", "instantiate", "make me", "build me", "create me"),
    "resize": ("resize", "scale", "scale up", "scale down", "upsize", "downsize", "change the flavor of",
        "change flavor of", "give more ram to", "add ram to", "add memory to", "add cpus to", "add vcpus to"),
    "rebuild": ("rebuild", "reinstall", "reimage", "redeploy"),
    "shelve": ("shelve", "offload"),
    "unshelve": ("unshelve",),
    "pause": ("pause", "freeze"),
    "unpause": ("unpause", "unfreeze"),
    "suspend": ("suspend", "hibernate"),
    "resume": ("resume",),
    "migrate": ("migrate", "live migrate", "move", "relocate", "cold migrate"),
    "evacuate": ("evacuate", "drain", "empty", "vacate"),
    "attach": ("attach", "mount", "plug", "connect"),
    "detach": ("detach", "unmount", "unplug", "disconnect"),
    "extend": ("extend", "grow", "expand", "enlarge", "increase"),
    "shrink": ("shrink", "reduce", "decrease"),
    "associate": ("associate", "assign", "allocate"),
    "disassociate": ("disassociate", "release", "unassign", "deallocate"),
    "grant": ("grant", "give access to", "authorize"),
    "revoke": ("revoke",),
    "disable": ("disable", "deactivate", "cordon"),
    "enable": ("enable", "activate", "uncordon"),
    "clone": ("clone", "copy", "duplicate"),
    "update": ("set", "change", "update", "raise", "lower", "modify", "edit", "patch", "upgrade", "adjust"),
    "acknowledge": ("acknowledge", "ack"),
    "ignore": ("ignore", "mute", "silence"),
    "collect": ("collect", "refresh", "resync", "sync", "re read", "reread", "recollect", "rescan", "reload"),
    "exclude": ("exclude",),
    "cancel": ("cancel", "abort"),
    "retry": ("retry",),
}  # fmt: skip
PARTICIPLES: dict[str, str] = {
    "stopped": "stop", "shut down": "stop", "powered off": "stop", "turned off": "stop", "halted": "stop",
    "started": "start", "powered on": "start", "turned on": "start", "running": "start", "restarted": "reboot",
    "rebooted": "reboot", "restart": "reboot", "reboot": "reboot", "locked": "lock", "unlocked": "unlock",
    "deleted": "delete", "removed": "delete", "gone": "delete", "restored": "restore", "resized": "resize",
    "migrated": "migrate", "snapshotted": "snapshot", "backed up": "snapshot",
}  # fmt: skip
GERUNDS: dict[str, str] = {
    "restarting": "restart", "rebooting": "reboot", "stopping": "stop", "starting": "start", "deleting": "delete",
    "removing": "remove", "locking": "lock", "unlocking": "unlock", "renaming": "rename", "restoring": "restore",
    "resizing": "resize", "migrating": "migrate", "creating": "create", "snapshotting": "snapshot",
    "shutting": "shut", "turning": "turn", "powering": "power", "bouncing": "bounce",
}  # fmt: skip
# Verb and particle with what is meant between them: "shut web-03 down".
SPLIT: dict[tuple[str, str], str] = {
    ("shut", "down"): "stop", ("shut", "off"): "stop", ("turn", "off"): "stop", ("turn", "on"): "start",
    ("switch", "off"): "stop", ("switch", "on"): "start", ("power", "off"): "stop", ("power", "down"): "stop",
    ("power", "on"): "start", ("power", "up"): "start", ("take", "down"): "stop", ("bring", "down"): "stop",
    ("bring", "up"): "start", ("bring", "back"): "restore", ("roll", "back"): "restore", ("put", "back"): "restore",
    ("set", "back"): "restore", ("reset", "back"): "restore", ("get", "back"): "restore", ("back", "up"): "snapshot",
    ("boot", "up"): "start", ("start", "up"): "start", ("fire", "up"): "start", ("spin", "down"): "stop",
    ("wake", "up"): "start", ("back", "to"): "restore", ("turn", "back"): "restore",
}  # fmt: skip
# Nouns of verbs: "take a snapshot of", "do a hard reboot of".
_MADE_OF_WORDS = """
take make create do perform trigger run initiate start issue force execute kick off"""
MADE_OF = frozenset(_MADE_OF_WORDS.split())
NOUNS: dict[str, str] = {
    "snapshot": "snapshot", "snapshots": "snapshot", "snap": "snapshot", "backup": "snapshot", "reboot": "reboot",
    "backups": "snapshot", "restart": "reboot", "shutdown": "stop", "restore": "restore", "rollback": "restore",
    "resize": "resize", "migration": "migrate", "evacuation": "evacuate", "rebuild": "rebuild",
    "collection": "collect", "checkpoint": "snapshot",
}  # fmt: skip
# Verbs that are also nouns or states: a request only where what follows is a name, or "all", "the", "this" and so on.
_TWOFOLD_WORDS = """
snapshot backup restore boot lock snap shutdown cycle checkpoint reset copy set change update start empty new
move drop scale mount release build upgrade raise connect sync clone"""
TWOFOLD = frozenset(_TWOFOLD_WORDS.split()) | {
    "shut down",
    "shut off",
    "power off",
    "set up",
    "back up",
    "reset",
    "power on",
}
_DETERMINERS_WORDS = """all every each the this these those that both my our its it them any another"""
DETERMINERS = frozenset(_DETERMINERS_WORDS.split())

# What this product has no action for, and what it says instead.
INSTEAD: dict[str, str] = {
    "delete": "what it deletes are networks, flavors, security groups and their rules, snapshots and machine points",
    "create": "what it creates are networks, flavors, security groups and their rules, and snapshots",
    "resize": "it shows what a machine has and what fits, and changes no sizes",
    "collect": "",
}
# What is done on a pane: verb -> (pane, label, command)
PANES: dict[str, tuple[str, str, str]] = {
    "acknowledge": ("drift", "acknowledge drift", "qdeck drift ack"),
    "ignore": ("ignores", "ignore drift", "qdeck drift ignore"),
    "collect": ("clouds", "collect the clouds now", "qdeck collect"),
    "exclude": ("exclusions", "exclude from snapshots", "qdeck snapshot exclude"),
    "cancel": ("jobs", "cancel a job", ""),
    "retry": ("jobs", "retry a job", ""),
}
SAID = {"snapshot": "snapshot", "update": "change", "grant": "grant roles on", "associate": "assign"}
