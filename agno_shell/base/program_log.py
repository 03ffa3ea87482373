"""What the program did and when, for the log that ``--log`` asks for.

``note(__name__, "session opened", messages=3)`` is one line of it. The records are those of the
standard ``logging`` and their loggers are called as the modules are. No line holds a message,
the name of a session, a key, or the content of a file; so none holds the text of an error either,
which may quote any of them: a failure is shown as the kind of the error and where it came from.

Without a log, a note costs no more than the check whether there is one.
"""

from __future__ import annotations

import sys
import time

TYPE_CHECKING = False  # as in ``typing``, without importing it at every start
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import TypeVar

    T = TypeVar("T")

ROOT = "agno_shell"
"""The logger above all of ours; the log is its handler."""

LONGEST_VALUE = 200
FRAMES = 12
"""How many of the innermost places of an error are logged."""


def is_kept() -> bool:
    """Whether a handler listens."""
    logging = sys.modules.get("logging")  # a listener has imported it
    return logging is not None and bool(logging.getLogger(ROOT).handlers)


def note(
    where: str,
    what: str,
    *,
    problem: BaseException | None = None,
    bad: bool = False,
    **values: object,
) -> None:
    """A line of the logger ``where``: ``what`` happened, then each value as ``key=value``; None
    is left out. It is a warning if it is ``bad``, or has a ``problem``, which is logged without
    its text."""
    if not is_kept():
        return
    import logging

    if problem is not None:
        values |= _fields_of(problem)
    pairs = [f"{key}={_value(value)}" for key, value in values.items() if value is not None]
    level = logging.WARNING if bad or problem is not None else logging.INFO
    logging.getLogger(where).log(level, "%s", " ".join([what, *pairs]))


def timed(
    where: str, what: str, work: Callable[[], T], *, name: str, plugin: str | None = None
) -> T:
    """What ``work`` returns, or raises, and a note of how long it took. ``name`` is the part that
    it is about, ``plugin`` whose that is."""
    started = time.perf_counter()
    problem: BaseException | None = None
    try:
        return work()
    except BaseException as error:
        problem = error
        raise
    finally:
        seconds = time.perf_counter() - started
        done = what if problem is None else f"{what} failed"
        note(where, done, problem=problem, name=name, plugin=plugin, seconds=seconds)


def word(text: str) -> str:
    """A word of a fixed vocabulary; ``other`` where a plugin made up something else."""
    is_word = text.isascii() and len(text) <= 40 and text.replace("_", "").isalpha()
    return text if is_word else "other"


def _value(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.3f}"
    text = str(value)
    if text.isascii() and text.isprintable() and text and not set(text) & set(" =\"'\\"):
        return text[:LONGEST_VALUE]
    import json

    return json.dumps(text[:LONGEST_VALUE])


# Errors -----------------------------------------------------------------------------------


def _fields_of(error: BaseException) -> dict[str, object]:
    """The kinds of an error and of what caused it, outermost first, and the places of the first
    cause, innermost first."""
    chain = list(_causes(error))
    numbers = (each.errno for each in chain if isinstance(each, OSError))
    modules = (each.name for each in chain if isinstance(each, ImportError))
    return {
        "error": "<".join(type(each).__name__ for each in chain),
        "errno": _symbol(next((each for each in numbers if each is not None), None)),
        "module": next((each for each in modules if isinstance(each, str)), None),
        **_places(chain[-1]),
    }


def _causes(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    cause: BaseException | None = error
    while cause is not None and id(cause) not in seen and len(seen) < FRAMES:
        seen.add(id(cause))
        yield cause
        cause = cause.__cause__ or (None if cause.__suppress_context__ else cause.__context__)


def _places(error: BaseException) -> dict[str, object]:
    places = []
    step = error.__traceback__
    while step is not None:
        code = step.tb_frame.f_code
        places.append(f"{code.co_filename}:{step.tb_lineno}:{code.co_name}")
        step = step.tb_next
    # Keys of their own, so that each is cut by itself.
    return {f"at{number or ''}": place for number, place in enumerate(places[: -FRAMES - 1 : -1])}


def _symbol(number: int | None) -> str | None:
    if number is None:
        return None
    from errno import errorcode

    return errorcode.get(number, str(number))
