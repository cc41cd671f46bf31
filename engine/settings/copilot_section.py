"""Settings of the copilot: who is asked what it cannot answer by itself, and what may leave this machine."""

from __future__ import annotations

import ipaddress
import re
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field

from engine.settings.section import IN_APP, SecretReference, Section

Backend = Literal["builtin", "ollama", "anthropic", "openai"]
ANTHROPIC, OPENAI = "https://api.anthropic.com", "https://api.openai.com/v1"


def _address(value: str) -> str:
    """`http://` or `https://`, host, port, path: no user, query or fragment, in which secrets would be shown."""
    if not re.fullmatch(r"https?://[^\s/?#@]+(/[^\s?#]*)?", value):
        raise ValueError("is not an address like http://localhost:11434 (without user, query or fragment)")
    return value.rstrip("/")


Address = Annotated[str, AfterValidator(_address), Field(max_length=2000)]
ModelName = Annotated[str, Field(min_length=1, max_length=255)]
_ADDRESS: dict[str, Any] = {"allowed": "`http://` or `https://` address"}


def is_loopback(address: str) -> bool:
    """Whether an address is this machine's own: localhost, 127.0.0.0/8 or ::1."""
    try:
        host = urlsplit(address).hostname or ""
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class Copilot(Section):
    """The copilot. It answers most questions by itself, from what is collected; a language model is asked where one is
    configured, and only what the copilot is not sure of."""

    backend: Backend = Field(
        default="builtin",
        description="Who is asked then: nobody (`builtin`), an Ollama server, or a provider's API.",
        json_schema_extra=IN_APP,
    )
    ollama_url: Address = Field(
        default="http://localhost:11434", description="The Ollama server.", json_schema_extra=IN_APP | _ADDRESS
    )
    ollama_model: ModelName = Field(default="llama3", description="Its model.", json_schema_extra=IN_APP)
    anthropic_model: ModelName = Field(
        default="claude-sonnet-4-20250514", description="Anthropic's model.", json_schema_extra=IN_APP
    )
    anthropic_api_key: SecretReference | None = Field(default=None, description="Key for it.")
    openai_base_url: Address | None = Field(
        default=None,
        description=f"A server that speaks OpenAI's API, which is sent the key; unset: `{OPENAI}`.",
        json_schema_extra=_ADDRESS,
    )
    openai_model: ModelName = Field(default="gpt-4o-mini", description="Its model.", json_schema_extra=IN_APP)
    openai_api_key: SecretReference | None = Field(default=None, description="Key for it.")
    redact_sensitive: bool = Field(
        default=True,
        strict=True,
        description="Names, addresses and ids are replaced before a model is asked. Off holds only for a model on this "
        "machine: what leaves it is always redacted.",
        json_schema_extra=IN_APP,
    )
    timeout_seconds: float = Field(
        default=120,
        strict=True,
        ge=1,
        le=600,
        description="Seconds that a model has for an answer.",
        json_schema_extra=IN_APP,
    )
    connect_timeout_seconds: float = Field(
        default=5,
        strict=True,
        gt=0,
        le=60,
        description="Seconds to wait for a connection to it.",
        json_schema_extra=IN_APP,
    )
    max_tokens: int = Field(
        default=2000,
        strict=True,
        ge=100,
        le=32_000,
        description="Most tokens that a model may answer one question with.",
        json_schema_extra=IN_APP,
    )
    price_input: float | None = Field(
        default=None,
        strict=True,
        ge=0,
        le=10_000,
        description="Price of a million tokens sent, for the cost that answers show; unset: none is shown.",
        json_schema_extra=IN_APP,
    )
    price_output: float | None = Field(
        default=None,
        strict=True,
        ge=0,
        le=10_000,
        description="Price of a million tokens received.",
        json_schema_extra=IN_APP,
    )
    system_prompt: str = Field(
        default="",
        max_length=8000,
        description="What a model is told besides the copilot's own instructions.",
        json_schema_extra=IN_APP,
    )
    max_history_per_user: int = Field(
        default=200,
        strict=True,
        ge=1,
        le=10_000,
        description="Newest questions of each person that are kept.",
        json_schema_extra=IN_APP,
    )

    @property
    def model(self) -> str | None:
        """The model of the backend; None of the built-in one."""
        models = {"ollama": self.ollama_model, "anthropic": self.anthropic_model, "openai": self.openai_model}
        return models.get(self.backend)

    @property
    def address(self) -> str | None:
        """Where the backend is; None of the built-in one."""
        places = {"ollama": self.ollama_url, "anthropic": ANTHROPIC, "openai": self.openai_base_url or OPENAI}
        return places.get(self.backend)

    @property
    def api_key(self) -> str | None:
        """The reference of the backend's key; None where there is none."""
        return {"anthropic": self.anthropic_api_key, "openai": self.openai_api_key}.get(self.backend)

    @property
    def local(self) -> bool:
        """Whether nothing leaves this machine."""
        return self.address is None or is_loopback(self.address)

    @property
    def redacts(self) -> bool:
        """Whether what a model is sent is redacted."""
        return self.redact_sensitive or not self.local

    def cost(self, sent: int, received: int) -> float | None:
        """What so many tokens cost; None where no price is set."""
        if self.price_input is None and self.price_output is None:
            return None
        return ((self.price_input or 0.0) * sent + (self.price_output or 0.0) * received) / 1_000_000
