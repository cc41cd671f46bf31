"""The configuration file: every fault is told with file, line, key and what is allowed."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.settings import allowed, positions, reference
from engine.settings.loading import Loaded, SettingsError, find, load
from engine.settings.models import Settings
from engine.settings.secrets import SecretUnreadable, read_secret

GOOD = """
# A shared engine
[engine]
group = "cloudops"

[engine.tcp]
listen = "0.0.0.0:8443"
certificate = "/etc/qdeck/cert.pem"
key = "/etc/qdeck/key.pem"
signing_key = "env:QDECK_KEY"

[collection]
interval_minutes = 5
connect_timeout_seconds = 2

[access.users]
alice = { role = "admin", clouds = ["prod", "test"] }

[access.users."bob.b@x"]
role = "viewer"

[access.groups.cloudops]
role = "operator"
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "qdeck.toml"


def test_no_file_means_defaults() -> None:
    assert load(None) == Loaded()
    assert (Settings().collection.interval_minutes, Settings().collection.retention_days) == (15, 90)
    assert not Settings().shared


def test_a_good_file(file: Path) -> None:
    file.write_text(GOOD)
    loaded = load(file)
    assert loaded.settings.shared and loaded.settings.collection.interval_minutes == 5
    assert loaded.settings.access.users["alice"].clouds == ("prod", "test")
    assert loaded.settings.access.users["bob.b@x"].role == "viewer"
    assert loaded.keys == {
        "engine.group",
        "engine.tcp.listen",
        "engine.tcp.certificate",
        "engine.tcp.key",
        "engine.tcp.signing_key",
        "collection.interval_minutes",
        "collection.connect_timeout_seconds",
        "access.users",
        "access.groups",
    }


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        (
            "[collection]\n\ninterval_minutes = 0",
            3,
            "collection.interval_minutes is 0; allowed is a whole number from 1",
        ),
        ("[collection]\ninterval_minutes = 'soon'", 2, "is 'soon'; allowed is a whole number from 1 to 1440"),
        ("[collection]\ninterval_minutes = true", 2, "is True; allowed is a whole number"),
        ("[collection]\ninterval_minutes = 1.5", 2, "is 1.5; allowed is a whole number"),
        ("collection.interval_minutes = 9999", 1, "from 1 to 1440"),
        ("collection = { retries = 3, interval_minutes = 9999 }", 1, "collection.interval_minutes is 9999"),
        ("[collection]\nintervall_minutes = 5", 2, "is not a setting; did you mean interval_minutes?"),
        ("[collection]\nzzz = 5", 2, "collection.zzz is not a setting; allowed here: connect_timeout_seconds"),
        ("[colection]\nretries = 5", 1, "colection is not a setting; did you mean collection?"),
        ("x = 1\n", 1, "allowed here: access, clouds, collection, copilot, drift, engine, logging"),
        ("[logging]\nlevel = 'LOUD'", 2, "allowed is one of `DEBUG`, `INFO`, `WARNING`, `ERROR`"),
        ("engine = 5", 1, "engine is 5; allowed is a table, written [engine]"),
        ("[engine]\ngroup = ''", 2, "engine.group is ''; allowed is a text"),
        ("[engine.tcp]\nlisten = '8443'", 2, "engine.tcp.listen is not an address and port"),
        ("[engine.tcp]\n\n# why\nlisten = 'h:99999'", 4, "is not an address and port"),
        ("[engine.tcp]\nlisten = 8443", 2, "engine.tcp.listen is 8443; allowed is `host:port`"),
        ("[engine.tcp]\nsigning_key = 'hunter2'", 2, "is a secret: refer to it, as env:NAME or file:/absolute/path"),
        ("[engine.tcp]\ncertificate = '/x'", 1, "engine.tcp certificate and key belong together"),
        ("[access.users.bob]\nrole = 'root'", 2, "access.users.bob.role is 'root'; allowed is one of `viewer`"),
        ("[access.users.bob]\nclouds = ['x']", 1, "access.users.bob.role is missing; allowed is one of `viewer`"),
        (
            "[access.users.bob]\nrole='admin'\nclouds = 'x'",
            3,
            "access.users.bob.clouds is 'x'; allowed is a list of texts",
        ),
        ("[access.users.bob]\nrole='admin'\nclouds = [\n 'x',\n 5,\n]", 3, "clouds"),
        ("[access.users.bob]\nrole='admin'\nrol = 5", 3, "access.users.bob.rol is not a setting; did you mean role?"),
        (
            "[access.users]\nbob = 'admin'",
            2,
            "access.users.bob is 'admin'; allowed is a table, written [access.users.bob]",
        ),
        ("[access]\nusers = { bob = { role = 'x' } }", 2, "access.users.bob.role is 'x'"),
        ("[collection]\nretries = 3\nretries = 4", 3, "is not valid TOML"),
        ("[collection]\nretries = yes", 2, "is not valid TOML"),
        ("[collection\nretries = 3", 1, "is not valid TOML"),
        ("[logging]\nlevel = 'INFO", 2, "is not valid TOML"),
    ],
)
def test_faults(file: Path, text: str, line: int, words: str) -> None:
    file.write_text(text)
    with pytest.raises(SettingsError) as refused:
        load(file)
    message = str(refused.value)
    assert message.startswith(f"{file}, line {line}: ") and words in message
    assert "\n" not in message and "hunter2" not in message


