"""What the command line prints: plain tables, documents, and never a control character of a stranger."""

import contextlib
import csv
import io
import json

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from tui.cli.output import Format, cells, plain, printable, write_pairs, write_rows

ROWS = [
    {"name": "web-03", "vcpus": 4, "ips": ["10.20.0.7", "10.20.0.8"], "locked": False},
    {"name": "db \x1b]0;owned\x07 \u202eevil", "vcpus": 16, "ips": [], "locked": None},
    {"name": "名前", "vcpus": None, "ips": None, "locked": True},
]
COLUMNS = ["name", "vcpus", "ips", "locked"]


def test_table_is_aligned_and_harmless(capsys: pytest.CaptureFixture[str]) -> None:
    write_rows(ROWS, COLUMNS, Format.table, titles={"vcpus": "vCPU"})
    out = capsys.readouterr().out
    assert out == (
        "NAME                 vCPU  IPS                  LOCKED\n"
        "web-03                  4  10.20.0.7,10.20.0.8  no\n"
        "db ?]0;owned? ?evil    16                       -\n"
        "名前                    -  -                    yes\n"
    )


def test_json_and_yaml_hold_the_values(capsys: pytest.CaptureFixture[str]) -> None:
    write_rows(ROWS, COLUMNS, Format.json)
    assert json.loads(capsys.readouterr().out) == ROWS
    write_rows(ROWS, COLUMNS, Format.yaml)
    assert yaml.safe_load(capsys.readouterr().out) == ROWS


def test_csv_reads_back(capsys: pytest.CaptureFixture[str]) -> None:
    write_rows(ROWS, COLUMNS, Format.csv)
    out = capsys.readouterr().out
    read = list(csv.DictReader(io.StringIO(out)))
    # Not every character comes back: CSV ends in spreadsheets and, by `cat`, on terminals, so nothing in it may act.
    # JSON is there for programs that need the rest, and for them a cell's leading apostrophe is a lesser evil.
    assert [row["name"] for row in read] == ["web-03", "db \ufffd]0;owned\ufffd \ufffdevil", "名前"]
    assert json.loads(read[0]["ips"]) == ROWS[0]["ips"]
    assert (read[2]["vcpus"], read[2]["locked"], read[0]["locked"]) == ("", "true", "false")


def test_csv_holds_no_formula(capsys: pytest.CaptureFixture[str]) -> None:
    write_rows([{"name": "=HYPERLINK(1)", "vcpus": -4}, {"name": "-5", "vcpus": None}], ["name", "vcpus"], Format.csv)
    assert capsys.readouterr().out == "name,vcpus\n'=HYPERLINK(1),-4\n-5,\n"


@given(st.text())
def test_json_cannot_act_on_a_terminal_and_keeps_its_value(text: str) -> None:
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        write_rows([{"name": text}], ["name"], Format.json)
    assert json.loads(out.getvalue()) == [{"name": text}]
    assert not any((ord(c) < 32 and c != "\n") or 127 <= ord(c) < 160 or c in "\u202a\u202e" for c in out.getvalue())


def test_one_thing_is_printed_field_below_field(capsys: pytest.CaptureFixture[str]) -> None:
    write_pairs({"id": "1", "project_name": "acme", "tags": ["a", "b"], "meta": {"k": [1]}}, Format.table)
    assert capsys.readouterr().out.splitlines() == [
        "id            1",
        "project_name  acme",
        "tags          a,b",
        'meta          {"k": [1]}',
    ]


@given(st.text())
def test_printable_text_cannot_act_on_a_terminal(text: str) -> None:
    shown = printable(text)
    assert len(shown) == len(text)
    assert not any(ord(c) < 32 or 127 <= ord(c) < 160 or c in "\u202a\u202e\u2028\u200b" for c in shown)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(), lambda s: st.lists(s) | st.dictionaries(st.text(), s)
    )
)
def test_any_value_is_one_line(value: object) -> None:
    assert "\n" not in plain(value)
    assert cells(plain(value)) >= 0
