"""Lexing line by line, against lexing the whole at once."""

from __future__ import annotations

from typing import Any, ClassVar

import pytest
from pygments.lexer import RegexLexer
from pygments.lexers import get_lexer_by_name
from pygments.token import Comment, Keyword, String, Text

from agno_shell.builtin.pygments_renderer.lexing import (
    MAX_LINE,
    MAX_WINDOW_LINES,
    LineLexer,
    lex_with_stack,
)

SOURCES = {
    "python": '''
@decorator
class Point(Base):
    """A point
    in "the" plane, it's
    on three lines."""

    name: str = f"p{1 + 2} {x!r}"
    other = r\'\'\'raw \\d
    text\'\'\'

    async def norm(self, *, p=2.0) -> float:
        # a comment
        return (self.x ** p) ** 0.5 if self else None
''',
    "c": """
/* A comment
 * of "several" lines, isn't it?
 */
#include <stdio.h>
#define MAX(a, b) ((a) > (b) ? (a) : (b))

int main(int argc, char *argv[]) {
    size_t n = 0x1F; // end of line
    printf("%d\\n", n); /* one
    more */ return 'c';
}
""",
    "javascript": """
/**
 * Doc comment
 */
const greet = async ({name, ...rest}) => {
  const text = `Hello ${name.toUpperCase()}
  and more ${1 + 2} lines`;
  return text.replace(/[a-z]+/g, "x") ?? null;
};
""",
    "html": """
<!DOCTYPE html>
<!-- a comment
     over lines -->
<html lang="en"><head>
<style>
body { color: #fff; margin: 0 auto }
</style>
<script type="module">
const x = 1;
// a comment
document.querySelector("#id").textContent = `x`;
</script>
</head><body class="a b">Text &amp; more</body></html>
""",
    "css": """
/* reset
   everything */
@media (max-width: 600px) {
  a:hover, .b > #c::before { color: rgba(0, 0, 0, 0.5); content: "x"; }
}
""",
    "yaml": """
# settings
name: value
list:
  - 1
  - "two"
text: |
  block of
  text: not a key
anchor: &a {x: 1}
""",
    "json": """
{
  "name": "value",
  "list": [1, 2.5e3, true, null],
  "nested": {"a": {}}
}
""",
    "bash": """
#!/bin/bash
# comment
for f in *.txt; do
  echo "file: $f ${x:-y}" | grep -v 'a b'
done
cat <<EOF > out
some $text and if then
  more 'quotes
EOF
echo done
""",
    "rust": """
/// Docs
fn main<'a>(x: &'a str) -> Result<(), Error> {
    /* block
       /* nested */ comment */
    let s = "two
    lines"; let n = 1_000u32;
    println!("{}", s);
    match n { 0 => Ok(()), _ => Err(e)? }
}
""",
    "go": """
package main

/* A comment
   of lines */
import "fmt"

func main() {
	text := `raw
string`
	for i := range 10 { fmt.Println(i, text) } // end
}
""",
    "sql": """
-- comment
SELECT id, COUNT(*) AS n FROM users u
/* block
   comment */
WHERE name = 'O''Brien' AND x > 1.5
GROUP BY id;
""",
    "diff": """
diff --git a/x b/x
--- a/x
+++ b/x
@@ -1,2 +1,2 @@
-old
+new
 same
""",
    "php": """
<?php
/* block
   comment */
function f(array $a): string {
    return strlen("x $a[0]") . 'y'; // end
}
""",
    "ruby": """
# comment
def hello(name = "x")
  puts "Hello #{name}"
  text = <<~TEXT
    heredoc
  TEXT
  [1, 2].each { |n| :sym }
end
""",
    "toml": """
[table] # comment
key = "value"
text = \"\"\"
several
lines\"\"\"
date = 2024-01-01
""",
    "java": """
/** Doc
 *  comment */
public class A<T> extends B {
    private final String s = "x"; // end
}
""",
}


def per_character(tokens: Any) -> list:
    return [kind for kind, value in tokens for _char in value]