def test_several_faults_are_all_told(file: Path) -> None:
    file.write_text("[collection]\nretries = -1\n[logging]\nlevel = 1\nx = 2\n")
    with pytest.raises(SettingsError) as refused:
        load(file)
    assert [line.split(": ")[0].rpartition(" ")[2] for line in str(refused.value).splitlines()] == ["2", "4", "5"]


@pytest.mark.parametrize(
    ("content", "words"), [(b"\xff\xfe", "is not UTF-8"), (b"# " + b"x" * 2**20, "larger than 1 MB")]
)
def test_files_that_are_no_text(file: Path, content: bytes, words: str) -> None:
    file.write_bytes(content)
    with pytest.raises(SettingsError, match=words):
        load(file)


def test_a_folder_of_that_name(file: Path) -> None:
    file.mkdir()
    with pytest.raises(SettingsError, match="cannot be read: Is a directory"):
        load(file)


def test_the_home_wins_and_a_demo_looks_nowhere_else(tmp_path: Path) -> None:
    home, config = tmp_path / "home", tmp_path / "config"
    (config / "qdeck").mkdir(parents=True)
    home.mkdir()
    env = {"XDG_CONFIG_HOME": str(config)}
    assert find(home, env) is None
    (config / "qdeck" / "qdeck.toml").touch()
    assert find(home, env) == config / "qdeck" / "qdeck.toml"
    assert find(home, env, only_home=True) is None
    (home / "qdeck.toml").touch()
    assert find(home, env) == find(home, {}) == home / "qdeck.toml"
    (tmp_path / ".config" / "qdeck").mkdir(parents=True)
    (tmp_path / ".config" / "qdeck" / "qdeck.toml").touch()
    assert find(tmp_path / "none", {"HOME": str(tmp_path)}) == tmp_path / ".config" / "qdeck" / "qdeck.toml"


# -- lines ------------------------------------------------------------------------------------------------------

_names = st.from_regex(r"[a-z][a-z0-9_-]{0,5}", fullmatch=True) | st.sampled_from(['"a b"', '"x.y"', "'q#='"])
_values = st.sampled_from(
    ["1", '"text # no comment"', "[1,\n  2, # two\n]", '"""\n[not.a.table]\nx = 1\n"""', "'''\n]\n'''", "{ in = 1 }"]
)


