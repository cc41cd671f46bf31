"""Requests and answers of the access room, as pydantic models."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from engine.settings.roles import Role

# A name that cannot be mistaken for another on a screen or in a log.
Username = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._@-]{0,62}$")]
KeyName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9 ._@-]{0,62}$")]
Names = Annotated[list[Annotated[str, StringConstraints(min_length=1, max_length=255)]], Field(max_length=1000)]


class _Message(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Login(BaseModel):
    """Name and password; other fields are ignored, as the documented API does."""

    username: str = Field(min_length=1, max_length=255)
    password: str = Field(min_length=1, max_length=1024)


class LoggedInUser(BaseModel):
    """Who logged in."""

    username: str
    role: Role
    is_active: bool


class LoginAnswer(BaseModel):
    """The documented answer to a login. `expires_in` is in seconds."""

    access_token: str
    token_type: str
    expires_in: int
    expires_at: str
    user: LoggedInUser


class NewUser(_Message):
    """A user to make. A scope that is null or left out sets no limit."""

    username: Username
    password: str = Field(min_length=8, max_length=1024)
    role: Role = "viewer"
    clouds: Names | None = None
    domains: Names | None = None
    projects: Names | None = None


class ChangedUser(_Message):
    """What to change about a user; fields left out stay."""

    password: str | None = Field(None, min_length=8, max_length=1024)
    role: Role | None = None
    is_active: bool | None = None
    clouds: Names | None = None
    domains: Names | None = None
    projects: Names | None = None


class NewToken(_Message):
    """An API key to make. Without `expires_days` it lives until it is revoked."""

    name: KeyName
    role: Role = "viewer"
    clouds: Names | None = None
    domains: Names | None = None
    projects: Names | None = None
    expires_days: int | None = Field(None, ge=1, le=3650)


class WhoAmI(BaseModel):
    """Who the engine takes the caller for; a scope that is null is no limit."""

    name: str
    uid: int | None
    login_uid: int | None
    login_name: str | None
    role: Role
    clouds: list[str] | None
    domains: list[str] | None
    projects: list[str] | None
    via: str


class User(BaseModel):
    """Somebody who may log in over TCP."""

    id: str
    username: str
    role: Role
    clouds: list[str] | None
    domains: list[str] | None
    projects: list[str] | None
    is_active: bool
    created_at: str
    created_by: str
    last_login_at: str | None


class Users(BaseModel):
    """Everybody, by name."""

    items: list[User]


class Token(BaseModel):
    """Facts of an API key."""

    id: str
    name: str
    role: Role
    clouds: list[str] | None
    domains: list[str] | None
    projects: list[str] | None
    created_at: str
    created_by: str
    expires_at: str | None
    last_used_at: str | None
    revoked_at: str | None


class MadeToken(Token):
    """A new API key, with the key itself, shown this once."""

    token: str


class Tokens(BaseModel):
    """Every API key, the newest first; revoked ones too."""

    items: list[Token]


class Said(BaseModel):
    """One sentence."""

    detail: str
