"""Python functions as tools: their schemas come from type hints and docstrings.

def add(a: int, b: int = 1) -> int:
    \"\"\"Add two numbers.

    Args:
        a: The first one.
    \"\"\"

@hookimpl
def register_tools():
    return [python_tools("sums", "Adds numbers.", add)]
"""

# Annotations are not left as text here (PEP 563): the named tuple below would compile each
# of them. Importing this module costs nothing: pydantic comes with the first use of a box.

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple

from agno_shell.contracts.tools import Tool, ToolBox, ToolFactory
from agno_shell.errors import PluginError, UsageError
from agno_shell.toolkit.threads import in_thread
from agno_shell.types import ToolSchema

if TYPE_CHECKING:
    from inspect import Parameter

    from pydantic import TypeAdapter, ValidationError

REASONS = 5
"""Errors in the arguments of one call that are reported to the model; the rest is counted."""


def python_tools(name: str, summary: str, *functions: Callable[..., Any]) -> ToolFactory:
    """A tool box of functions, each of them a tool of its own name.

    The hints of the parameters become the JSON Schema, and arguments are checked and
    converted against them: everything that pydantic knows, such as ``str``, ``list[int]``,
    ``Literal``, ``X | None``, enums, dataclasses, typed dictionaries, dates, and
    ``Annotated[X, "what it is"]``. A parameter with a default may be left out. The
    docstring describes them for the model: its first paragraph the tool, ``Args:`` or
    ``:param x:`` the parameters.

    Functions run in a thread, coroutine functions in the shell's own loop. A function that
    runs in a thread cannot be stopped: what it returns after that is thrown away. Text is
    given to the model as it is, anything else as JSON. What the function raises is reported
    to the model; raise an ``AgnoShellError`` where its sentence says everything.
    """
    return ToolFactory(name, summary, lambda _options: _FunctionBox(functions))


class _FunctionBox(ToolBox):
    def __init__(self, functions: Sequence[Callable[..., Any]]) -> None:
        self._functions = functions
        self._tools: Sequence[Tool] | None = None

    async def tools(self) -> Sequence[Tool]:
        if self._tools is None:
            # Importing pydantic and making the schemas would hold up the keyboard.
            self._tools = await in_thread(lambda: [_tool(each) for each in self._functions])
        return self._tools


class _Arguments(NamedTuple):
    """What a function takes."""

    names: Sequence[str]
    positional: Sequence[str]
    """Those that cannot be given by name; they come first."""
    adapter: "TypeAdapter[dict[str, Any]]"


def _tool(function: Callable[..., Any]) -> Tool:
    from inspect import getdoc

    from agno_shell.base.docstrings import parse

    name = getattr(function, "__name__", "")
    if not name or name == "<lambda>":
        raise PluginError(f"{function!r} cannot be a tool: it has no name.")
    documented = parse(getdoc(function) or "")
    try:
        arguments = _arguments(function, documented.parameters)
        schema = _schema(arguments.adapter)
    # pydantic has many ways to say that it does not know a type, and hints may name anything.
    except Exception as error:
        reason = str(error).partition("\n")[0]
        raise PluginError(f"The function {name} cannot be a tool: {reason}") from error
    description = documented.summary or name.replace("_", " ").strip().capitalize() + "."

    async def run(given: Mapping[str, Any]) -> str:
        result = await _call(function, _checked(arguments, name, given))
        if result is None or type(result) is str:
            return result or ""
        text: Awaitable[str] = in_thread(lambda: _text(result))  # it may be anything, and large
        return await text

    source = f"{function.__module__}.{getattr(function, '__qualname__', name)}"
    return Tool(ToolSchema(name, description, schema), run, source)


