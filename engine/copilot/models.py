"""The vocabulary of the copilot: requests and answers of /api/copilot and /q/copilot.

    POST   /q/copilot/questions       Question -> Questioned: the built-in answer; "running" while a model is asked
    GET    /q/copilot/questions/{id}  Questioned   ?offset= &wait=: the text from `offset` on, once there is more
    DELETE /q/copilot/questions/{id}  204: the model is asked no further, the built-in answer stands
    GET    /q/copilot/suggestions     Suggestions
    GET    /q/copilot/history         HistoryPage  ?limit= &offset=, the newest first; DELETE forgets all of it
    POST   /q/copilot/feedback        Feedback -> Done
    GET    /q/copilot/status          Status
    POST   /api/copilot/ask           DocumentedQuestion -> DocumentedAnswer
    GET    /api/copilot/suggestions, /history; POST /api/copilot/feedback
    GET    /api/copilot/config        Config; PUT takes ConfigChange
    POST   /api/copilot/test-connection   Connection -> Tested

Asking, history, feedback and suggestions need no right of their own: an answer holds what its asker may read.
Configuration is for copilot:admin.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

MOST_QUESTION, MOST_CONVERSATION, MOST_SELECTED, MOST_COMMENT = 1000, 64, 200, 1000
BackendName = Literal["builtin", "ollama", "anthropic", "openai"]
Outcome = Literal["answer", "ask_back", "unsure", "proposal", "apology"]
KeyText = Annotated[str, Field(max_length=255)]
QuestionText = Annotated[str, Field(min_length=1, max_length=MOST_QUESTION)]


class Strict(BaseModel):
    """A body in which an unknown field is an error."""

    model_config = ConfigDict(extra="forbid")


class Selected(Strict):
    """A resource under the cursor, or marked: type, and key (cloud, region, id)."""

    type: str = Field(max_length=63)
    key: tuple[KeyText, KeyText, KeyText]


class Question(Strict):
    """Body of POST /q/copilot/questions.

    conversation  earlier questions of the same one are known: "only the stopped ones"; "" is the caller's usual one
    zone          the zone of times in words, like Europe/Berlin; unset: UTC
    cloud         only this cloud
    built_in      true: no model is asked, whatever the configuration says
    """

    question: QuestionText
    conversation: str = Field("", max_length=MOST_CONVERSATION)
    selected: list[Selected] = Field(default=[], max_length=MOST_SELECTED)
    zone: str | None = Field(None, max_length=64)
    cloud: str | None = Field(None, max_length=63)
    built_in: bool = False


class Column(BaseModel):
    """A column of an answer's rows: its key in the rows, its head, and its role as in docs of resource types."""

    name: str
    title: str
    role: str


class RowKey(BaseModel):
    """The resource that a row is about: type, and key (cloud, region, id)."""

    type: str
    key: list[str]


class Table(BaseModel):
    """Rows, at most 200 of `total`; `keys` holds one key for each row, or nothing."""

    columns: list[Column]
    rows: list[dict[str, Any]]
    keys: list[RowKey]
    total: int


class ShownQuery(BaseModel):
    """How the answer was found: SQL on the public views ("sql"), a room's list ("list"), a question to the cloud
    ("live"), or the app's find ("find")."""

    kind: Literal["sql", "list", "live", "find"]
    text: str


class Proposal(BaseModel):
    """What the app can do with the answer. Nothing is done by itself.

    kind     "open": a list (`type`, `filter`, `sort`, `at`), or one resource (`keys`); "pane": a pane (`name`);
             "prefill": the form of the action `name` on `keys`, with `values` filled in
    sort     pairs of column and "descending"
    values   pairs of field and text
    command  the same as a command line, or ""
    """

    kind: Literal["open", "pane", "prefill"]
    label: str
    name: str
    type: str
    filter: str
    sort: list[tuple[str, bool]]
    at: str | None
    keys: list[list[str]]
    values: list[tuple[str, str]]
    command: str


class Answer(BaseModel):
    """An answer.

    history_id  number in the asker's history, for feedback; None where it could not be kept
    outcome     "answer"; "ask_back": not clear, `choices` are complete questions to choose from; "unsure": not
                understood, `choices` are the nearest questions; "proposal": `proposals` open what was asked for;
                "apology": it could not be done, the text says why
    text        plain text. value, unit: what the text states, where it is one number, text, or yes or no
    intent      kind of the question; topic: the subject in the copilot's own words
    confidence  0 to 1; `sure` from 0.8 on
    understood  the question as it was understood; `unknown`: words that were not
    scope       what was taken into account, in words
    data_at     RFC 3339, when the oldest of the data was read; data_age_seconds is its age when it was answered
    live        the cloud was asked just now
    backend_used, model  who worded it; "builtin" without a model
    tokens_used, cost    of the model, in the currency of the settings' prices; None where none was asked or priced
    data_sent_external   anything left for a model on another machine
    fallback_reason      why the model that is configured has not answered, or ""
    """

    history_id: int | None
    outcome: Outcome
    text: str
    value: Any
    unit: str
    intent: str
    topic: str
    confidence: float
    sure: bool
    understood: str
    unknown: list[str]
    scope: list[str]
    data_at: str | None
    data_age_seconds: float | None
    live: bool
    choices: list[str]
    table: Table | None
    queries: list[ShownQuery]
    proposals: list[Proposal]
    backend_used: str
    model: str | None
    tokens_used: int | None
    cost: float | None
    data_sent_external: bool
    took_ms: float
    fallback_reason: str


