"""Start the installed program in a terminal on a fresh home, say something, leave."""

from __future__ import annotations

import re
import sys
import time

import pexpect


def main(program: str, folder: str) -> None:
    environment = {
        "HOME": folder,
        "AGNO_SHELL_HOME": f"{folder}/agno-shell",
        "PATH": "/usr/bin:/bin",
        "TERM": "xterm-256color",
        "LANG": "C.UTF-8",
    }
    shell = pexpect.spawn(
        program, env=environment, cwd=folder, encoding="utf-8", dimensions=(30, 100), timeout=30
    )
    shell.delaybeforesend = None
    began = time.monotonic()
    shell.expect("› ")
    print(f"prompt after {time.monotonic() - began:.2f} s")
    shell.expect("No model is set up")
    shell.send("hello from the smoke run\r")
    shell.expect("offline provider, not a model")
    shell.send("\x04")
    shell.expect(pexpect.EOF)
    shell.close()
    if shell.exitstatus != 0:
        sys.exit(f"the shell ended with status {shell.exitstatus}")
    listed = pexpect.run(f"{program} session --list", env=environment, encoding="utf-8")
    if " 2  " not in listed:
        sys.exit(f"the session is not listed with its two messages:\n{listed}")
    for command, expected in (
        ("search 'smoke run'", "hello from the smoke run"),
        ("doctor", "1 session with 2 messages: all is well."),
    ):
        said = pexpect.run(f"{program} {command}", env=environment, encoding="utf-8")
        if expected not in re.sub(r"\x1b\[[\d;]*m", "", said):
            sys.exit(f"agno-shell {command} does not say {expected!r}:\n{said}")
    print("smoke run: passed")


if __name__ == "__main__":
    main(*sys.argv[1:])
