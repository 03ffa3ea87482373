"""Makes ``models.json`` out of the table of the litellm that is installed.

``python -m agno_shell.builtin.direct_provider.make_extract`` writes it. With ``--check`` it only
says, by exit code 1, that the file is not what it should be: from the release that it was taken
from it must be what would be made now; beside any other one it must have its form, and most of
its models. litellm changes its table with every release, and that alone is no fault.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from agno_shell.builtin.direct_provider.extract import (
    FILE,
    FLAGS,
    NUMBERS,
    RESPONSES,
    Extract,
    Row,
    whole,
)
from agno_shell.builtin.direct_provider.model_table import CHAT, read_litellms
from agno_shell.builtin.model_services.services import SERVICES

COMMAND = "python -m agno_shell.builtin.direct_provider.make_extract"

STILL_THERE = 0.7
"""The part of the extract that another release must still have."""

_DEAR = re.compile(rf"(?:{'|'.join(NUMBERS[2:])})_above_\d+k_tokens")
"""Columns with the price of a token behind so many others."""

Table = Mapping[str, Mapping[str, Any]]


def extracted(table: Table) -> dict[str, dict[str, Row]]:
    """The rows of chat models, by service."""
    prefixes = sorted({service.prefix for service in SERVICES if service.wire})
    found: dict[str, dict[str, Row]] = {prefix: {} for prefix in prefixes}
    for name, entry in sorted(table.items()):
        rows = found.get(str(entry.get("litellm_provider")))
        if rows is not None and entry.get("mode") in CHAT and not name.startswith("ft:"):
            rows[name] = _row(entry)
    return {prefix: rows for prefix, rows in found.items() if rows}


def _row(entry: Mapping[str, Any]) -> Row:
    numbers = [_number(entry.get(name)) for name in NUMBERS]
    letters = "".join(letter for letter, name in FLAGS.items() if _is_on(letter, entry.get(name)))
    dear = {name: _number(value) for name, value in sorted(entry.items()) if _DEAR.fullmatch(name)}
    return [*numbers, letters, dear]


def _number(value: Any) -> float | int | None:
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def _is_on(letter: str, value: Any) -> bool:
    if letter == "R":
        return bool(value == "responses")
    if letter == "E":
        return RESPONSES in (value or ())
    return bool(value)


def text(source: str, models: Mapping[str, Mapping[str, Row]]) -> str:
    """The file, a model a line, so that changes can be read."""
    parts = []
    for prefix, rows in models.items():
        lines = ",\n".join(f"{_json(name)}:{_json(row)}" for name, row in rows.items())
        parts.append(f"{_json(prefix)}:{{\n{lines}}}")
    licence = "From litellm, MIT License, Copyright (c) 2023 Berri AI; see NOTICE."
    head = f'{{"source":{_json(source)},\n"license":{_json(licence)},\n"models":{{\n'
    return head + ",\n".join(parts) + "}}\n"


def _json(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"))


def problems(table: Table, source: str) -> list[str]:
    """What is wrong with the file beside litellm's table, a sentence each; ``table`` is empty
    where litellm is not installed."""
    extract = Extract.read()
    names = list(extract.all_names)
    found = [
        f"{FILE} has no model {service.model}."
        for service in SERVICES
        if service.model in table and service.model not in names
    ]
    rows = (
        (prefix, name, extract.entry(prefix, name))
        for prefix in {service.prefix for service in SERVICES}
        for name in extract.names(prefix)
    )
    found += [
        f"{FILE} has a row of another form: {name}."
        for prefix, name, entry in rows
        if whole(prefix, _row(entry)) != entry
    ]
    if not table:
        return found
    if extract.source == source and FILE.read_text(encoding="utf-8") != text(
        source, extracted(table)
    ):
        found.append(f"{FILE} is not what {source} gives. Run: {COMMAND}")
    gone = [name for name in names if name not in table]
    if len(gone) > (1 - STILL_THERE) * len(names):
        found.append(
            f"{FILE} is from {extract.source}; {source} has {len(gone)} of its {len(names)} models "
            f"no more. Run: {COMMAND}"
        )
    return found


def main(arguments: Sequence[str]) -> int:
    """Write or check the file; 0 when it is as it should be, 1 when not, 2 for a wrong call."""
    if list(arguments) not in ([], ["--check"]):
        sys.stderr.write(f"usage: {COMMAND} [--check]\n")
        return 2
    table = read_litellms()
    try:
        source = f"litellm {version('litellm')}"
    except PackageNotFoundError:
        source = ""
    if not arguments:
        if not table:
            sys.stderr.write("litellm is not installed: there is nothing to make it of.\n")
            return 1
        FILE.write_text(text(source, extracted(table)), encoding="utf-8")
        return 0
    found = problems(table, source)
    for problem in found:
        sys.stderr.write(f"{problem}\n")
    return 1 if found else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
