"""The servers in ``[plugins.mcp.servers.NAME]``, checked key by key."""

from __future__ import annotations

import ipaddress
import os
import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from agno_shell import ConfigError
from agno_shell.types import NOTHING

_NAME = re.compile(r"[A-Za-z0-9_-]{1,32}")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")

_PROGRAM_KEYS = ("command", "args", "env", "env_from", "cwd", "message_bytes")
_ADDRESS_KEYS = ("url", "headers_env", "message_bytes")

MESSAGE_BYTES = 4_000_000
"""More than this in one message is most often a mistake, or an attack."""

_LEAST_BYTES = 10_000


class Program(NamedTuple):
    """A server that is started here and uses its input and output."""

    command: str
    args: Sequence[str] = ()
    env: Mapping[str, str] = NOTHING
    """What it gets beside the few variables that every program needs; secrets included."""
    cwd: str = os.sep
    """Not the folder in which the shell happens to run: files that lie there must not
    decide what is run."""

    def __repr__(self) -> str:
        return f"Program({self.command!r})"  # the rest may hold a secret


class Address(NamedTuple):
    """A server that is asked over HTTP."""

    url: str
    headers: Mapping[str, str] = NOTHING
    """With their values, which may be secrets."""

    def __repr__(self) -> str:
        return f"Address({self.url!r})"


class Server(NamedTuple):
    name: str
    where: Program | Address
    message_bytes: int = MESSAGE_BYTES
    """What one message of it may have."""


def to_record(server: Server) -> dict[str, Any]:
    """For the process of the servers, as JSON knows it."""
    return {**server._asdict(), "where": server.where._asdict(), "kind": _kind(server.where)}


def from_record(record: Mapping[str, Any]) -> Server:
    """What :func:`to_record` has made."""
    make = Program if record["kind"] == "program" else Address
    return Server(record["name"], make(**record["where"]), record["message_bytes"])


def _kind(where: Program | Address) -> str:
    return "program" if isinstance(where, Program) else "address"


def read_servers(
    settings: Mapping[str, Any], environ: Mapping[str, str]
) -> tuple[Sequence[Server], Sequence[str]]:
    """The servers that are set up, and what is wrong with the others: a sentence each."""
    wrong = [
        f"[plugins.mcp] has no setting {key!r}; servers stand in [plugins.mcp.servers.NAME]."
        for key in settings
        if key != "servers"
    ]
    tables = settings.get("servers", {})
    if not isinstance(tables, Mapping):
        return (), [*wrong, "[plugins.mcp] servers must be tables [plugins.mcp.servers.NAME]."]
    if not tables and not wrong:
        wrong = ["No MCP servers are set up; [plugins.mcp.servers.NAME] in the config adds one."]
    servers = []
    for name, table in tables.items():
        try:
            servers.append(read_server(name, table, environ))
        except ConfigError as error:
            wrong.append(error.sentence())
    return servers, wrong


def read_server(name: str, table: Any, environ: Mapping[str, str]) -> Server:
    """One server; ``ConfigError`` names the table and the key."""
    place = f"[plugins.mcp.servers.{name}]"
    if not _NAME.fullmatch(name):
        raise ConfigError(
            f"{place}: a server's name has at most 32 letters, digits, hyphens and underscores."
        )
    if not isinstance(table, Mapping):
        raise ConfigError(f"{place} must be a table.")
    if ("command" in table) == ("url" in table):
        raise ConfigError(f"{place} needs either command or url.")
    known = _PROGRAM_KEYS if "command" in table else _ADDRESS_KEYS
    if unknown := [key for key in table if key not in known]:
        raise ConfigError(
            f"{place} has no setting {unknown[0]!r}.", hint=f"It takes {', '.join(known)}."
        )
    read = _Table(place, table, environ)
    where = _program(read) if "command" in table else _address(read)
    return Server(name, where, read.number("message_bytes", MESSAGE_BYTES, _LEAST_BYTES))


