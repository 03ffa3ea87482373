"""Full-text search for storages: words, queries, snippets, and the dialect of SQLite FTS5.

What a storage with an FTS5 index does::

    from agno_shell.toolkit import full_text

    db.execute(f"CREATE VIRTUAL TABLE words USING fts5(text, content='', {full_text.TOKENIZE})")
    db.execute("INSERT INTO words(rowid, text) VALUES (?, ?)", (row, full_text.prepared(text)))
    ...
    wanted = full_text.parse(query)
    if wanted:  # false when nothing in the query can be looked for
        found = db.execute(
            "SELECT rowid FROM words WHERE words MATCH ? ORDER BY rank", (wanted.expression(),)
        )
        pieces = wanted.snippet(text)  # for SearchHit.snippet, from the original text

Every text goes through :func:`prepared` on its way into the index, and again, the same,
into FTS5's ``'delete'`` command. An index must be rebuilt when :data:`VERSION` has
changed. No query raises, whatever is in it, and no text does.

A storage without an index searches with :meth:`Query.ranked`, which finds the same messages
in the same order. :func:`tokens` says what the words of a text are.
"""

from agno_shell.toolkit.full_text.query import Query, Term, parse
from agno_shell.toolkit.full_text.words import TOKENIZE, VERSION, Token, prepared, tokens

__all__ = ["TOKENIZE", "VERSION", "Query", "Term", "Token", "parse", "prepared", "tokens"]
