"""What each process may load when it starts: heavy packages stay out of the client, screens stay out of the engine."""

import json
import subprocess
import sys

import pytest

HEAVY = {
    "anthropic", "duckdb", "keystoneauth1", "networkx", "numpy", "ollama", "openpyxl", "openstack", "pandas", "pyarrow",
    "pydantic", "sqlalchemy", "fastapi", "uvicorn", "structlog", "cryptography", "jwt", "argon2",
}  # fmt: skip


def loaded_by(statement: str) -> set[str]:
    """Top-level packages in sys.modules after the statement, in a fresh interpreter."""
    code = f"{statement}\nimport sys, json; print(json.dumps(sorted({{m.partition('.')[0] for m in sys.modules}})))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    return set(json.loads(done.stdout))


@pytest.mark.parametrize(
    "module", ["tui.cli.main", "tui.cli.commands", "tui.cli.inventory", "tui.api.client", "tui.app"]
)
def test_client_loads_nothing_heavy(module: str) -> None:
    loaded = loaded_by(f"import {module}")
    assert not loaded & HEAVY
    if module != "tui.app":
        assert "textual" not in loaded and "rich" not in loaded


def test_declarations_and_filters_need_the_standard_library_only() -> None:
    loaded = loaded_by("import store.filters, store.types.registry")
    assert not {name for name in loaded if name not in sys.stdlib_module_names} - {"store", "__main__"} - site_hooks()


def test_engine_loads_no_screens_and_no_models() -> None:
    loaded = loaded_by("import engine.app")
    assert not loaded & {"textual", "tui", "pandas", "openpyxl", "anthropic", "ollama", "networkx"}


def site_hooks() -> set[str]:
    """Modules that the interpreter's own site set-up loads, whatever the program does."""
    return loaded_by("pass")