def _program(table: _Table) -> Program:
    command = os.path.expanduser(table.text("command"))
    if not command:
        raise table.wrong("command", "is empty")
    # A path from here would mean another program in every folder.
    if os.path.basename(command) != command and not os.path.isabs(command):
        raise table.wrong("command", "must be a name that is found in PATH, or a whole path")
    cwd = os.path.expanduser(table.text("cwd", os.sep))
    if not os.path.isabs(cwd):
        raise table.wrong("cwd", "must be a whole path")
    handed_on = {name: table.variable("env_from", name) for name in table.texts("env_from")}
    return Program(command, table.texts("args"), {**table.table("env"), **handed_on}, cwd)


def _address(table: _Table) -> Address:
    url = table.text("url").strip()
    try:
        parts = urlsplit(url)
        host, scheme, _port = parts.hostname or "", parts.scheme, parts.port
    except ValueError:
        host, scheme = "", ""
    if scheme not in ("http", "https") or not host:
        raise table.wrong("url", "must look like https://example.org/mcp")
    if parts.username is not None:
        raise table.wrong("url", "must not hold a user name; headers_env names a variable")
    headers = {}
    for header, variable in table.table("headers_env").items():
        if not _HEADER.fullmatch(header):
            raise table.wrong("headers_env", f"has {header!r}, which is no header's name")
        headers[header] = _header(header, table.variable("headers_env", variable))
        if not (headers[header].isascii() and headers[header].isprintable()):
            raise table.wrong("headers_env", f"names {variable}, which no header can hold")
    if headers and scheme != "https" and not is_loopback(host):
        raise table.wrong("url", "must begin with https, because a key is sent there")
    return Address(url, headers)


def _header(header: str, value: str) -> str:
    """A bare token is sent as the bearer token that nearly every server wants."""
    bare = header.lower() == "authorization" and " " not in value
    return f"Bearer {value}" if bare else value


def is_loopback(host: str) -> bool:
    """Whether a connection to ``host`` stays on this machine."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class _Table:
    """The keys of one server's table, each in the type that it must have."""

    def __init__(self, place: str, table: Mapping[str, Any], environ: Mapping[str, str]) -> None:
        self._place = place
        self._table = table
        self._environ = environ

    def wrong(self, key: str, what: str) -> ConfigError:
        return ConfigError(f"{self._place} {key} {what}.")

    def text(self, key: str, default: str = "") -> str:
        value = self._table.get(key, default)
        if not isinstance(value, str) or "\0" in value:
            raise self.wrong(key, "must be text in quotes")
        return value

    def number(self, key: str, default: int, least: int) -> int:
        value = self._table.get(key, default)
        if not isinstance(value, int) or isinstance(value, bool) or value < least:
            raise self.wrong(key, f"must be a whole number of at least {least:,}")
        return value

    def texts(self, key: str) -> Sequence[str]:
        value = self._table.get(key, ())
        if not isinstance(value, list | tuple) or not all(map(_is_text, value)):
            raise self.wrong(key, 'must be a list, as in ["a", "b"]')
        return tuple(value)

    def table(self, key: str) -> Mapping[str, str]:
        value = self._table.get(key, {})
        if not isinstance(value, Mapping) or not all(map(_is_text, value.values())):
            raise self.wrong(key, 'must be a table of text, as in { NAME = "value" }')
        if key == "env" and (bad := [name for name in value if not _VARIABLE.fullmatch(name)]):
            raise self.wrong(key, f"has {bad[0]!r}, which is no variable's name")
        return dict(value)

    def variable(self, key: str, name: str) -> str:
        """The value of an environment variable, which no message ever shows."""
        if not _VARIABLE.fullmatch(name):
            raise self.wrong(key, "must name environment variables, and not hold their values")
        value = self._environ.get(name, "").strip()
        if not value:
            raise self.wrong(key, f"names {name}, which is not set")
        return value


def _is_text(value: object) -> bool:
    return isinstance(value, str) and "\0" not in value
