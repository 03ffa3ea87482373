"""Every setting as a record; validation, ``config.example.toml`` and the docs come from them.

Nothing here imports more than ``typing``: ``session --list`` passes by.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, TypeVar

T = TypeVar("T")

ENVIRONMENT_PREFIX = "AGNO_SHELL_"

_KINDS: dict[type, str] = {
    str: "text in quotes",
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    tuple: "a list of texts",
}
_SWITCH_WORDS = {
    "true": True,
    "yes": True,
    "on": True,
    "1": True,
    "false": False,
    "no": False,
    "off": False,
    "0": False,
}


def _list_of(text: str) -> list[Any]:
    """Names with commas between them, or a list as it stands in a TOML file."""
    if not text.lstrip().startswith("["):
        return [part.strip() for part in text.split(",") if part.strip()]
    import tomllib

    try:
        found: list[Any] = tomllib.loads(f"list = {text}")["list"]
    except (tomllib.TOMLDecodeError, RecursionError):
        raise ValueError('must be a list, such as one, two or ["one", "two"]') from None
    return found


class Setting(Generic[T]):
    """One setting, of the type of its default.

    ``name`` is the dotted path in the file (``provider.limits.connect``). ``form``
    takes a text and returns what it must be instead, or an empty string. No error
    repeats a value: it could be a key in the wrong place.
    """

    __slots__ = ("_form", "choices", "default", "example", "help", "kind", "minimum", "name")

    def __init__(
        self,
        name: str,
        default: T,
        help: str,  # noqa: A002 - what argparse calls it, too
        *,
        choices: tuple[str, ...] = (),
        minimum: float | None = None,
        form: Callable[[str], str] | None = None,
        example: str = "",
    ) -> None:
        self.name = name
        self.kind: type = type(default)
        self.default = default
        self.help = help
        self.choices = choices
        self.minimum = minimum
        self.example = example
        self._form = form

    def __repr__(self) -> str:
        return f"Setting({self.name!r})"

    @property
    def variable(self) -> str:
        """The environment variable that sets it."""
        return ENVIRONMENT_PREFIX + self.name.replace(".", "_").upper()

    @property
    def kind_name(self) -> str:
        return _KINDS[self.kind]

    def validate(self, value: object) -> T:
        """``value`` as this setting's type; ``ValueError`` says what it must be instead."""
        checked = self._as_kind(value)
        if self.choices and checked not in self.choices:
            raise ValueError(f"must be {_or(self.choices)}")
        if self.minimum is not None and not self.minimum <= checked < float("inf"):
            finite = " a finite number of" if checked != checked or checked == float("inf") else ""
            raise ValueError(f"must be{finite} at least {self.minimum:g}")
        complaint = self._form(checked) if self._form and checked else ""
        if complaint:
            raise ValueError(complaint)
        return checked  # type: ignore[no-any-return]  # _as_kind has looked at the type

    def parse(self, text: str) -> T:
        """The value that ``text`` from outside a TOML file means: an environment variable."""
        if self.kind is str:
            return self.validate(text)
        if self.kind is tuple:
            return self.validate(_list_of(text))
        if self.kind is bool:
            return self.validate(_SWITCH_WORDS.get(text.strip().lower(), text))
        try:
            number = self.kind(text)
        except ValueError:
            raise ValueError(f"must be {self.kind_name}") from None
        return self.validate(number)

    def _as_kind(self, value: object) -> Any:
        if self.kind is float and isinstance(value, int) and not isinstance(value, bool):
            try:
                return float(value)
            except OverflowError:
                raise ValueError("is too large") from None
        if self.kind is tuple and isinstance(value, list | tuple):
            if all(isinstance(part, str) for part in value):
                return tuple(value)
        elif type(value) is self.kind:
            return value
        raise ValueError(f"must be {self.kind_name}")


def _or(words: tuple[str, ...]) -> str:
    quoted = [f'"{word}"' for word in words]
    return " or ".join([", ".join(quoted[:-1]), quoted[-1]]) if len(quoted) > 1 else quoted[0]


# Forms of text ----------------------------------------------------------------------------


def _web_address(text: str) -> str:
    scheme, _, rest = text.partition("://")
    host = rest.partition("/")[0]
    if scheme.lower() not in ("http", "https") or not host or not text.isprintable():
        return "must be a web address that begins with http:// or https://"
    if "@" in host or "?" in rest or "#" in rest or " " in rest:
        return "must be an address alone, without a password, a question mark or a space"
    return ""


