from __future__ import annotations

import os

import pytest
from agno_shell_mcp.settings import Address, Program, Server, is_loopback, read_server, read_servers

from agno_shell import ConfigError

ENVIRON = {"TOKEN": "token-fake-1111", "FULL": "Basic Zm9v", "LINES": "a\nb"}


def test_a_program():
    table = {
        "command": "uvx",
        "args": ["mcp-server-git"],
        "env": {"COLOUR": "blue"},
        "env_from": ["TOKEN"],
        "cwd": "~/code",
    }
    server = read_server("git", table, ENVIRON)
    assert server == Server(
        "git",
        Program(
            "uvx",
            ("mcp-server-git",),
            {"COLOUR": "blue", "TOKEN": "token-fake-1111"},
            os.path.expanduser("~/code"),
        ),
    )
    assert "token" not in repr(server)


def test_a_program_runs_where_nobody_plants_files():
    assert read_server("a", {"command": "a"}, {}).where == Program("a", (), {}, os.sep)


def test_an_address():
    table = {
        "url": "https://example.org/mcp",
        "headers_env": {"Authorization": "TOKEN", "authorization": "FULL", "X-Key": "TOKEN"},
    }
    server = read_server("a", table, ENVIRON)
    assert server.where == Address(
        "https://example.org/mcp",
        {
            "Authorization": "Bearer token-fake-1111",
            "authorization": "Basic Zm9v",
            "X-Key": "token-fake-1111",
        },
    )
    assert "fake" not in repr(server)


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ({}, "needs either command or url"),
        ({"command": "a", "url": "https://a.org"}, "needs either command or url"),
        ({"command": "a", "headers_env": {}}, "has no setting 'headers_env'. It takes command"),
        ({"url": "https://a.org", "args": []}, "has no setting 'args'. It takes url, headers_env"),
        ("text", "must be a table"),
        ({"command": ""}, "command is empty"),
        ({"command": ["a"]}, "command must be text"),
        ({"command": "a\0b"}, "command must be text"),
        ({"command": "./a"}, "command must be a name that is found in PATH, or a whole path"),
        ({"command": "bin/a"}, "command must be a name"),
        ({"command": "a", "args": "b"}, "args must be a list"),
        ({"command": "a", "args": [1]}, "args must be a list"),
        ({"command": "a", "cwd": "here"}, "cwd must be a whole path"),
        ({"command": "a", "env": ["A"]}, "env must be a table"),
        ({"command": "a", "env": {"A": 1}}, "env must be a table"),
        ({"command": "a", "env": {"A=B": "1"}}, "env has 'A=B', which is no variable's name"),
        ({"command": "a", "env_from": ["GONE"]}, "env_from names GONE, which is not set"),
        ({"command": "a", "env_from": ["sk-fake-0000"]}, "must name environment variables"),
        ({"url": "ftp://a.org"}, "url must look like"),
        ({"url": "https://"}, "url must look like"),
        ({"url": "https://a.org:port"}, "url must look like"),
        ({"url": "https://me:pw@a.org"}, "must not hold a user name"),
        ({"url": "http://a.org", "headers_env": {"X": "TOKEN"}}, "must begin with https"),
        ({"url": "https://a.org", "headers_env": {"X": "GONE"}}, "names GONE, which is not set"),
        ({"url": "https://a.org", "headers_env": {"X": "LINES"}}, "which no header can hold"),
        ({"url": "https://a.org", "headers_env": {"X:": "TOKEN"}}, "which is no header's name"),
        (
            {"url": "https://a.org", "headers_env": {"X": "Bearer sk-fake-0000"}},
            "must name environment variables, and not hold their values",
        ),
    ],
)
def test_what_is_wrong_is_named(table, words):
    with pytest.raises(ConfigError) as raised:
        read_server("a", table, ENVIRON)
    sentence = raised.value.sentence()
    assert sentence.startswith("[plugins.mcp.servers.a] ")
    assert words in sentence
    assert "fake" not in sentence


def test_a_key_may_go_over_http_on_this_machine():
    table = {"url": "http://127.0.0.1:8000/mcp", "headers_env": {"X": "TOKEN"}}
    assert read_server("a", table, ENVIRON).where.headers == {"X": "token-fake-1111"}
    assert read_server("a", {"url": "http://a.org/mcp"}, {}).where == Address("http://a.org/mcp")


@pytest.mark.parametrize("name", ["", "a b", "größe", "a" * 33, "a.b"])
def test_names_that_no_tool_could_carry(name):
    with pytest.raises(ConfigError, match="a server's name"):
        read_server(name, {"command": "a"}, {})


def test_a_wrong_server_does_not_cost_the_others():
    tables = {"a": {"command": "a"}, "b": {"command": "./b"}, "c": {"command": "c"}}
    servers, wrong = read_servers({"servers": tables}, {})
    assert [server.name for server in servers] == ["a", "c"]
    [sentence] = wrong
    assert "[plugins.mcp.servers.b] command" in sentence


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({}, "No MCP servers are set up"),
        ({"server": {}}, "[plugins.mcp] has no setting 'server'"),
        ({"servers": []}, "must be tables"),
    ],
)
def test_settings_without_a_server(settings, words):
    servers, wrong = read_servers(settings, {})
    assert list(servers) == []
    assert words in wrong[0]


@pytest.mark.parametrize(
    ("host", "yes"),
    [
        ("localhost", True),
        ("a.localhost", True),
        ("127.0.0.2", True),
        ("::1", True),
        ("10.0.0.1", False),
        ("localhost.example.org", False),
        ("127.0.0.1.example.org", False),
    ],
)
def test_loopback(host, yes):
    assert is_loopback(host) is yes
