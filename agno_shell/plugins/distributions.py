"""The entry points of installed distributions, found a distribution at a time.

``importlib.metadata.entry_points`` reads them all in one go: one file that cannot be read,
or one line without an ``=``, anywhere in the environment, and nobody's plugin is found.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, NamedTuple

from agno_shell.base.installed import FILE, may_have
from agno_shell.toolkit.guarding import reason_of

if TYPE_CHECKING:
    from importlib.metadata import Distribution, EntryPoint


class InstalledEntryPoint(NamedTuple):
    """An entry point and where it comes from."""

    name: str
    distribution: str
    version: str
    module: str
    entry: EntryPoint


def entry_points_of(group: str, problem: Callable[[str], None]) -> Iterator[InstalledEntryPoint]:
    """The entry points of a group; ``problem`` gets a line for each distribution, or entry,
    that cannot be read. Each name of a distribution counts once: that which Python imports."""
    if not may_have(group):
        return
    from importlib.metadata import distributions

    seen: set[str] = set()
    for each in _guarded(distributions, problem):
        try:
            text = each.read_text(FILE)
            if not text or group not in text:
                continue
            found = list(_of(each, text, group, seen, problem))
        # Metadata may be anything: not UTF-8, without a name, made by a finder that raises.
        except BaseException as error:
            problem(_sentence(each, reason_of(error)))
        else:
            yield from found


def _guarded(
    every: Callable[[], Iterator[Distribution]] | Callable[[], object],
    problem: Callable[[str], None],
) -> Iterator[Distribution]:
    """What a finder on ``sys.meta_path`` names, until it raises."""
    try:
        found = iter(every())  # type: ignore[call-overload]
    except BaseException as error:
        problem(f"The installed distributions cannot be listed: {reason_of(error)}.")
        return
    while True:
        try:
            each = next(found)
        except StopIteration:
            return
        except BaseException as error:
            problem(f"Not all installed distributions can be listed: {reason_of(error)}.")
            return
        yield each


def _of(
    found: Distribution,
    text: str,
    group: str,
    seen: set[str],
    problem: Callable[[str], None],
) -> Iterator[InstalledEntryPoint]:
    name, version = _about(found)
    if name in seen or _is_shadowed(name, text):
        return
    seen.add(name)
    for entry in found.entry_points:
        if entry.group != group:
            continue
        try:
            # A value that is none, such as "my-plugin", raises only here.
            module = entry.module
        except BaseException as error:
            what = f"the entry point {entry.name!r} = {entry.value!r} names no module"
            problem(_sentence(found, f"{what} ({type(error).__name__})"))
            continue
        yield InstalledEntryPoint(entry.name, name, version, module, entry)


def _about(found: Distribution) -> tuple[str, str]:
    """Name and version, or what stands for them where the metadata has none."""
    try:
        metadata = found.metadata
        name, version = metadata["Name"], metadata["Version"]
    except BaseException:
        name, version = None, None
    return str(name or _place(found) or "unknown"), str(version or "")


def _is_shadowed(name: str, text: str) -> bool:
    """Whether another distribution of this name stands before it on ``sys.path``."""
    from importlib.metadata import distribution

    try:
        return distribution(name).read_text(FILE) != text
    except BaseException:  # it cannot be found by its name, but it was found
        return False


def _sentence(found: Distribution, reason: str) -> str:
    return (
        f"The plugins of the distribution at {_place(found) or 'an unknown place'} cannot be "
        f"used: {FILE}: {reason.rstrip('.')}. Install it again, or remove that folder."
    )


def _place(found: Distribution) -> str:
    """The folder of the metadata, as far as that is known."""
    return str(getattr(found, "_path", "") or "")
