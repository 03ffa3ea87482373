"""Start the installed program in a terminal on a fresh home, say something, leave."""

from __future__ import annotations

import os
import re
import sys
import time

import pexpect


def main(command: str, clone: str, folder: str) -> None:
    environment = {
        **{name: value for name, value in os.environ.items() if name.startswith(("PIP_", "SSL_"))},
        "PIP_PROGRESS_BAR": "off",
        "HOME": folder,
        "AGNO_SHELL_HOME": f"{folder}/agno-shell",
        "PATH": os.environ["PATH"],
        "TERM": "xterm-256color",
        "LANG": "C.UTF-8",
    }
    began = time.monotonic()
    # The command as a person types it, which ends in the shell.
    shell = pexpect.spawn(
        "/bin/bash",
        ["-c", command],
        env=environment,
        cwd=clone,
        encoding="utf-8",
        dimensions=(30, 100),
        timeout=900,
    )
    shell.delaybeforesend = None
    shell.expect("› ")
    print(f"installed, and a prompt, after {time.monotonic() - began:.0f} s")
    shell.timeout = 30
    program = f"{clone}/.venv/bin/agno-shell"
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
