"""What can be wrong in what belongs to a session beside its messages."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from collections.abc import Set as AbstractSet

from agno_shell.builtin.json_storage import attachments, disk, memory_file
from agno_shell.builtin.json_storage.check import leftovers
from agno_shell.builtin.json_storage.check.issue import Issue
from agno_shell.builtin.json_storage.folder import ATTACHMENTS, MEMORY
from agno_shell.toolkit.wording import count

_ATTACH_AGAIN = "Attaching the same file again brings it back; the messages are whole."


def memory(path: str) -> list[Issue]:
    """Look at the ``memory.json`` of the session in the folder ``path``. Raises ``OSError``."""
    target = f"{path}/{MEMORY}"
    found = memory_file.load(path)
    if found.form != "damaged":
        return []

    def mend() -> str:
        told: list[str] = []
        memory_file.change(path, lambda memories: memories, told.append)
        return f"It was rewritten. {' '.join(told)}".strip()

    problem = f"It is damaged; {memory_file.known(found)} can be read."
    return [Issue(target, problem, "A repair rewrites it and keeps this one.", mend)]


def contents(
    path: str, found: Mapping[str, os.stat_result], named: AbstractSet[str]
) -> list[Issue]:
    """Look at every content in the session's folder ``path``; ``found`` is what is in its
    folder of attachments, ``named`` what the messages name. Raises ``OSError``."""
    place = f"{path}/{ATTACHMENTS}"
    issues = []
    for name, status in found.items():
        target = leftovers.target_of(name)
        if not is_ours(name):
            continue
        if not stat.S_ISREG(status.st_mode):
            issues.append(
                Issue(f"{place}/{name}", "It is not a file.", "Move it away; it is not read.")
            )
        elif target is not None:
            issues.append(_temporary(f"{place}/{name}", f"{place}/{target}"))
        elif (wrong := _content(place, name)) is not None:
            issues.append(wrong)
    missing = sorted(named - found.keys())
    if missing:
        some = ", ".join(missing[:3]) + (", …" if len(missing) > 3 else "")
        problem = f"{count(len(missing), 'attached file')} that messages name cannot be found: "
        issues.append(Issue(place, f"{problem}{some}.", _ATTACH_AGAIN))
    return issues


def is_ours(name: str) -> bool:
    """Whether a file of this name belongs into a folder of attachments."""
    return attachments.is_digest(leftovers.target_of(name) or name)


def _content(place: str, name: str) -> Issue | None:
    try:
        data = disk.read(f"{place}/{name}")
    except FileNotFoundError:
        return None  # a session that is just being deleted
    if attachments.digest_of(data) == name:
        return None
    return Issue(
        f"{place}/{name}",
        "It is not what it was when it was attached.",
        f"A repair puts it aside. {_ATTACH_AGAIN}",
        lambda: f"It is kept as {os.path.basename(attachments.put_aside(f'{place}/{name}'))}.",
    )


def _temporary(path: str, target: str) -> Issue:
    return Issue(
        path,
        "It was left by a program that was ended while it kept an attached file.",
        "A repair puts it in its place if it is whole, removes it if it is there already, and"
        " else keeps it under another name.",
        lambda: _finish(path, target),
    )


def _finish(path: str, target: str) -> str:
    left = disk.read(path)
    if disk.status(target) is None and attachments.digest_of(left) == os.path.basename(target):
        disk.replace(target, left)
        disk.remove(path)
        return "It was whole, and is in its place now."
    says_nothing = not left.strip(b"\0")
    return leftovers.put_away(
        path, target, lambda present: says_nothing or present.startswith(left)
    )
