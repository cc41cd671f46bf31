"""What is it, who has it, who had it."""

from __future__ import annotations

from tests.copilot.evaluation.cases import case
from tests.copilot.evaluation.expect import Nothing, Text, Unanswerable, either, shows

case(
    "find",
    lambda w, s: shows(s.server),
    """
    what is {ip}; who has {ip}?; ~waht is {ip}; {ip}; which vm has the ip {ip}; find {ip}; what machine uses {ip};
    whats {ip} ???
    """,
)
case(
    "find",
    lambda w, s: shows(s.server),
    """
    what is {fip}; who uses {fip}?; which server has floating ip {fip}; ~which vm is behnd {fip}; where does {fip}
    point to
    """,
)
case(
    "find",
    lambda w, s: shows(s.mac_of),
    """
    what is {mac}; which vm has mac {mac}; ~who has mac adress {mac}; find mac {mac|upper}
    """,
)
case(
    "find",
    lambda w, s: shows(s.uuid_of),
    """
    what is {uuid}; {uuid}; which resource has the id {uuid}?; ~waht is the id {uuid}
    """,
)
case(
    "find",
    lambda w, s: shows(s.host),
    """
    what is {hostip}; which host has {hostip}; ~wich hypervisor has ip {hostip}
    """,
)
case(
    "find",
    lambda w, s: shows(*[n for n in w.rows("subnet") if n["cidr"] == s.cidr["name"]]),
    """
    what is {cidr}; which subnet is {cidr}?; ~waht network is {cidr}
    """,
)
case(
    "find",
    lambda w, s: shows(w.slots["address_before"]),
    """
    who had {ip_past} on 2026-11-18; which vm had the address {ip_past} on 18.11.2026?; ~who hda {ip_past} on 18
    Nov; who used {ip_past} on 18 november
    """,
)
case(
    "find",
    lambda w, s: shows(w.slots["address_after"]),
    """
    who has {ip_past} now; which machine uses {ip_past} today; ~who hsa {ip_past} right now; {ip_past} is whose?
    """,
)
case(
    "find",
    lambda w, s: either(shows(w.slots["address_before"]), Text((w.slots["address_before"]["name"],))),
    """
    who had {ip_past} before; ~which vm had {ip_past} prevously; who owned {ip_past} earlier?
    """,
)
case(
    "find",
    lambda w, s: either(Nothing(), Unanswerable()),
    """
    what is 172.31.255.254; who has 172.31.200.1?; ~which vm hsa ip 172.30.0.9; find 198.51.100.77
    """,
)
case(
    "find",
    lambda w, s: shows(s.server),
    """
    what is {server}; find {server}; show me {server}; ~tell me abuot {server}; details of vm {server}; info
    {server|upper}; everything about {server}
    """,
)
case(
    "find",
    lambda w, s: shows(s.volume),
    """
    what is {volume}; show volume {volume}; ~detials of {volume}; find volume {volume}
    """,
)
case(
    "find",
    lambda w, s: shows(s.project),
    """
    show project {project}; what is {project}?; ~infos about tennant {project}; tell me about project {project}
    """,
)
case(
    "find",
    lambda w, s: shows(s.host),
    """
    show host {host}; what is {host}; ~detials of hypervisor {host}; tell me about {host|short}
    """,
)
case(
    "find",
    lambda w, s: shows(s.gone),
    """
    what happened to {gone}; where is {gone}?; ~wat is {gone}; when was {gone} deleted; who was {gone}, is it gone?
    """,
)
