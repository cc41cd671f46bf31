"""The vocabulary of what can be done to resources: pure data, standard library only; client and engine both read it.

The engine's gate carries an action out with the operation registered for its id (engine/gate/models.py: Operation);
the app makes its menu, its form and its command line from the same declaration.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

Danger = Literal["none", "disruptive", "destructive"]
OptionKind = Literal["text", "number", "bool", "choice", "resource", "list"]

MOST_TEXT = 255
MOST_LISTED = 100


@dataclass(frozen=True, slots=True)
class Option:
    """One thing an action asks for. Never a secret: options are stored in plans, jobs and the audit.

    kind      "text", "number" (whole), "bool", "choice" (of `choices`), "resource" (id of a `type`), "list" (texts)
    default   value when it is not given; None leaves it to the cloud
    minimum, maximum  of a number; `maximum` of a text or list is the most characters or items
    creates_in  a resource option that names the project which the new resource belongs to
    """

    name: str
    title: str
    kind: OptionKind = "text"
    choices: tuple[str, ...] = ()
    default: str | int | bool | None = None
    required: bool = False
    help: str = ""
    type: str = ""
    minimum: int | None = None
    maximum: int | None = None
    creates_in: bool = False

    def problem(self, value: Any) -> str | None:
        """What is wrong with a value, as the end of a sentence ("must be a whole number"); None when nothing is."""
        if value is None or value == "":
            return "is required" if self.required and self.default is None else None
        match self.kind:
            case "number":
                return self._number(value)
            case "bool":
                return None if isinstance(value, bool) else "must be true or false"
            case "choice":
                return None if value in self.choices else f"must be one of {', '.join(self.choices)}"
            case "list":
                return self._list(value)
        return _text(value, self.maximum or MOST_TEXT)

    def _number(self, value: Any) -> str | None:
        if isinstance(value, bool) or not isinstance(value, int):
            return "must be a whole number"
        if self.minimum is not None and value < self.minimum:
            return f"must be at least {self.minimum}"
        if self.maximum is not None and value > self.maximum:
            return f"must be at most {self.maximum}"
        return None

    def _list(self, value: Any) -> str | None:
        if not isinstance(value, list | tuple):
            return "must be a list of texts"
        if len(value) > (self.maximum or MOST_LISTED):
            return f"may have at most {self.maximum or MOST_LISTED} items"
        return next((found for one in value if (found := _text(one, MOST_TEXT))), None)


@dataclass(frozen=True, slots=True)
class ActionDeclaration:
    """One action on resources of a type.

    id          "server.stop": the type it belongs to and the verb
    key         suggested letter in the action menu, "" = none
    danger      "disruptive" stops or interrupts something; "destructive" loses something and asks a typed phrase
    many        several targets may be given in one plan
    creates     it makes a new resource: no targets, but a cloud (and region)
    permission  what the caller's role needs (engine/access/rules.py)
    """

    id: str
    type: str
    title: str
    key: str = ""
    danger: Danger = "none"
    many: bool = True
    options: tuple[Option, ...] = ()
    creates: bool = False
    permission: str = ""
    help: str = ""

    @property
    def verb(self) -> str:
        """The id's second half: "stop"."""
        return self.id.partition(".")[2]

    def option(self, name: str) -> Option:
        """The option of that name; raises KeyError."""
        for option in self.options:
            if option.name == name:
                return option
        raise KeyError(name)

    def values(self, given: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
        """(a value for every option that has one, defaults filled in; sentences about what is wrong)."""
        known = {option.name for option in self.options}
        problems = [f"{name} is not an option of {self.id}" for name in given if name not in known]
        values: dict[str, Any] = {}
        for option in self.options:
            value = given.get(option.name)
            if found := option.problem(value):
                problems.append(f"{option.name} {found}")
            elif value is None or value == "":
                if option.default is not None:
                    values[option.name] = option.default
            else:
                values[option.name] = list(value) if isinstance(value, tuple) else value
        return values, problems


def _text(value: Any, most: int) -> str | None:
    if not isinstance(value, str):
        return "must be a text"
    if len(value) > most:
        return f"may have at most {most} characters"
    # Control characters have no place in a name, and would reach terminals through the cloud's own tools.
    return None if value.isprintable() else "may not contain line breaks or control characters"


_NAME = Option("name", "Name", required=True, maximum=255)
_DESCRIPTION = Option("description", "Description", maximum=255)
_PROJECT = Option("project", "Project", "resource", type="project", required=True, creates_in=True)

_SERVER = (
    ActionDeclaration("server.start", "server", "Start", "s", permission="servers:admin", help="Power the machine on."),
    ActionDeclaration(
        "server.stop",
        "server",
        "Stop",
        "o",
        danger="disruptive",
        permission="servers:admin",
        help="Shut the guest down, then power it off.",
    ),
    ActionDeclaration(
        "server.reboot",
        "server",
        "Reboot",
        "r",
        danger="disruptive",
        options=(
            Option(
                "type",
                "How",
                "choice",
                choices=("SOFT", "HARD"),
                default="SOFT",
                help="SOFT asks the guest, HARD cycles the power.",
            ),
        ),
        permission="servers:admin",
        help="Restart the machine.",
    ),
    ActionDeclaration(
        "server.lock",
        "server",
        "Lock",
        "l",
        options=(Option("reason", "Reason", help="Shown to everybody who meets the lock.", maximum=255),),
        permission="servers:admin",
        help="Refuse changes of the machine until it is unlocked.",
    ),
    ActionDeclaration(
        "server.unlock", "server", "Unlock", "u", permission="servers:admin", help="Allow changes of the machine again."
    ),
    ActionDeclaration(
        "server.rename",
        "server",
        "Rename",
        "e",
        options=(
            Option(
                "name",
                "New name",
                required=True,
                maximum=255,
                help="For several machines a pattern: {name} is the old name, {n} counts from 1.",
            ),
        ),
        permission="servers:admin",
        help="Change the machine's name in the cloud; its host name stays.",
    ),
)

_NETWORK = (
    ActionDeclaration(
        "network.create",
        "network",
        "Create network",
        "a",
        many=False,
        creates=True,
        options=(
            _NAME,
            _PROJECT,
            _DESCRIPTION,
            Option("shared", "Shared", "bool", default=False, help="Every project may use it."),
            Option("external", "External", "bool", default=False, help="Routers may have their gateway in it."),
            Option("admin_state_up", "Up", "bool", default=True),
            Option(
                "provider_network_type",
                "Provider type",
                "choice",
                choices=("flat", "vlan", "vxlan", "gre", "geneve", "local"),
                help="Empty: as the cloud does for tenants.",
            ),
            Option("provider_physical_network", "Physical network", help="For flat and vlan.", maximum=64),
            Option("provider_segmentation_id", "Segment", "number", minimum=1, maximum=16_777_215),
            Option("mtu", "MTU", "number", minimum=68, maximum=65_535),
        ),
        permission="networks:admin",
    ),
    ActionDeclaration(
        "network.delete",
        "network",
        "Delete",
        "D",
        danger="destructive",
        permission="networks:admin",
        help="Delete the network and its subnets; the cloud refuses while ports are in use.",
    ),
)

_FLAVOR = (
    ActionDeclaration(
        "flavor.create",
        "flavor",
        "Create flavor",
        "a",
        many=False,
        creates=True,
        options=(
            _NAME,
            Option("vcpus", "vCPUs", "number", required=True, minimum=1, maximum=1024),
            Option("ram", "RAM MB", "number", required=True, minimum=1, maximum=16_777_216),
            Option("disk", "Disk GB", "number", default=0, minimum=0, maximum=1_048_576),
            Option("ephemeral", "Ephemeral GB", "number", default=0, minimum=0, maximum=1_048_576),
            Option("swap", "Swap MB", "number", default=0, minimum=0, maximum=16_777_216),
            Option("public", "Public", "bool", default=True, help="Every project may use it."),
            Option("id", "Id", help="Empty: the cloud gives one.", maximum=255),
        ),
        permission="flavors:admin",
    ),
    ActionDeclaration(
        "flavor.delete",
        "flavor",
        "Delete",
        "D",
        danger="destructive",
        permission="flavors:admin",
        help="Delete the flavor; machines made with it keep running.",
    ),
)

_SECURITY_GROUP = (
    ActionDeclaration(
        "security_group.create",
        "security_group",
        "Create security group",
        "a",
        many=False,
        creates=True,
        options=(_NAME, _DESCRIPTION, _PROJECT),
        permission="security_groups:admin",
    ),
    ActionDeclaration(
        "security_group.delete",
        "security_group",
        "Delete",
        "D",
        danger="destructive",
        permission="security_groups:admin",
        help="Delete the group with its rules; the cloud refuses while ports use it.",
    ),
    ActionDeclaration(
        "security_group_rule.create",
        "security_group_rule",
        "Create rule",
        "a",
        many=False,
        creates=True,
        options=(
            Option("security_group", "Security group", "resource", type="security_group", required=True),
            Option("direction", "Direction", "choice", choices=("ingress", "egress"), default="ingress"),
            Option("ethertype", "Ether type", "choice", choices=("IPv4", "IPv6"), default="IPv4"),
            Option("protocol", "Protocol", help="tcp, udp, icmp, a number; empty: any.", maximum=40),
            Option("port_range_min", "From port", "number", minimum=0, maximum=65_535),
            Option("port_range_max", "To port", "number", minimum=0, maximum=65_535),
            Option("remote_ip_prefix", "Remote prefix", help="Like 10.0.0.0/8; empty: anywhere.", maximum=64),
            Option("remote_group", "Remote group", "resource", type="security_group"),
            _DESCRIPTION,
        ),
        permission="security_groups:admin",
    ),
    ActionDeclaration(
        "security_group_rule.delete",
        "security_group_rule",
        "Delete",
        "D",
        danger="disruptive",
        permission="security_groups:admin",
        help="Delete the rule: what it let through is refused from now on.",
    ),
)

_POINT = (
    Option(
        "name",
        "Name",
        default="snap-{name}-{time}",
        maximum=255,
        help="A pattern: {name} is what it is of, {time} the time (UTC), {n} counts from 1.",
    ),
    Option("description", "Description", help="Your name is put before it.", maximum=180),
)

_SNAPSHOT = (
    ActionDeclaration(
        "volume.snapshot",
        "volume",
        "Snapshot",
        "S",
        options=_POINT,
        permission="snapshots:admin",
        help="Make a snapshot of the volume, in use or not; it belongs to the volume's project.",
    ),
    ActionDeclaration(
        "server.snapshot",
        "server",
        "Snapshot volumes of",
        "S",
        options=_POINT,
        permission="snapshots:admin",
        help="Make one restore point of all volumes of the machine; the plan says what it will be.",
    ),
    ActionDeclaration(
        "snapshot.delete",
        "snapshot",
        "Delete",
        "D",
        danger="destructive",
        permission="snapshots:admin",
        help="Delete the snapshot; what it is the last of, or part of, is said before.",
    ),
    ActionDeclaration(
        "image.delete",
        "image",
        "Delete machine point",
        "D",
        danger="destructive",
        permission="images:admin",
        help="Delete the image of a volume-booted machine with the snapshots in it.",
    ),
)

ACTIONS: dict[str, ActionDeclaration] = {
    action.id: action for action in (*_SERVER, *_NETWORK, *_FLAVOR, *_SECURITY_GROUP, *_SNAPSHOT)
}


def for_type(name: str) -> list[ActionDeclaration]:
    """The actions on resources of the type called `name` ("server"), in the order of menus; [] when there are none."""
    return [action for action in ACTIONS.values() if action.type == name]