def _variable_name(text: str) -> str:
    # Capitals only: a key that is pasted here by mistake holds small letters.
    allowed = text.isascii() and text.replace("_", "A").isalnum() and text == text.upper()
    if not allowed or text[0].isdigit():
        return "must be the name of an environment variable, in capitals, and not the key itself"
    return ""


def _absolute(text: str) -> str:
    # Relative would mean: another store in every working directory.
    windows = text[1:3] in (":\\", ":/") or text.startswith("\\\\")
    if "\0" not in text and (text == "~" or text.startswith(("/", "~/", "~\\")) or windows):
        return ""
    return "must be a whole path, beginning with / or ~/"


def _duration(text: str) -> str:
    from agno_shell.toolkit.durations import seconds_of

    try:
        seconds_of(text)
    except ValueError as error:
        return str(error)
    return ""


# The settings -----------------------------------------------------------------------------

STORAGE_PLUGIN = Setting("storage.plugin", "json", "Which storage keeps the sessions.")
STORAGE_PATH = Setting(
    "storage.path",
    "",
    "The folder or file of the storage; empty: the data folder.",
    form=_absolute,
    example="~/chats",
)

PROVIDER_PLUGIN = Setting(
    "provider.plugin",
    "",
    "Which provider answers; empty: direct if it speaks the model's protocol, else litellm.",
    example="litellm",
)
PROVIDER_MODEL = Setting(
    "provider.model",
    "",
    "The model, as litellm names it; empty: one that fits the keys in the environment.",
    example="ollama_chat/llama3.2",
)
PROVIDER_API_BASE = Setting(
    "provider.api_base",
    "",
    "The address of a server that speaks the OpenAI protocol.",
    form=_web_address,
    example="http://localhost:1234/v1",
)
PROVIDER_API_KEY_ENV = Setting(
    "provider.api_key_env",
    "",
    "The environment variable whose key belongs to api_base; no other key is sent there.",
    form=_variable_name,
    example="MY_SERVER_KEY",
)
PROVIDER_CONTEXT_WINDOW = Setting(
    "provider.context_window",
    32_768,
    "Tokens that a request can have when the window of the model is unknown.",
    minimum=256,
)
PROVIDER_FALLBACKS = Setting[tuple[str, ...]](
    "provider.fallbacks",
    (),
    "Models that are asked in this order when the one before is down.",
    example="ollama_chat/llama3.2",
)
PROVIDER_REASONING = Setting(
    "provider.reasoning",
    "",
    "How much models think before they answer; empty: their own default.",
    choices=("", "off", "low", "medium", "high"),
)
PROVIDER_KEEP_WARM = Setting(
    "provider.keep_warm",
    "off",
    "How long a process that has litellm imported is kept for the next shell; off: not at all.",
    form=_duration,
    example="15m",
)
PROVIDER_MAX_COST_PER_SESSION = Setting(
    "provider.max_cost_per_session",
    0.0,
    "US dollars that one session can cost before the shell asks; 0: no limit.",
    minimum=0,
)
LIMIT_CONNECT = Setting(
    "provider.limits.connect", 10.0, "Seconds until the connection is made.", minimum=0.1
)
LIMIT_FIRST_TOKEN = Setting(
    "provider.limits.first_token", 60.0, "Seconds until the first token comes.", minimum=0.1
)
LIMIT_BETWEEN_TOKENS = Setting(
    "provider.limits.between_tokens", 60.0, "Seconds from one token to the next.", minimum=0.1
)
LIMIT_WHOLE_REPLY = Setting(
    "provider.limits.whole_reply", 900.0, "Seconds for a whole reply.", minimum=0.1
)
LIMIT_REPLY_BYTES = Setting(
    "provider.limits.reply_bytes", 16_777_216, "Bytes of text in a whole reply.", minimum=1
)
LIMIT_TRIES = Setting(
    "provider.limits.tries",
    3,
    "How often a request is sent at most, while nothing of its reply has come.",
    minimum=1,
)
LIMIT_RETRY_AFTER = Setting(
    "provider.limits.retry_after",
    60.0,
    "Seconds that a busy server can delay the next try; if it asks for more, there is none.",
    minimum=0,
)

