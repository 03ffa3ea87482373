from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agno_shell.conversation.files.mentions import beginning, mention, mentions

PATHS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1)
WORDS = st.text(st.sampled_from("ab \n.,(\\"), max_size=10)


def first_paths(text: str) -> list[str]:
    return [each.paths[0] for each in mentions(text)]


@given(WORDS, PATHS, WORDS)
def test_a_path_that_is_put_into_a_message_is_found_in_it(
    before: str, path: str, behind: str
) -> None:
    [found] = mentions(f"{before} {mention(path)} {behind}")
    assert found.paths[0] == path
    assert found.typed == mention(path)


@given(st.text(st.sampled_from('@"\\ a./')))
def test_no_text_is_an_error(text: str) -> None:
    for each in mentions(text):
        assert each.typed in text
        assert all(each.paths)


@pytest.mark.parametrize(
    ("text", "paths"),
    [
        ("see @notes.txt", ["notes.txt"]),
        ("@a and (@b)", ["a", "b)"]),
        ('@"a b.txt", @c', ["a b.txt", "c"]),
        ("line\n@~/x", ["~/x"]),
        ("me@example.org", []),
        ("\\@notes.txt", []),
        ("@ alone, and at the end @", []),
        ('@"never closed', []),
        ('@"" nothing', []),
    ],
)
def test_only_the_beginning_of_a_word_is_one(text: str, paths: list[str]) -> None:
    assert first_paths(text) == paths


def test_signs_behind_a_path_may_belong_to_the_sentence() -> None:
    [found] = mentions("Is it in (@a/b.txt)?")
    assert found.paths == ("a/b.txt)?", "a/b.txt)", "a/b.txt")
    [many] = mentions("@what!!!!!!!!!!!!")
    assert len(many.paths) < 10


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("see @no", ("@no", "no")),
        ("@", ("@", "")),
        ('x @"a b', ('@"a b', "a b")),
        ('x @"a \\"b', ('@"a \\"b', 'a "b')),
        ('x @"a b"', None),
        ("x @done and more", None),
        ("me@example", None),
        ("\\@no", None),
        ("nothing", None),
    ],
)
def test_what_is_being_typed(line: str, expected: tuple[str, str] | None) -> None:
    assert beginning(line) == expected
