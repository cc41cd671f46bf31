"""Conditions that words for states stand for, made short."""

from __future__ import annotations

from copilot.query import All, AnyOf, Condition, Test


def is_(column: str, *values: str | bool | int) -> Condition:
    """One of these values."""
    return Test(column, "=", values)


def any_(column: str) -> Condition:
    """Any value at all."""
    return Test(column, "any")


def none(column: str) -> Condition:
    """No value."""
    return Test(column, "none")


def has(column: str, text: str) -> Condition:
    """The text somewhere in it."""
    return Test(column, "contains", (text,))


def opens(port: int) -> Condition:
    """A rule's range of ports with this one in it."""
    return All((Test("port_range_min", "<=", (port,)), Test("port_range_max", ">=", (port,))))


WORLD = AnyOf((is_("remote_ip_prefix", "0.0.0.0/0", "::/0"), All((none("remote_ip_prefix"), none("remote_group_id")))))
OPEN = All((is_("direction", "ingress"), WORLD))
