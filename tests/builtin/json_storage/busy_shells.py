"""Run by path: starts shells that work on one store without a pause, until they are killed.

Commands come as lines of JSON on standard input. ``{"role": …, "root": …, "session": …,
"log": …, "seed": …}`` starts one and answers with its process id; a number waits for the
end of that process. A shell writes a line to its log before and after everything it does,
with one ``write`` each, so that what is there after its death is what it was told.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
from typing import Any

from agno_shell.builtin.json_storage import locks, message_reader, rescue, running_reply, trash
from agno_shell.builtin.json_storage.store import open_storage
from agno_shell.contracts import Storage, StorageOptions
from agno_shell.errors import StorageError
from agno_shell.types import Message, new_id, now

LOADED = (locks, message_reader, rescue, running_reply, trash)
"""Imported once, before anything is forked."""


class Shell:
    def __init__(self, order: dict[str, Any]) -> None:
        self.log_fd = os.open(order["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self.session_id: str = order["session"]
        self.chance = random.Random(order["seed"])
        self.store: Storage = open_storage(StorageOptions(order["root"]))
        self.is_leaving = False

    def log(self, *fields: object) -> None:
        os.write(self.log_fd, json.dumps(fields).encode() + b"\n")

    def text(self, longest: int = 6000) -> str:
        return "".join(self.chance.choices('aé你🙂\n"]},', k=self.chance.randrange(longest)))

    def append(self) -> None:
        last = self.store.messages(self.session_id, last=1)
        new = Message(new_id(), "user", self.text(), now(), last[-1].id if last else None)
        self.log("saving", self.session_id, new.id, new.content)
        self.store.append(self.session_id, new)
        self.log("saved", self.session_id, new.id)

    def stream(self) -> None:
        last = self.store.messages(self.session_id, last=1)
        reply = Message(new_id(), "assistant", "", now(), last[-1].id if last else None)
        for _ in range(6):
            reply = reply._replace(content=reply.content + self.text(400))
            self.log("showing", self.session_id, reply.id, reply.content)
            self.store.save_partial(self.session_id, reply)
            self.log("shown", self.session_id, reply.id, len(reply.content))
        self.log("saving", self.session_id, reply.id, reply.content)
        self.store.append(self.session_id, reply)
        self.log("saved", self.session_id, reply.id)

    def update(self) -> None:
        name = f"name {self.chance.random()}"[: self.chance.randrange(8, 20)]
        self.log("naming", self.session_id, name)
        self.store.update(self.session_id, name=name)
        self.log("named", self.session_id, name)

    def delete(self) -> None:
        trashed = [
            each.trash_id
            for each in self.store.trash()
            if each.session.session_id == self.session_id
        ]
        if trashed:
            self.store.restore(trashed[0])
        self.append()
        self.store.delete(self.session_id)

    def create(self) -> None:
        session_id = self.store.create("made").session_id
        self.log("made", session_id)


def work(order: dict[str, Any]) -> None:
    shell = Shell(order)

    def leave(_number: int, _frame: object) -> None:
        # Where it comes while an object is being freed, the interpreter drops what is raised.
        shell.is_leaving = True
        sys.exit(3)

    # As a terminal that is closed, or Ctrl-C, ends a program that cleans up behind itself.
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        signal.signal(number, leave)
    while not shell.is_leaving:
        try:
            getattr(shell, order["role"])()
        except StorageError as error:
            shell.log("refused", str(error))


def main() -> None:
    # Python forgets a signal that it has seen, and not yet acted on, when a process is forked:
    # one that comes first of all must end that process by itself.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    for line in sys.stdin:
        order = json.loads(line)
        if isinstance(order, int):
            answer = os.waitpid(order, 0)[1]
        else:
            answer = os.fork()
            if answer == 0:
                try:
                    work(order)
                finally:
                    os._exit(1)
        print(answer, flush=True)


if __name__ == "__main__":
    main()