@pytest.mark.parametrize("language", SOURCES)
def test_lines_are_coloured_as_in_the_whole(language: str) -> None:
    source = SOURCES[language].lstrip("\n")
    lexer = get_lexer_by_name(language)
    whole = per_character((k, v) for _at, k, v in lexer.get_tokens_unprocessed(source))
    lines = LineLexer(get_lexer_by_name(language))
    at = 0
    for line in source.splitlines():
        tokens = lines.line(line)
        assert "".join(value for _kind, value in tokens) == line
        assert per_character(tokens) == whole[at : at + len(line)], line
        at += len(line) + 1


@pytest.mark.parametrize("language", ["python", "c", "javascript", "rust", "sql", "html"])
def test_own_loop_yields_what_pygments_yields(language: str) -> None:
    source = SOURCES[language]
    lexer = get_lexer_by_name(language)
    expected = [
        (kind, value)
        for _at, kind, value in RegexLexer.get_tokens_unprocessed(lexer, source)  # type: ignore[arg-type]
    ]
    tokens, _stack, _last = lex_with_stack(lexer, source, ("root",))
    assert per_character(tokens) == per_character(expected)


class Popping(RegexLexer):
    """Changes its states in every way there is."""

    tokens: ClassVar = {
        "root": [("a", Text, "one"), ("b", Text, ("one", "two")), (r"[^ab\n]", Text, "#pop")],
        "one": [
            ("a", Text, "two"),
            ("p", Text, "#push"),
            ("c", Text, "#pop:3"),
            ("d", Text, "#pop"),
        ],
        "two": [("d", Text, ("#pop", "#push")), ("e", Text, "#pop:5"), ("f", Text, "#pop")],
    }


@pytest.mark.parametrize(
    ("text", "stack"),
    [
        ("", ("root",)),
        ("a", ("root", "one")),
        ("app", ("root", "one", "one", "one")),
        ("b", ("root", "one", "two")),
        ("bd", ("root", "one", "one")),
        ("be", ("root",)),
        ("aac", ("root", "one", "two")),
        ("ac", ("root",)),
        ("xx", ("root",)),
        ("aaf", ("root", "one")),
        ("aa\n", ("root",)),
    ],
)
def test_the_stack_at_the_end(text: str, stack: tuple[str, ...]) -> None:
    assert lex_with_stack(Popping(), text, ("root",))[1] == stack


@pytest.mark.parametrize(
    ("language", "opening", "closing", "kind"),
    [
        ("c", "/* begins", "ends */", Comment),
        ("css", "/* begins", "ends */", Comment),
        ("python", 'x = """begins', 'ends"""', String),
        ("go", "x := `begins", "ends`", String),
        ("bash", "cat <<EOF", "EOF", String),
    ],
)
def test_what_is_long_stays_what_it_is_in_a_bounded_window(
    language: str, opening: str, closing: str, kind: object
) -> None:
    lines = LineLexer(get_lexer_by_name(language))
    lines.line(opening)
    for number in range(5 * MAX_WINDOW_LINES):
        tokens = lines.line(f"return {number} if while")
        assert all(kind in token.split() for token, _value in tokens)
        assert len(lines._window) <= MAX_WINDOW_LINES
    lines.line(closing)
    assert not any(kind in token.split() for token, _value in lines.line("return 1"))


@pytest.mark.parametrize("language", ["yaml", "ruby", "html+jinja", "pycon"])
def test_the_window_of_other_lexers_is_bounded(language: str) -> None:
    lines = LineLexer(get_lexer_by_name(language))
    for number in range(200):
        lines.line(f"line: {number}")
        assert len(lines._window) <= MAX_WINDOW_LINES


def test_a_copy_goes_its_own_way() -> None:
    lines = LineLexer(get_lexer_by_name("c"))
    lines.line("/* open")
    other = lines.copy()
    other.line("closed */")
    assert lines.line("return 1")[0][0] is Comment.Multiline
    assert other.line("return 1")[0][0] is Keyword


def test_a_very_long_line_is_plain() -> None:
    text = "x = 1; " * MAX_LINE
    assert LineLexer(get_lexer_by_name("python")).line(text) == [(Text, text)]