def _arguments(function: Callable[..., Any], descriptions: Mapping[str, str]) -> _Arguments:
    """The parameters of a function as one type that can be checked: a dictionary."""
    from inspect import signature
    from typing import get_type_hints

    from pydantic import ConfigDict, TypeAdapter
    from typing_extensions import TypedDict  # pydantic takes that of typing from 3.12 on

    parameters = signature(function).parameters.values()
    hints = get_type_hints(function, include_extras=True)
    for each in parameters:
        if each.kind in (each.VAR_POSITIONAL, each.VAR_KEYWORD):
            raise TypeError(f"its parameter {each} can be any number of things.")
    fields = {
        each.name: _field(each, hints.get(each.name, Any), descriptions.get(each.name, ""))
        for each in parameters
    }
    make: Any = TypedDict
    record = make("Arguments", fields)
    record.__pydantic_config__ = ConfigDict(extra="forbid")
    positional = [each.name for each in parameters if each.kind is each.POSITIONAL_ONLY]
    return _Arguments(list(fields), positional, TypeAdapter(record))


def _field(parameter: "Parameter", hint: Any, description: str) -> Any:
    """The type of one key; one with a default need not be there, and shows it."""
    from typing import Annotated, NotRequired, get_args, get_origin

    from pydantic import Field
    from pydantic_core import PydanticSerializationError, to_jsonable_python

    if get_origin(hint) is Annotated:
        words = [each for each in get_args(hint)[1:] if isinstance(each, str)]
        description = words[0] if words else description
    more: dict[str, Any] = {}
    if parameter.default is not parameter.empty and parameter.default is not None:
        with suppress(PydanticSerializationError):  # one that JSON does not know is not shown
            more["default"] = to_jsonable_python(parameter.default)
    if description or more:
        hint = Annotated[hint, Field(description=description or None, json_schema_extra=more)]
    return hint if parameter.default is parameter.empty else NotRequired[hint]


def _schema(adapter: "TypeAdapter[dict[str, Any]]") -> dict[str, Any]:
    from pydantic.json_schema import GenerateJsonSchema

    class Untitled(GenerateJsonSchema):
        """A title for each parameter says its name again, and costs tokens every time."""

        def field_title_should_be_set(self, schema: Any) -> bool:
            return False

    schema = adapter.json_schema(schema_generator=Untitled)
    schema.pop("title", None)
    return {"type": "object", "properties": {}, **schema}


def _checked(arguments: _Arguments, name: str, given: Mapping[str, Any]) -> "_CallArguments":
    """The arguments in the types of the hints; ``UsageError`` for the model to read."""
    from pydantic import ValidationError

    try:
        values = arguments.adapter.validate_python(dict(given))
    except ValidationError as error:
        wrong = f"The arguments of {name} are not right: {_reasons(error)}."
        raise UsageError(wrong, hint=_takes(arguments, name)) from None
    by_position = [values.pop(each) for each in arguments.positional if each in values]
    return _CallArguments(by_position, values)


class _CallArguments(NamedTuple):
    positional: list[Any]
    named: dict[str, Any]


def _reasons(error: "ValidationError") -> str:
    wrong = error.errors(include_url=False, include_context=False, include_input=False)
    reasons = [
        f"{'.'.join(map(str, each['loc']))}: {each['msg'][:1].lower()}{each['msg'][1:]}"
        for each in wrong[:REASONS]
    ]
    more = f"; and {len(wrong) - REASONS} more" if len(wrong) > REASONS else ""
    return "; ".join(reasons) + more


def _takes(arguments: _Arguments, name: str) -> str:
    known = ", ".join(arguments.names)
    return f"It takes {known}." if known else f"{name} takes none."


async def _call(function: Callable[..., Any], given: _CallArguments) -> Any:
    from inspect import isawaitable, iscoroutinefunction

    is_coroutine = iscoroutinefunction(function) or iscoroutinefunction(
        getattr(function, "__call__", None)  # noqa: B004 - an object that is called like one
    )
    if is_coroutine:
        return await function(*given.positional, **given.named)
    result = await in_thread(lambda: function(*given.positional, **given.named))
    return await result if isawaitable(result) else result


def _text(result: Any) -> str:
    """What a function returned, as text for the model."""
    from pydantic_core import to_json

    if isinstance(result, str):
        return str(result)
    return to_json(result, bytes_mode="base64", inf_nan_mode="strings", fallback=str).decode()