class Questioned(BaseModel):
    """A question. `text` is what a model has said from `offset` on, `tool` what it is doing now, in words.

    state   "done": `answer` is final; "running": a model is asked, `answer` is the built-in one
    offset  where `text` ends: the offset to ask with next
    """

    id: str
    state: Literal["running", "done"]
    offset: int
    text: str
    tool: str
    answer: Answer | None


class Chip(BaseModel):
    """A question to click on; of a template the end is still to be written."""

    label: str
    question: str
    template: bool = False


class Category(BaseModel):
    """A group of chips."""

    name: str
    icon: str
    chips: list[Chip]


class Suggested(BaseModel):
    """Chips by group, and how to ask."""

    categories: list[Category]
    tips: list[str]


class Suggestions(BaseModel):
    """Quick questions, as documented."""

    suggestions: Suggested


class HistoryItem(BaseModel):
    """A question of the caller's, and what was answered."""

    id: int
    question: str
    answer: str
    intent: str
    backend_used: str
    model: str | None
    confidence: float
    tokens_used: int | None
    cost: float | None
    data_sent_external: bool
    feedback: Literal["up", "down"] | None
    comment: str
    created_at: str


class HistoryPage(BaseModel):
    """The caller's history, the newest first."""

    total: int
    items: list[HistoryItem]


class Forgotten(BaseModel):
    """How many questions were forgotten."""

    forgotten: int


class Feedback(Strict):
    """Body of the feedback routes."""

    history_id: int = Field(ge=1, le=2**53)
    feedback: Literal["up", "down"]
    comment: str = Field("", max_length=MOST_COMMENT)


class Done(BaseModel):
    """It is done."""

    status: Literal["ok"] = "ok"


class Status(BaseModel):
    """Who answers what the built-in engine is not sure of.

    address  of the model's server; local: it is on this machine; external: what it is sent leaves this machine
    ready    it can be asked; else `reason` says what is missing
    """

    backend: str
    model: str | None
    address: str | None
    local: bool
    external: bool
    ready: bool
    reason: str


class DocumentedQuestion(Strict):
    """Body of POST /api/copilot/ask."""

    question: QuestionText


class DocumentedAnswer(BaseModel):
    """The documented answer; `answer` is text in which **numbers** are bold."""

    answer: str
    intent: str
    backend_used: str
    confidence: float
    tokens_used: int | None
    data_sent_external: bool
    history_id: int | None


class Config(BaseModel):
    """Configuration as documented. Keys are never shown, only what refers to them: `env:NAME` or `file:/path`."""

    backend: BackendName
    ollama_url: str
    ollama_model: str
    openai_base_url: str | None
    openai_model: str
    openai_api_key: str | None
    anthropic_model: str
    anthropic_api_key: str | None
    redact_sensitive: bool
    system_prompt: str
    max_history_per_user: int


class ConfigChange(Strict):
    """Body of PUT /api/copilot/config: what is to change. Keys and `openai_base_url` are set in qdeck.toml only."""

    backend: BackendName | None = None
    ollama_url: str | None = Field(None, max_length=2000)
    ollama_model: str | None = Field(None, max_length=255)
    openai_base_url: str | None = Field(None, max_length=2000)
    openai_model: str | None = Field(None, max_length=255)
    openai_api_key: str | None = Field(None, max_length=4096)
    anthropic_model: str | None = Field(None, max_length=255)
    anthropic_api_key: str | None = Field(None, max_length=4096)
    redact_sensitive: bool | None = None
    system_prompt: str | None = Field(None, max_length=8000)
    max_history_per_user: int | None = Field(None, ge=1, le=10_000)


class Connection(Strict):
    """Body of POST /api/copilot/test-connection: what differs from the configuration."""

    backend: BackendName | None = None
    ollama_url: str | None = Field(None, max_length=2000)
    ollama_model: str | None = Field(None, max_length=255)
    openai_model: str | None = Field(None, max_length=255)
    anthropic_model: str | None = Field(None, max_length=255)


class Tested(BaseModel):
    """Whether the backend answered, in how many milliseconds, or why not; names of models that its server offers."""

    success: bool
    message: str
    latency_ms: int | None
    models: list[str]
