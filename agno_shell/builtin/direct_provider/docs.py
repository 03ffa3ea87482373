"""Makes the tables of ``docs/providers.md`` and ``docs/network.md`` from the records of services
and protocols.

``python -m agno_shell.builtin.direct_provider.docs`` writes them into the pages; with ``--check``
it writes nothing and reports, by exit code 1, that a page has others.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from agno_shell.builtin.direct_provider.writing import WIRES
from agno_shell.builtin.model_services.destination import Destination
from agno_shell.builtin.model_services.keys import WITH_MODELS
from agno_shell.builtin.model_services.services import SERVICES, Service
from agno_shell.builtin.model_services.target import Target
from agno_shell.builtin.model_services.wires import openai_responses
from agno_shell.builtin.model_services.wires.wire import ChatRequest

FOLDER = Path(__file__).parents[3] / "docs"

_ALSO = {"openai": "`gpt-…`, `o3`, …", "anthropic": "`claude-…`", "ollama_chat": "`ollama/…`"}
"""Other names by which models of a service are known."""

_SHOWN = tuple(service for service in SERVICES if service.prefix != "ollama")
"""Ollama has two prefixes, and one row."""


def _models(service: Service) -> str:
    also = _ALSO.get(service.prefix)
    return f"`{service.prefix}/…`" + (f", {also}" if also else "")


def services() -> str:
    """By which protocol each service is asked, where, and with which key."""
    rows = [
        (
            _models(service),
            _protocol(service),
            f"`{service.url}`" if service.url else f"in `{service.address_variables[1]}`",
            _names(service.key_variables) + ("" if service.needs_key else ", none needed"),
        )
        for service in _SHOWN
        if service.wire
    ]
    return _table(("Models", "Protocol", "Address", "Key"), rows)


def _protocol(service: Service) -> str:
    name = WIRES[service.wire].name
    return f"{name} or responses" if service.prefix in ("openai", "azure") else name


def sent() -> str:
    """The page and the headers of a request in each protocol."""
    rows = []
    for wire in (WIRES["openai"], openai_responses.WIRE, *list(WIRES.values())[1:]):
        goal = Destination("NAME", "", None)
        said = {"role": "user", "content": "Hello"}
        post = wire.write(ChatRequest(Target(goal, "", "NAME"), [said], [], {}))
        headers = [*wire.key_headers("key"), *wire.headers]
        rows.append(
            (wire.name, f"`POST {post.path}`", f"`GET {wire.models_path}`", _names(headers))
        )
    return _table(("Protocol", "A message", "The list of models", "Headers"), rows)


def models() -> str:
    """Which model is the default where the key of a service is set."""
    rows = [(f"`{each.key_variable}`", f"`{each.model}`") for each in WITH_MODELS]
    return _table(("Variable", "Default model"), rows)


def addresses() -> str:
    """The variables that give another address to a service."""
    rows = [(_models(service), _names(service.address_variables)) for service in _SHOWN]
    return _table(("Models", "Variables"), rows)


PAGES: Mapping[str, Sequence[Callable[[], str]]] = {
    "providers.md": (models, services, sent),
    "network.md": (addresses,),
}
"""The tables of each page; the name of a table marks its place there."""


def page(name: str, text: str) -> str:
    """The text of a page with its tables made again. Raises ``ValueError`` when the place of one
    is not marked."""
    for table in PAGES[name]:
        start, end = f"<!-- {table.__name__}:", f"<!-- /{table.__name__} -->"
        before, found, rest = text.partition(start)
        mark, _line_end, _old = rest.partition("\n")
        _old, found_end, behind = rest.partition(end)
        if not (found and found_end):
            raise ValueError(f"{name} has no place for the table {table.__name__}")
        text = f"{before}{start}{mark}\n{table()}\n{end}{behind}"
    return text


def _names(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [f"| {' | '.join(cells)} |" for cells in (head, *rows)]
    return "\n".join((lines[0], "|" + "---|" * len(head), *lines[1:]))


def main(arguments: Sequence[str]) -> int:
    """Write or check the tables; 0: they are up to date, 1: they are not, 2: a wrong call."""
    if list(arguments) not in ([], ["--check"]):
        sys.stderr.write("usage: python -m agno_shell.builtin.direct_provider.docs [--check]\n")
        return 2
    stale = False
    for name in PAGES:
        path = FOLDER / name
        text = path.read_text(encoding="utf-8")
        made = page(name, text)
        if made != text and arguments:
            stale = True
            sys.stderr.write(
                f"{path} is out of date: run python -m agno_shell.builtin.direct_provider.docs\n"
            )
        elif made != text:
            path.write_text(made, encoding="utf-8")
    return 1 if stale else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
