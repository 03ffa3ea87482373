"""What is said first, and what a forked process makes of it."""

from __future__ import annotations

import sys
import urllib.request

import pytest

from agno_shell.builtin.litellm_provider.protocol import decode, encode
from agno_shell.builtin.litellm_provider.warm import forked, greeting


def test_every_variable_arrives_as_it_is() -> None:
    environ = {"PLAIN": "x", "ODD": "\udcff\n\0", "EMPTY": ""}
    hello = decode(encode(greeting.serve(environ, 0o022)))
    assert hello == {"do": "serve", "environment": environ, "umask": 0o022} | {
        name: hello[name] for name in hello if name == "system_proxies"
    }


def test_on_macos_the_shell_asks_for_the_proxies_of_the_computer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    proxies, details = {"http": "http://proxy:3128"}, {"exclude_simple": True}
    monkeypatch.setattr(urllib.request, "_get_proxies", lambda: proxies, raising=False)
    monkeypatch.setattr(urllib.request, "_get_proxy_settings", lambda: details, raising=False)
    hello = decode(encode(greeting.serve({}, 0)))
    for name in ("_get_proxies", "_get_proxy_settings"):
        monkeypatch.setattr(urllib.request, name, lambda: pytest.fail("it was forked"))
    forked._take_over_proxies(hello)
    assert urllib.request._get_proxies() == proxies
    assert urllib.request._get_proxy_settings() == details
