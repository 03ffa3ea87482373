"""What a migration has done, in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from agno_shell.cli.commands.migrate.order import MigrationOptions
from agno_shell.config import settings
from agno_shell.toolkit.terminal_text import clean, clean_line
from agno_shell.toolkit.wording import count


class SessionSize(NamedTuple):
    """How much belongs to a session."""

    messages: int
    characters: int
    memories: int = 0
    files: int = 0


@dataclass
class Tally:
    """Sessions, deleted ones among them, unless it says something else."""

    total: int = 0
    """In the source."""
    copied: int = 0
    deleted: int = 0
    """Those of the copied ones that are in the trash."""
    messages: int = 0
    characters: int = 0
    memories: int = 0
    files: int = 0
    replies: int = 0
    """Replies that had not come to an end, in the copied ones."""
    same: int = 0
    """There before this run."""
    updated: int = 0
    """There before this run in an earlier state."""
    conflicts: int = 0
    grown: int = 0
    """Changed in the source during the copy."""
    troubles: int = 0
    """Lines about what is not copied, or not the same."""

    def add(self, weight: SessionSize, *, deleted: bool, replies: int) -> None:
        """One session was copied."""
        self.copied += 1
        self.deleted += deleted
        self.messages += weight.messages
        self.characters += weight.characters
        self.memories += weight.memories
        self.files += weight.files
        self.replies += replies


def labels(order: MigrationOptions) -> tuple[str, str]:
    """What source and target are called: by their names, or by their places where both
    have the same name."""
    if order.source != order.target:
        return clean_line(order.source, 100), clean_line(order.target, 100)
    paths = (order.source_path, order.target_path)
    here, there = (clean_line(path, 400) if path else "the configured place" for path in paths)
    return here, there


def summary(tally: Tally, order: MigrationOptions) -> str:
    """What was done, whether all is the same now, and what to do next."""
    here, there = labels(order)
    if tally.total == 0:
        return f"There is nothing to copy: {here} holds no session.\n"
    done = _would_be_done if order.dry_run else _done
    lines = [*done(tally, here, there), *_next_steps(tally, here, there, order)]
    return clean("\n".join([*lines, ""]))


def _done(tally: Tally, here: str, there: str) -> list[str]:
    lines = [f"{count(tally.copied, 'session')} copied from {here} to {there}{_amount(tally)}."]
    if tally.updated:
        lines.append(
            f"{count(tally.updated, 'session')} brought up to date; the older copy is in the "
            f"trash of {there}."
        )
    if tally.same:
        lines.append(f"{count(tally.same, 'session')} there already, and the same.")
    if tally.replies:
        lines.append(
            f"{_replies(tally)} not come to an end: copied as far as it came, marked interrupted."
        )
    if not tally.troubles:
        lines.append("Both were read again and compared: everything is the same.")
    return lines


def _would_be_done(tally: Tally, here: str, there: str) -> list[str]:
    lines = [
        f"{count(tally.copied, 'session')} would be copied from {here} to {there}{_amount(tally)}."
    ]
    if tally.updated:
        lines.append(
            f"{count(tally.updated, 'session')} would be brought up to date; the older copy would "
            f"go to the trash of {there}."
        )
    if tally.same:
        lines.append(f"{count(tally.same, 'session')} there already, and the same.")
    if tally.replies:
        lines.append(f"{_replies(tally)} not come to an end and would be marked interrupted.")
    return [*lines, "Nothing was written."]


def _amount(tally: Tally) -> str:
    """`` (12 messages, 3,456 characters, 1 attached file; 2 in the trash)``; empty when
    nothing was copied."""
    if not tally.copied:
        return ""
    trash = f"; {tally.deleted:,} in the trash" if tally.deleted else ""
    amount = f"{count(tally.messages, 'message')}, {count(tally.characters, 'character')}"
    if tally.memories:
        amount += f", {count(tally.memories, 'thing')} to remember"
    if tally.files:
        amount += f", {count(tally.files, 'attached file')}"
    return f" ({amount}{trash})"


def _replies(tally: Tally) -> str:
    return f"{count(tally.replies, 'reply')} had"


def _next_steps(tally: Tally, here: str, there: str, order: MigrationOptions) -> list[str]:
    lines = []
    if tally.troubles:
        lines.append(
            f"Not everything {'can be' if order.dry_run else 'was'} copied: "
            f"{count(tally.troubles, 'line')} above say{'s' if tally.troubles == 1 else ''} what "
            f"and why. Nothing was changed in {here}."
        )
    if tally.conflicts:
        lines.append(
            f"What is another in {there} is never overwritten: delete it there ("
            f"{_delete_command(order)}), which moves it to the trash, or choose a new place "
            "with --to-path; then run this again."
        )
    if tally.grown:
        lines.append("Leave the other shells, then run it again: only what is new is copied.")
    if not tally.troubles and not order.dry_run:
        lines += ["", *_configuration(there, order)]
    return lines


def _delete_command(order: MigrationOptions) -> str:
    """What deletes a session of the target, whatever the configuration says."""
    import shlex

    chosen = [(settings.STORAGE_PLUGIN, order.target)]
    if order.target_path is not None:
        chosen.append((settings.STORAGE_PATH, order.target_path))
    words = " ".join(f"{setting.variable}={shlex.quote(value)}" for setting, value in chosen)
    return f"{words} agno-shell session --delete ID"


def _configuration(there: str, order: MigrationOptions) -> list[str]:
    import tomli_w

    table = {"plugin": order.target}
    if order.target_path is not None:
        table["path"] = order.target_path
    return [
        f"To use {there}, put this into the configuration; agno-shell config --path says where "
        "that is:",
        "",
        tomli_w.dumps({"storage": table}).rstrip("\n"),
    ]
