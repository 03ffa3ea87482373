"""Who may read and write what is in a store: its owner and nobody else."""

from __future__ import annotations

import os
import shlex
import stat
import sys
from collections.abc import Iterator

from agno_shell.builtin.json_storage import disk
from agno_shell.builtin.json_storage.problems import reason
from agno_shell.types import Finding


class _Kind:
    """One way in which rights are wrong, and where that was seen."""

    def __init__(self, problem: str) -> None:
        self.problem = problem
        self.wrong: list[str] = []
        self.mended: list[str] = []
        self.failure = ""


class Rights:
    """Looks at the rights of one path after the other and sets them where that is wanted.

    A store that was copied by another program has the same wrong rights a thousand times;
    that is one finding.
    """

    def __init__(self, root: str, *, repair: bool, noted: bool) -> None:
        """``noted``: another program made the store, and its folders as others may read
        them; that is reported and left as it is."""
        self._root = root
        self._repair = repair
        self._noted = noted
        self._open = _Kind("Others may read or change {what}.")
        self._shut = _Kind("You may not read and write {what}.")
        self._foreign = _Kind("Another user owns {what}.")

    def see(self, path: str, status: os.stat_result) -> None:
        """Look at a file or folder, before anything in it is read."""
        if sys.platform == "win32":
            return  # the modes there say nothing of who may read
        if stat.S_ISDIR(status.st_mode):
            wanted = disk.FOLDER_MODE
        elif stat.S_ISREG(status.st_mode):
            wanted = disk.FILE_MODE
        else:
            return
        if os.geteuid() != status.st_uid:
            self._foreign.wrong.append(path)
            return
        mode = status.st_mode & 0o777
        if mode == wanted:
            return
        kind = self._shut if mode & wanted != wanted else self._open
        if self._repair and not self._is_noted(kind):
            _mend(kind, path, wanted)
        else:
            kind.wrong.append(path)

    def _is_noted(self, kind: _Kind) -> bool:
        return self._noted and kind is self._open

    def findings(self) -> Iterator[Finding]:
        """One finding for each way in which rights are wrong."""
        for kind in (self._open, self._shut, self._foreign):
            if kind.mended:
                yield self._told(kind, kind.mended, "The rights were set.", healed=True)
            if kind.wrong:
                why = f"They could not be set: {kind.failure}. " if kind.failure else ""
                target = kind.wrong[0] if len(kind.wrong) == 1 else self._root
                if kind is self._foreign and os.geteuid() == 0:
                    advice = "Mend it as that user: what root writes here, nobody else can read."
                    yield self._told(kind, kind.wrong, advice, healed=False)
                    continue
                command = (
                    f'sudo chown -R "$(id -u)" {shlex.quote(target)}'
                    if kind is self._foreign
                    else f"chmod -R u=rwX,go= {shlex.quote(target)}"
                )
                advice = f"{why}Set them with: {command}"
                told = self._told(kind, kind.wrong, advice, healed=False)
                is_noted = self._is_noted(kind)
                mends = not (is_noted or self._repair or kind is self._foreign)
                yield told._replace(note=is_noted, repairable=mends)

    def _told(self, kind: _Kind, paths: list[str], advice: str, *, healed: bool) -> Finding:
        if len(paths) == 1:
            return Finding(paths[0], kind.problem.format(what="it"), advice, healed)
        # Not by format(): a path may hold braces.
        what = f"{len(paths):,} files and folders in it, such as {paths[0]}"
        return Finding(self._root, kind.problem.replace("{what}", what), advice, healed)


def _mend(kind: _Kind, path: str, wanted: int) -> None:
    failure = ""
    try:
        disk.restrict(path, wanted)
        after = disk.status(path)
    except FileNotFoundError:
        return  # another shell has just removed it
    except OSError as error:
        failure = reason(error)
    else:
        if after is not None and after.st_mode & 0o777 != wanted:
            failure = "this disk keeps no rights"
    if failure:
        kind.failure = failure
        kind.wrong.append(path)
    else:
        kind.mended.append(path)
