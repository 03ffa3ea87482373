"""The tools that are on, for a model to call."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, NamedTuple

from agno_shell.base.program_log import note
from agno_shell.contracts import (
    Approve,
    Permission,
    Tool,
    ToolBox,
    ToolFactory,
    ToolState,
)
from agno_shell.conversation.tools.changes import changes
from agno_shell.conversation.tools.limits import limited, limited_aside
from agno_shell.conversation.tools.names import Key, distinct_names
from agno_shell.conversation.tools.open_tool_box import OpenToolBox
from agno_shell.conversation.tools.selection import ToolSelection, split_name
from agno_shell.errors import AgnoShellError, UsageError
from agno_shell.toolkit.guarding import let_through, reason_of
from agno_shell.types import Status, ToolCall, ToolSchema

STOPPING_SECONDS = 1.0
"""How long a call may take to end once it was cancelled, before it is left behind."""

LONGEST_NAME = 64
"""Characters of a name that a model is told again; those of tools are no longer."""

NAMED = 20
"""Tools that a model is told of when it asks for one that there is not."""


class Answer(NamedTuple):
    """What a call comes to."""

    content: str
    """What the model is told."""
    status: Status
    """complete; failed: refused, unknown, called wrongly, too slow, or it failed by itself;
    interrupted: the user stopped it."""


def stopped(call: ToolCall) -> Answer:
    """The answer to a call that the user stopped, or that never ran."""
    return Answer(
        f"The user stopped {call.name[:LONGEST_NAME]} before it had a result.", "interrupted"
    )


class _Offered(NamedTuple):
    """A tool as it is sent."""

    key: Key
    tool: Tool
    """With the name that the model knows."""


class ToolRegistry:
    """Opens tool boxes, lets the user decide, and runs what was allowed.

    ``on`` are boxes, and single tools as ``BOX.TOOL``. ``seconds`` is what one call may
    take, ``output_bytes`` what a model is told of its result; ``report`` gets one line for
    each thing that is wrong with the tools.
    """

    def __init__(
        self,
        factories: Callable[[], Mapping[str, ToolFactory]],
        open_box: Callable[[ToolFactory], ToolBox],
        *,
        on: Collection[str],
        seconds: float,
        output_bytes: int,
        report: Callable[[str], None],
    ) -> None:
        self.approve: Approve = _refuse
        """Asks the user; until the shell sets it, nothing is allowed."""
        # A copy each time: plugins are loaded in a thread.
        self._factories: Callable[[], Mapping[str, ToolFactory]] = lambda: dict(factories())
        self._open = open_box
        self._seconds = seconds
        self._output_bytes = output_bytes
        self._report = report
        self._reported: dict[str, str] = {}
        """The last problem of each box, or each name that was not found."""
        self._wanted = list(dict.fromkeys(on))
        """What the configuration switches on and no plugin has registered so far."""
        self._selection = ToolSelection()
        self._keepers: dict[str, OpenToolBox] = {}
        self._offered: dict[str, _Offered] = {}
        self._said: dict[tuple[str, Key], tuple[Permission, object]] = {}
        """What the user has said for a whole session, and of what exactly."""
        self._shown: dict[tuple[str, Key], ToolSchema] = {}
        """What the user was asked about last, in each session."""
        self._asking = asyncio.Lock()
        self._running: set[asyncio.Task[Answer]] = set()
        self._closed = False

    # What is on -------------------------------------------------------------------------

    async def schemas(self) -> tuple[ToolSchema, ...]:
        """The tools that are on, always in the same order, so that what is sent begins with
        the same bytes. Boxes are opened here; one that fails or takes too long is reported
        and left out."""
        self._resolve()
        for name in self._wanted:
            self._tell(
                name, f"[tools] on names {name!r}, but there is no such tool box. {self._advice()}"
            )
        boxes = [box for box in self._factories() if self._selection.has_box(box)]
        if not self._closed:
            await asyncio.gather(*(self._keeper(box).ask() for box in boxes))
        for box in boxes:
            problem = self._problem(box)
            self._tell(box, problem and f"Tool box {box!r}: {problem}")
        offered = {each.tool.schema.name: each for each in self._tools() if self._is_on(each)}
        self._offered = dict(sorted(offered.items()))
        return tuple(each.tool.schema for each in self._offered.values())

    def states(self) -> Sequence[ToolState]:
        """Every box, whether on or not, by name."""
        self._resolve()
        return [self._state(name) for name in sorted(self._factories())]

    async def switch(self, name: str, *, on: bool) -> ToolState:
        """Switch a box, or ``BOX.TOOL``, on or off, and open or close the box. Raises
        :class:`UsageError` where there is none of this name."""
        self._resolve()
        place = split_name(name, self._factories())
        if place is None:
            raise UsageError(f"There is no tool box {name!r}.", hint=self._advice())
        box, word = place
        try:
            if on and not self._closed:
                await self._keeper(box).ask()
            self._selection.switch(box, self._names(box, word), on=on)
        finally:
            if not self._selection.has_box(box):
                await self._drop(box)
        return self._state(box)

    async def close(self) -> None:
        """Stop every call and close every box."""
        self._closed = True
        self._offered = {}
        running = list(self._running)
        for call in running:
            call.cancel()
        if running:
            await asyncio.wait(running, timeout=STOPPING_SECONDS)
        await asyncio.gather(*(self._drop(box) for box in list(self._keepers)))

    def _resolve(self) -> None:
        """Switch on what the configuration names, once its plugin is there."""
        for name in list(self._wanted):
            if place := split_name(name, self._factories()):
                self._wanted.remove(name)
                box, word = place
                self._selection.switch(box, (word,) if word else (), on=True)

    def _keeper(self, box: str) -> OpenToolBox:
        if box not in self._keepers:
            self._keepers[box] = OpenToolBox(self._factories()[box], self._open)
        return self._keepers[box]

    async def _drop(self, box: str) -> None:
        if keeper := self._keepers.pop(box, None):
            await keeper.close()

    def _tools(self) -> list[_Offered]:
        """Every tool of the open boxes, with the name that it is sent under. Those that are
        off count as well, so that switching one never renames another."""
        tools = {
            (box, tool.schema.name): tool
            for box, keeper in self._keepers.items()
            for tool in keeper.tools
        }
        names = distinct_names(tools)
        return [_Offered(key, _sent(tool, names[key], key[0])) for key, tool in tools.items()]

    def _is_on(self, offered: _Offered) -> bool:
        return self._selection.has(offered.key[0], (offered.key[1], offered.tool.schema.name))

    def _names(self, box: str, word: str) -> tuple[str, ...]:
        """All names of the tool that a user means; none for the box itself."""
        there = [each for each in self._tools() if each.key[0] == box]
        for each in there:
            names = each.key[1], each.tool.schema.name
            if word in names:
                return names
        if word and there:
            known = ", ".join(sorted(each.tool.schema.name for each in there))
            raise UsageError(
                f"The tool box {box!r} has no tool {word!r}.", hint=f"It has: {known}."
            )
        return (word,) if word else ()

    def _state(self, box: str) -> ToolState:
        factory = self._factories()[box]
        there = sorted(
            (each for each in self._tools() if each.key[0] == box),
            key=lambda each: each.tool.schema.name,
        )
        return ToolState(
            box,
            factory.summary,
            self._selection.has_box(box),
            tuple(each.tool for each in there),
            self._problem(box),
            tuple(each.tool.schema.name for each in there if not self._is_on(each)),
        )

    def _problem(self, box: str) -> str:
        """What is wrong with a box, or with what the configuration says of it."""
        keeper = self._keepers.get(box)
        if keeper is None:
            return ""
        known = {
            name
            for each in self._tools()
            for name in (each.key[1], each.tool.schema.name)
            if each.key[0] == box
        }
        missing = sorted(set(self._selection.singles(box)) - known) if known else []
        unknown = [f"It has no tool {name!r}." for name in missing]
        return " ".join([*filter(None, [keeper.problem]), *unknown])

    def _tell(self, name: str, line: str) -> None:
        """Report what is wrong, if anything is, and not what was reported the last time."""
        if line and self._reported.get(name) != line:
            self._report(line)
        self._reported[name] = line

    def _advice(self) -> str:
        names = sorted(self._factories())
        return f"There are: {', '.join(names)}." if names else "No plugin has registered one."

    # One call ---------------------------------------------------------------------------

    async def decide(self, call: ToolCall, session_id: str) -> Tool | Answer:
        """The tool if it may run; else what the model is told. Asks the user unless they
        have answered for the whole session; one question at a time."""
        offered = self._offered.get(call.name)
        if offered is None or not self._is_on(offered):
            return Answer(self._unknown(call.name), "failed")
        try:
            _arguments(call)
        except ValueError as error:
            return Answer(f"The arguments of {call.name} are {error}.", "failed")
        async with self._asking:
            permission = self._said_before(offered, session_id)
            if permission is None:
                try:
                    permission = await self.approve(call, self._with_changes(offered, session_id))
                except AgnoShellError as error:  # whoever cannot ask has not allowed it
                    return Answer(f"{call.name} was not allowed: {error.sentence()}", "failed")
                if permission in ("always", "never"):
                    self._said[session_id, offered.key] = permission, _meaning(offered)
        if permission in ("once", "always"):
            return offered.tool
        if permission == "never":
            refusal = f"The user allows no call of {call.name} in this session."
            return Answer(f"{refusal} Go on without it.", "failed")
        return Answer(f"The user did not allow this call of {call.name}.", "failed")

    def _said_before(self, offered: _Offered, session_id: str) -> Permission | None:
        permission, meaning = self._said.get((session_id, offered.key), (None, None))
        if permission == "always" and meaning != _meaning(offered):
            return None  # it is not any more what the user has allowed
        return permission

    def _with_changes(self, offered: _Offered, session_id: str) -> Tool:
        before = self._shown.get((session_id, offered.key))
        self._shown[session_id, offered.key] = schema = offered.tool.schema
        return offered.tool._replace(changed=changes(before, schema) if before else ())

    def _unknown(self, name: str) -> str:
        name, names = name[:LONGEST_NAME], list(self._offered)
        if not names:
            return f"There is no tool called {name!r}: no tools are switched on."
        more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
        return f"There is no tool called {name!r}. There are: {', '.join(names[:NAMED])}{more}."

    async def run(self, tool: Tool, call: ToolCall) -> Answer:
        """Run an allowed call within its limits; whatever goes wrong is an answer as well.
        Cancelling this cancels the tool, and does not wait for it."""
        running = asyncio.create_task(self._run(tool, call))
        self._running.add(running)
        running.add_done_callback(self._running.discard)
        try:
            await asyncio.wait([running], timeout=self._seconds)
        finally:
            if not running.done():
                running.cancel()
        if not running.done():
            late = f"{call.name} had no result after {self._seconds:g} seconds and was stopped."
            return Answer(late, "failed")
        if running.cancelled():
            return Answer(f"{call.name} stopped by itself.", "failed")
        return running.result()

    async def _run(self, tool: Tool, call: ToolCall) -> Answer:
        try:
            text = await tool.run(_arguments(call))
        except AgnoShellError as error:
            return Answer(limited(error.sentence(), self._output_bytes), "failed")
        # A tool may be anybody's plugin; its bug is a result like any other. One may even
        # call sys.exit(), which would end the shell.
        except asyncio.CancelledError as error:
            let_through(error)
            return Answer(f"{call.name} stopped by itself.", "failed")
        except BaseException as error:
            let_through(error)
            note(__name__, "tool failed", problem=error, tool=call.name)
            reason = f"{call.name} failed: {reason_of(error)}"
            return Answer(limited(reason, self._output_bytes), "failed")
        if not isinstance(text, str):
            wrong = f"{call.name} failed: it returned {type(text).__name__}, not text."
            return Answer(wrong, "failed")
        if not text or text.isspace():  # some models' servers refuse a result without a word
            text = f"{call.name} returned nothing."
        return Answer(await limited_aside(text, self._output_bytes), "complete")


def _arguments(call: ToolCall) -> Mapping[str, Any]:
    """The arguments of a call; raises ``ValueError`` that says what they are instead."""
    if not call.arguments.strip():
        return {}  # as many models write that there are none
    try:
        arguments = json.loads(call.arguments, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"not JSON: {error}") from None
    if not isinstance(arguments, dict):
        raise ValueError(f"not a JSON object, but a {type(arguments).__name__}")  # noqa: TRY004
    return arguments


def _no_number(constant: str) -> float:
    raise ValueError(f"{constant} is no number")


def _sent(tool: Tool, name: str, box: str) -> Tool:
    schema = tool.schema._replace(name=name)
    return Tool(schema, tool.run, tool.source or f"the tool box {box}")


def _meaning(offered: _Offered) -> object:
    """What the user has read when they allowed it."""
    return offered.tool.schema.description, offered.tool.schema.parameters


async def _refuse(_call: ToolCall, _tool: Tool) -> Permission:
    return "no"
