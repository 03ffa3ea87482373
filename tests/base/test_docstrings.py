from __future__ import annotations

import inspect

import pytest

from agno_shell.base.docstrings import Docstring, parse

GOOGLE = """
    Add two numbers,
    however large.

    More that a model need not know.

    Args:
        a: The first one,
            which is often large.
        b (int): The second: it is small.
        *rest: All others.

        c:
            On a line of its own.

    Returns:
        total: The sum.
    """

SPHINX = """Add two numbers.

    :param a: The first one,
        which is often large.
    :param int b: The second: it is small.
    :type a: int
    :returns: the sum
    """


def test_googles_style() -> None:
    assert parse(inspect.cleandoc(GOOGLE)) == Docstring(
        "Add two numbers, however large.",
        {
            "a": "The first one, which is often large.",
            "b": "The second: it is small.",
            "rest": "All others.",
            "c": "On a line of its own.",
        },
    )


def test_sphinxs_style() -> None:
    assert parse(inspect.cleandoc(SPHINX)) == Docstring(
        "Add two numbers.",
        {"a": "The first one, which is often large.", "b": "The second: it is small."},
    )


@pytest.mark.parametrize(
    ("text", "parsed"),
    [
        ("", Docstring("", {})),
        ("One line.", Docstring("One line.", {})),
        ("Args:\n    a: x", Docstring("", {"a": "x"})),
        (":param a: x", Docstring("", {"a": "x"})),
        ("Words.\nArgs:\n    a: x\n  goes on", Docstring("Words.", {"a": "x goes on"})),
        ("Words.\n\nNote:\n    a: no parameter", Docstring("Words.", {})),
        ("Args:\n    no colon here", Docstring("", {})),
    ],
)
def test_docstrings_of_other_forms(text: str, parsed: Docstring) -> None:
    assert parse(text) == parsed