@given(st.lists(st.tuples(st.booleans(), _names, _values, st.sampled_from(["", "\n# note\n\n"])), max_size=12))
def test_lines_are_those_where_keys_are_written(parts: list[tuple[bool, str, str, str]]) -> None:
    text, expected, table = "", {}, ()
    for index, (header, name, value, gap) in enumerate(parts):
        text += gap
        line = text.count("\n") + 1
        unique = f"{name[:-1]}{index}{name[-1]}" if name[0] in "\"'" else f"{name}{index}"
        plain = unique.strip("\"'")
        if header:
            table = (plain,)
            text += f"[{unique}] # head\n"
            expected[table] = line
        else:
            text += f"{unique} = {value}\n"
            expected[(*table, plain)] = line
    tomllib.loads(text)
    found = positions.lines(text)
    assert {path: found.get(path) for path in expected} == expected
    assert all("not" not in path for path in found)


# -- secrets ----------------------------------------------------------------------------------------------------


def test_secrets_by_reference(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    secret = tmp_path / "secret"
    secret.write_text("s3 cret\n")
    secret.chmod(0o600)
    assert read_secret(f"file:{secret}") == "s3 cret"
    monkeypatch.setenv("QDECK_TEST", "x")
    assert read_secret("env:QDECK_TEST") == "x"


@pytest.mark.parametrize(
    ("mode", "content", "words"),
    [(0o644, "x", "mode 0644"), (0o660, "x", "chmod 600"), (0o600, "\n", "is empty")],
)
def test_unsafe_secret_files(tmp_path: Path, mode: int, content: str, words: str) -> None:
    secret = tmp_path / "secret"
    secret.write_text(content)
    secret.chmod(mode)
    with pytest.raises(SecretUnreadable, match=words):
        read_secret(f"file:{secret}")


@pytest.mark.parametrize(
    ("reference_text", "words"),
    [
        ("env:QDECK_TEST_UNSET", "is not set"),
        ("file:/nonexistent/secret", "No such file"),
        ("file:/tmp", "not a plain file"),
        ("plain text", "env:NAME or file:/path"),
    ],
)
def test_unreadable_secrets(reference_text: str, words: str) -> None:
    with pytest.raises(SecretUnreadable, match=words):
        read_secret(reference_text)


# -- the page ---------------------------------------------------------------------------------------------------


def test_the_page_of_settings_is_current() -> None:
    page = Path(__file__).parents[3] / "docs" / "settings.md"
    assert page.read_text() == reference.markdown(), "run python -m engine.settings.reference"


def test_the_page_can_be_made_as_it_says() -> None:
    made = subprocess.run(
        [sys.executable, "-m", "engine.settings.reference"], capture_output=True, text=True, timeout=60, check=True
    )
    assert made.stdout == reference.markdown()


def test_the_example_on_the_page_is_accepted(file: Path) -> None:
    file.write_text(reference.markdown().partition("```toml\n")[2].partition("```")[0])
    assert load(file).settings.shared


def test_every_key_says_what_it_does_and_allows() -> None:
    for key in allowed.every_key():
        assert key.description.endswith(".") and key.allowed != "a value", key


def test_what_restores_may_do_differs_by_cloud(file: Path) -> None:
    file.write_text("[restore]\ndry_run = true\n[clouds.lab.restore]\ndry_run = false\ncleanup_volumes = true\n")
    settings = load(file).settings
    lab, own = settings.restore.at(settings.clouds["lab"].restore), settings.restore
    assert (own.dry_run, own.cleanup_volumes, own.enabled) == (True, False, True)
    assert (lab.dry_run, lab.cleanup_volumes, lab.enabled) == (False, True, True)


def test_what_proves_an_answer_must_be_an_expression(file: Path) -> None:
    file.write_text('[restore]\nprove_console = ["login:", "(("]\n')
    with pytest.raises(SettingsError, match=r"restore\.prove_console.*regular expression"):
        load(file)
