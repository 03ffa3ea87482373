"""What stored replies have used: a summary of it, and an export."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any, NamedTuple, TextIO

from agno_shell.cli import exported
from agno_shell.cli.output import terminal_width, write_json
from agno_shell.cli.progress import ProgressLine
from agno_shell.contracts import Figures
from agno_shell.contracts.storage import Storage
from agno_shell.conversation.accounts.figures import is_reply, of_usage, plus
from agno_shell.conversation.references import resolve
from agno_shell.errors import StorageError
from agno_shell.toolkit.reports import dollars, figures_line, seconds, tokens_per_second
from agno_shell.toolkit.terminal_text import clean_line
from agno_shell.toolkit.text_table import Column, table_lines
from agno_shell.toolkit.wording import count
from agno_shell.types import Message, Session, local_time

_FIGURES = (
    Column("Replies", right=True),
    Column("Tokens In", right=True),
    Column("Tokens Out", right=True),
    Column("Cost", right=True),
    Column("First Token", right=True),
)
_SESSIONS = (Column("ID"), Column("Session", minimum=12), *_FIGURES, Column("Last Reply"))
_MODELS = (Column("Model", minimum=12), *_FIGURES)

FIELDS = (
    "session_id",
    "session_name",
    "message_id",
    "created_at",
    "model",
    "status",
    "input_tokens",
    "output_tokens",
    "reasoning_tokens",
    "cached_tokens",
    "cost",
    "first_token",
    "total",
    "tokens_per_second",
)
"""What is exported of each reply; times are ISO 8601 in UTC, and seconds, costs US dollars."""

_FORMULA_SIGNS = ("=", "+", "-", "@")


class _Sum(NamedTuple):
    """What some replies used; ``waits`` are the seconds to the first tokens that are known."""

    figures: Figures = Figures()
    waits: tuple[int, float] = (0, 0.0)
    last: Message | None = None

    def plus(self, reply: Message) -> _Sum:
        number, total = self.waits
        first = reply.timing.first_token if reply.timing else None
        if first is not None:
            number, total = number + 1, total + first
        newer = self.last is None or reply.created_at > self.last.created_at
        return _Sum(
            plus(self.figures, of_usage(reply.usage)),
            (number, total),
            reply if newer else self.last,
        )

    @property
    def first_token(self) -> float | None:
        """Seconds to the first token, on average."""
        number, total = self.waits
        return total / number if number else None


class Replies:
    """The replies of all sessions that count, of every branch, read a session at a time."""

    def __init__(
        self, storage: Storage, reference: str | None, since: datetime | None, err: TextIO
    ) -> None:
        """``reference``: to the only session that counts; ``since``, in UTC: replies made
        before are left out."""
        self._storage = storage
        self._since = since
        self._err = err
        sessions = storage.sessions()
        self.sessions = sessions if reference is None else [resolve(reference, sessions)]
        self.unreadable = 0
        """Sessions that could not be read, which was reported."""

    def __iter__(self) -> Iterator[tuple[Session, Message]]:
        progress = ProgressLine(self._err)
        try:
            for number, session in enumerate(self.sessions, start=1):
                progress.at(f"Reading session {number:,} of {len(self.sessions):,} …")
                try:
                    messages = self._storage.tree(session.session_id)
                except StorageError as error:
                    self.unreadable += 1
                    progress.say(f"agno-shell: {error.sentence()}")
                    continue
                yield from ((session, each) for each in messages if self._counts(each))
        finally:
            progress.end()

    def _counts(self, message: Message) -> bool:
        return is_reply(message) and (self._since is None or message.created_at >= self._since)


# A summary --------------------------------------------------------------------------------


def summarise(replies: Replies, out: TextIO, *, as_json: bool) -> None:
    """In all, by session and by model: tables, or JSON."""
    everything = _Sum()
    by_session: dict[str, _Sum] = {}
    by_model: dict[str, _Sum] = {}
    counted: dict[object, str] = {}
    for session, reply in replies:
        by_session[session.session_id] = by_session.get(session.session_id, _Sum()).plus(reply)
        # A fork holds the same reply once more, under an id of its own; it was paid once.
        identity = (reply.created_at, reply.model, reply.usage, hash(reply.content))
        if counted.setdefault(identity, session.session_id) != session.session_id:
            continue
        everything = everything.plus(reply)
        model = reply.model or ""
        by_model[model] = by_model.get(model, _Sum()).plus(reply)
    sessions = [each for each in replies.sessions if each.session_id in by_session]
    if as_json:
        record = {
            "total": _record(everything),
            "sessions": [
                {
                    "session_id": each.session_id,
                    "name": each.name,
                    **_record(by_session[each.session_id]),
                }
                for each in sessions
            ],
            "models": [{"model": name or None, **_record(by_model[name])} for name in by_model],
        }
        write_json(record, out)
        return
    if not counted:
        out.write(f"There are no replies in {count(len(replies.sessions), 'session')}.\n")
        return
    width = terminal_width(out)
    lines = [
        f"In all: {figures_line(everything.figures)}, in {count(len(sessions), 'session')}",
        "",
        *table_lines(_SESSIONS, [_session_cells(each, by_session) for each in sessions], width),
        "",
        *table_lines(
            _MODELS,
            [(clean_line(name) or "unknown", *_cells(by_model[name])) for name in by_model],
            width,
        ),
    ]
    out.write("\n".join(lines) + "\n")


def _session_cells(session: Session, by_session: dict[str, _Sum]) -> Sequence[str]:
    summed = by_session[session.session_id]
    last = local_time(summed.last.created_at) if summed.last else ""
    return (session.session_id[:8], clean_line(session.name), *_cells(summed), last)


def _cells(summed: _Sum) -> Sequence[str]:
    figures = summed.figures
    first = summed.first_token
    return (
        f"{figures.replies:,}",
        "" if figures.input_tokens is None else f"{figures.input_tokens:,}",
        "" if figures.output_tokens is None else f"{figures.output_tokens:,}",
        "" if figures.cost is None else dollars(figures.cost),
        "" if first is None else seconds(first),
    )


def _record(summed: _Sum) -> dict[str, Any]:
    """The figures; ``first_token`` is the average, in seconds."""
    return {
        **summed.figures._asdict(),
        "first_token": summed.first_token,
        "last_reply": summed.last.created_at.isoformat() if summed.last else None,
    }


# An export --------------------------------------------------------------------------------


def export(replies: Replies, form: str, path: str | None, out: TextIO) -> None:
    """A row for each reply as ``json`` or ``csv``, to a new file at ``path`` if that is given."""
    rows = (_row(session, reply) for session, reply in replies)
    exported.write(_csv(rows) if form == "csv" else _json(rows), path, out)


def _row(session: Session, reply: Message) -> dict[str, Any]:
    usage, timing = reply.usage, reply.timing
    values = (
        session.session_id,
        session.name,
        reply.id,
        reply.created_at.isoformat(),
        reply.model,
        reply.status,
        *(usage or (None,) * 5),
        *(timing or (None,) * 2),
        tokens_per_second(reply),
    )
    return dict(zip(FIELDS, values, strict=True))


def _json(rows: Iterable[dict[str, Any]]) -> Iterator[str]:
    """One array, a row a line; ASCII alone, as everywhere."""
    before = "["
    for row in rows:
        yield f"{before}\n  {json.dumps(row)}"
        before = ","
    yield "[]\n" if before == "[" else "\n]\n"


def _csv(rows: Iterable[dict[str, Any]]) -> Iterator[str]:
    """With a heading. Foreign text is clean, and nothing that a spreadsheet would take for a
    formula."""
    import csv
    import io

    line = io.StringIO()
    writer = csv.writer(line, lineterminator="\n")
    writer.writerow(FIELDS)
    yield line.getvalue()
    for row in rows:
        line.seek(0)
        line.truncate()
        writer.writerow(_csv_cells(row))
        yield line.getvalue()


def _csv_cells(row: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(_safe(value) if isinstance(value, str) else value for value in row.values())


def _safe(text: str) -> str:
    cleaned = clean_line(text)
    return f"'{cleaned}" if cleaned.startswith(_FORMULA_SIGNS) else cleaned
