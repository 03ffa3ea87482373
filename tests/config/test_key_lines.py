from __future__ import annotations

import tomllib
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agno_shell.config.key_lines import key_lines, stands_before

TEXT = '''\
# a comment = 1
top = "a # b = [" # not a key = 2
[provider] # [not.a.table]
model = """
[not.a.table]
key = 1
""\\""" more "" """""
'quoted key'="x" \t
"escaped \\u00e9" = 'y'
limits.connect = 1.5
list = [
  "a]", # ]
  [1, 2], {inner = 3},
]
  [agents . "the analyst"]
  model = \'\'\'
''it's
here'\'\'\'\'
  temperature=0.5
[[many]]
one = {a = 1, b.c = 2}
[[many]]
[last]
'''


def test_every_key_has_the_line_on_which_it_stands() -> None:
    tomllib.loads(TEXT)
    assert key_lines(TEXT) == {
        ("top",): 2,
        ("provider",): 3,
        ("provider", "model"): 4,
        ("provider", "quoted key"): 8,
        ("provider", "escaped é"): 9,
        ("provider", "limits"): 10,
        ("provider", "limits", "connect"): 10,
        ("provider", "list"): 11,
        ("agents", "the analyst"): 15,
        ("agents", "the analyst", "model"): 16,
        ("agents", "the analyst", "temperature"): 19,
        ("many",): 20,
        ("many", "one"): 21,
        ("last",): 23,
    }


def test_windows_lines_and_a_missing_last_newline() -> None:
    assert key_lines("a = 1\r\n[b]\r\nc = 2") == {("a",): 1, ("b",): 2, ("b", "c"): 3}


@pytest.mark.parametrize(
    ("text", "line", "found"),
    [
        ("[a]\nx = 1\n[b]\n[a]", 4, (("a",), 1)),
        ("[a]\nx = 1\nx = 2", 3, (("a", "x"), 2)),
        ("[a.b]\nc = 1\n[a]\nb = 2", 4, (("a", "b"), 1)),
        ("x = 1\nx.y = 2", 2, (("x",), 1)),
        ('x = """\n[a]\n"""\n[a]\n[a]', 5, (("a",), 4)),
        ("[a]\nx = 1\n[b]\nx = 2", 4, None),
        ("# nothing", 1, None),
    ],
)
def test_what_stands_there_for_the_second_time(text: str, line: int, found: Any) -> None:
    assert stands_before(text, line) == found


KEYS = st.text(alphabet="ab.\"'#=[]\\ é\t", min_size=0, max_size=4)
VALUES = st.recursive(
    st.text(alphabet="ab\"'#=[]{}\\\n ,.", max_size=8) | st.integers() | st.booleans(),
    lambda inner: st.lists(inner, max_size=3),
)


# How fast texts are made up says something of the machine, and nothing of this.
@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.dictionaries(KEYS, VALUES | st.dictionaries(KEYS, VALUES, max_size=3), max_size=5))
def test_whatever_the_keys_and_values_every_key_is_found(table: dict[str, Any]) -> None:
    import tomli_w

    text = tomli_w.dumps(table, multiline_strings=True)
    lines = text.split("\n")
    found = key_lines(text)
    expected: set[tuple[str, ...]] = {(key,) for key in table}
    expected |= {(k, inner) for k, v in table.items() if isinstance(v, dict) for inner in v}
    assert set(found) == expected
    for key, line in found.items():
        assert not _holds(lines[: line - 1], key)
        # The statement that begins on this line, however long, is the one that brings it.
        ends = range(line, len(lines) + 1)
        assert _holds(next(lines[:end] for end in ends if _parses(lines[:end])), key)


def _parses(lines: list[str]) -> bool:
    try:
        tomllib.loads("\n".join(lines))
    except tomllib.TOMLDecodeError:
        return False
    return True


def _holds(lines: list[str], key: tuple[str, ...]) -> bool:
    table = tomllib.loads("\n".join(lines))
    for part in key:
        if part not in table:
            return False
        table = table[part]
    return True
