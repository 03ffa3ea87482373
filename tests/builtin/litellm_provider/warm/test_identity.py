"""Which server fits, and what it is started with."""

from __future__ import annotations

import os
import sys

import pytest

from agno_shell.builtin.litellm_provider.warm import identity as module
from agno_shell.builtin.litellm_provider.warm.identity import identity
from agno_shell.builtin.litellm_provider.warm.surroundings import scrubbed

ENVIRON = {
    "HOME": "/home/someone",
    "LANG": "C.UTF-8",
    "LC_CTYPE": "C",
    "PYTHONPATH": "/code",
    "SSL_CERT_FILE": "/ca.pem",
    "LITELLM_LOG": "ERROR",
}


def test_the_same_is_the_same() -> None:
    assert identity(ENVIRON, 60) == identity(dict(reversed(ENVIRON.items())), 60.0)
    assert len(identity(ENVIRON, 60)) == 16


@pytest.mark.parametrize("name", ENVIRON)
def test_other_surroundings_are_another_server(name: str) -> None:
    assert identity({**ENVIRON, name: "other"}, 60) != identity(ENVIRON, 60)


def test_another_time_to_keep_is_another_server() -> None:
    assert identity(ENVIRON, 60) != identity(ENVIRON, 61)


@pytest.mark.parametrize(
    ("owner", "name"), [(sys, "executable"), (sys, "prefix"), (sys, "version")]
)
def test_another_interpreter_is_another_server(
    owner: object, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = identity(ENVIRON, 60)
    monkeypatch.setattr(owner, name, "other")
    assert identity(ENVIRON, 60) != before


@pytest.mark.parametrize("name", ["_installed", "_changed"])
def test_other_code_is_another_server(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    before = identity(ENVIRON, 60)
    monkeypatch.setattr(module, name, lambda: [("litellm", 1)])
    assert identity(ENVIRON, 60) != before


def test_what_is_installed_is_known_by_its_description() -> None:
    path, changed = module._installed()
    assert os.path.isdir(path)
    assert changed > 0
    assert {"process.py", "server.py", "redact.py"} <= {name for name, _ in module._changed()}


def test_nothing_secret_and_nothing_needless_goes_along() -> None:
    secrets = {
        "OPENAI_API_KEY": "sk-fake-0000-canary",
        "AWS_SECRET_ACCESS_KEY": "fake-0000-canary",
        "HTTPS_PROXY": "http://someone:fake-0000@proxy:3128",
        "PYTHON_KEYRING_TOKEN": "fake-0000-canary",
        "LITELLM_MASTER_KEY": "sk-fake-0000",
    }
    needless = {"PATH": "/bin", "TERM": "xterm", "SSH_AUTH_SOCK": "/x", "OPENAI_BASE_URL": "x"}
    assert scrubbed({**ENVIRON, **secrets, **needless}) == ENVIRON
