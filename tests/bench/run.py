"""Run the benchmarks: ``python tests/bench/run.py [NAME ...] [--json] [--check]``."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

import bench_context
import bench_first
import bench_keys
import bench_mcp
import bench_memory
import bench_reply
import bench_scale
import bench_search
import bench_start
import bench_storage
import bench_turn
import bench_warm
from figures import Figure, table

BENCHMARKS: Mapping[str, Callable[[Path], list[Figure]]] = {
    "launch": bench_start.launch,
    "version": bench_start.version,
    "list": bench_start.listing,
    "first": bench_first.request,
    "warm": bench_warm.litellm,
    "memory": bench_memory.at_the_prompt,
    "turn": bench_turn.both_ways,
    "stop": bench_turn.stopping,
    "reply": bench_reply.cpu_of_a_long_reply,
    "token": bench_reply.cost_per_token,
    "keys": bench_keys.echo,
    "mcp": bench_mcp.flood,
    "context": bench_context.choosing,
    "search": bench_search.a_million_messages,
    "scale": bench_scale.a_million_messages,
    "old-layout": bench_scale.first_search,
    "many-sessions": bench_scale.many_sessions,
    "append": bench_storage.append,
    "sessions-append": bench_storage.append_among_sessions,
    "last": bench_storage.last_messages,
    "listing": bench_storage.listing,
    "rebuild": bench_storage.rebuilding,
    "open": bench_storage.opening,
}


def main() -> int:
    """Run what was asked for; 1 if ``--check`` was given and a target is missed."""
    chosen = _arguments()
    figures: list[Figure] = []
    for name in chosen.names or BENCHMARKS:
        print(f"measuring {name} …", file=sys.stderr, flush=True)
        with TemporaryDirectory(prefix="agno-shell-bench-") as folder:
            figures += BENCHMARKS[name](Path(folder))
    if chosen.json:
        rows = [figure._asdict() | {"verdict": figure.verdict} for figure in figures]
        print(json.dumps(rows, indent=2))
    else:
        print(table(figures), end="")
    missed = any(figure.verdict == "MISSED" for figure in figures)
    return 1 if chosen.check and missed else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure agno-shell against its targets.")
    parser.add_argument(
        "names",
        nargs="*",
        metavar="NAME",
        choices=[*BENCHMARKS, []],
        help=f"one of {', '.join(BENCHMARKS)}; all of them if none is given",
    )
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    parser.add_argument("--check", action="store_true", help="exit with 1 if a target is missed")
    return parser.parse_args()


if __name__ == "__main__":
    raise SystemExit(main())