CONVERSATION_AUTO_COMPACT = Setting(
    "conversation.auto_compact",
    False,
    "Let the model summarize the older turns before they no longer fit its window.",
)
CONVERSATION_AUTO_TITLE = Setting(
    "conversation.auto_title",
    False,
    "Let a model name a session without a name after its first exchange.",
)
CONVERSATION_TITLE_MODEL = Setting(
    "conversation.title_model",
    "",
    "The model that names sessions; empty: the session's own.",
    example="openai/gpt-4o-mini",
)
CONVERSATION_ATTACHMENT_BYTES = Setting(
    "conversation.attachment_bytes",
    20_971_520,
    "Bytes of one attached file at most.",
    minimum=1,
)

TOOLS_ON = Setting[tuple[str, ...]](
    "tools.on",
    (),
    "Tool boxes, or single tools as BOX.TOOL, that models can call; each call asks first.",
    example="mcp",
)
TOOLS_SECONDS = Setting("tools.seconds", 120.0, "Seconds that one call can take.", minimum=0.1)
TOOLS_OUTPUT_BYTES = Setting(
    "tools.output_bytes",
    65_536,
    "Bytes of one call's result that the model gets; the rest is cut off and marked.",
    minimum=256,
)
TOOLS_ROUNDS = Setting(
    "tools.rounds",
    25,
    "How often a model can call tools in one turn before the shell asks.",
    minimum=1,
)

RENDERER_PLUGIN = Setting("renderer.plugin", "pygments", "Which renderer shows replies.")
RENDERER_THEME = Setting(
    "renderer.theme", "", "The colours of code: a pygments style; empty: one that fits."
)

SHELL_TOOLBAR = Setting("shell.toolbar", True, "Show the line under the input.")
SHELL_HISTORY = Setting("shell.history", True, "Remember what was typed for Up and Ctrl-R.")
SHELL_EDITING_MODE = Setting(
    "shell.editing_mode", "emacs", "The keys of the input line.", choices=("emacs", "vi")
)
SHELL_LAST_EXCHANGES = Setting(
    "shell.last_exchanges",
    2,
    "How many questions and replies are shown when a session is opened.",
    minimum=0,
)
SHELL_TRACE = Setting("shell.trace", False, "Show what each request sends and when it answers.")
SHELL_METRICS = Setting("shell.metrics", False, "Show tokens, times and cost of each reply.")

PLUGINS_OFF = Setting[tuple[str, ...]](
    "plugins.off", (), "Plugins that are not even imported.", example="echo"
)
PLUGINS_SECONDS = Setting(
    "plugins.seconds",
    5.0,
    "Seconds that a plugin's hook can take; the shell goes on without one that takes longer.",
    minimum=0.1,
)

LIMITS: tuple[Setting[Any], ...] = (
    LIMIT_CONNECT,
    LIMIT_FIRST_TOKEN,
    LIMIT_BETWEEN_TOKENS,
    LIMIT_WHOLE_REPLY,
    LIMIT_REPLY_BYTES,
    LIMIT_TRIES,
    LIMIT_RETRY_AFTER,
)

ALL: tuple[Setting[Any], ...] = (
    STORAGE_PLUGIN,
    STORAGE_PATH,
    PROVIDER_PLUGIN,
    PROVIDER_MODEL,
    PROVIDER_API_BASE,
    PROVIDER_API_KEY_ENV,
    PROVIDER_CONTEXT_WINDOW,
    PROVIDER_FALLBACKS,
    PROVIDER_REASONING,
    PROVIDER_KEEP_WARM,
    PROVIDER_MAX_COST_PER_SESSION,
    *LIMITS,
    CONVERSATION_AUTO_COMPACT,
    CONVERSATION_AUTO_TITLE,
    CONVERSATION_TITLE_MODEL,
    CONVERSATION_ATTACHMENT_BYTES,
    TOOLS_ON,
    TOOLS_SECONDS,
    TOOLS_OUTPUT_BYTES,
    TOOLS_ROUNDS,
    RENDERER_PLUGIN,
    RENDERER_THEME,
    SHELL_TOOLBAR,
    SHELL_HISTORY,
    SHELL_EDITING_MODE,
    SHELL_LAST_EXCHANGES,
    SHELL_TRACE,
    SHELL_METRICS,
    PLUGINS_OFF,
    PLUGINS_SECONDS,
)
"""In the order in which the documentation lists them."""

BY_NAME: dict[str, Setting[Any]] = {setting.name: setting for setting in ALL}
