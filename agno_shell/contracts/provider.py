"""What answers requests."""

# Annotations are not left as text here (PEP 563): a named tuple would compile each of them
# at every start.

from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from agno_shell.types import NOTHING, Message

if TYPE_CHECKING:
    from agno_shell.events import Event, Request


class ProviderOptions(NamedTuple):
    """What a provider is opened with."""

    settings: Mapping[str, Any] = NOTHING
    """The table ``[plugins.NAME]`` of the configuration."""
    limits: Mapping[str, float] = NOTHING
    """Seconds and bytes from ``[provider.limits]``: connect, first_token,
    between_tokens, whole_reply, reply_bytes, and others that are not a provider's."""
    api_base: str | None = None
    """The server of ``[provider] api_base``; a request may name another one."""
    api_key_env: str | None = None
    """The environment variable whose key belongs to ``api_base``, and to nobody else."""
    log: str | None = None
    """The absolute path of a file for what the provider's own libraries print."""
    keep_warm: float = 0
    """Seconds that what takes long to start may be kept ready when the last shell has ended; 0:
    not at all."""
    runtime_dir: str = ""
    """The absolute path of a folder for sockets, which may not be there yet; empty: the system
    has none."""


class Address(NamedTuple):
    """A server that is asked instead of the service that a model's name belongs to."""

    url: str
    """Without a user name or password in it."""
    chosen_by: str = ""
    """The environment variable that says so; empty: the user did, as ``api_base``."""


class Abilities(NamedTuple):
    """What a model can take; None where that is not known."""

    images: bool | None = None
    pdf: bool | None = None
    tools: bool | None = None
    reasoning: bool | None = None


class KnownModel(NamedTuple):
    """A model that can be used, and what is known of it."""

    name: str
    window: int | None = None
    """Tokens that a request may hold."""
    largest_window: int | None = None
    """Tokens that one could hold, where its server is set up for fewer or does not say."""
    input_price: float | None = None
    """US dollars for one token that is sent."""
    output_price: float | None = None
    """US dollars for one token of a reply."""


class ModelList(NamedTuple):
    """The models that can be used, in the order in which they are shown."""

    models: Sequence[KnownModel]
    note: str = ""
    """A sentence about servers that could not be asked; empty where all was well."""


class TokenCounts(NamedTuple):
    """The tokens of messages, one number each."""

    tokens: list[int]
    exact: bool
    """Whether the model's own tokenizer counted; else they are an estimate."""


class Background(NamedTuple):
    """A process that a provider keeps running for the next shell."""

    pid: int
    about: str
    """What it keeps ready, in a few words: ``litellm 1.110.2``."""
    age: float
    """Seconds since it was started."""
    serving: int
    """How many shells it serves."""
    keep: float
    """Seconds that it stays when the last of them has ended."""
    starting: bool = False
    """Whether it is not ready yet; then only ``pid`` is known."""


class Provider(ABC):
    """Answers requests. Opening one is cheap; it does its slow work in :meth:`start`.

    It tries once: trying again, and asking another model, is the engine's part, which
    reads ``Failed.temporary`` and ``Failed.retry_after``.

    Providers raise :class:`~agno_shell.errors.ProviderError`; :meth:`stream` yields
    ``Failed`` instead of raising.
    """

    name: str

    async def start(self) -> None:  # noqa: B027 - many providers need no warm-up
        """Get ready in the background; called once the prompt stands."""

    @abstractmethod
    def stream(self, request: "Request") -> "AsyncGenerator[Event, None]":
        """Answer; the last event is ``Finished`` or ``Failed``. Closing the iterator
        (``aclose``) or cancelling its task closes the connection."""

    def address(self, model: str, api_base: str | None = None) -> Address | None:
        """Where ``model`` is asked, if not at the address of its own service; then nobody
        knows its price either. ``api_base`` is that of the request. Cheap: it is asked for
        before the first prompt."""
        return Address(api_base) if api_base else None

    def asked_at(self, model: str, api_base: str | None = None) -> str:
        """The address at which ``model`` is asked, its own service's as well, for a user to
        read; empty where it is not known. As cheap as :meth:`address`."""
        return ""

    def cautions(self) -> Sequence[str]:
        """What makes every request less safe than it should be, a sentence each, said when
        the shell is started; usually nothing. As cheap as :meth:`address`."""
        return ()

    async def models(self) -> Sequence[str]:
        """Names that can be used as a model, for completion; may be empty."""
        return ()

    async def list_models(self, model: str = "", api_base: str | None = None) -> ModelList:
        """The models that can be used, for a user who wants to see them: only now may servers be
        asked for theirs, for a few seconds at most. ``model`` is the one in use, or empty, and
        ``api_base`` its server. Who waits may be cancelled, and ask again; by default they are
        those of :meth:`models`."""
        return ModelList([KnownModel(name) for name in await self.models()])

    async def context_window(self, model: str) -> int | None:
        """How many tokens a request to ``model`` may hold; None when unknown."""
        return None

    async def current_window(self, model: str, api_base: str | None = None) -> int | None:
        """The window of a model to which something is sent now, as its server has it: that
        may be asked, for a few seconds at most. None where there is nothing to add to
        :meth:`context_window`, as with most services."""
        return None

    async def count_tokens(self, model: str, messages: Sequence[Message]) -> TokenCounts:
        """The tokens of each message, nobody contacted; by default an estimate of four
        bytes a token."""
        sizes = (len(each.content.encode("utf-8", "replace")) for each in messages)
        return TokenCounts([size // 4 + 4 for size in sizes], exact=False)

    async def input_price(self, model: str) -> float | None:
        """US dollars for one token that is sent to ``model``; None when not known. Nobody is
        contacted."""
        return None

    async def abilities(self, model: str) -> Abilities:
        """What ``model`` can take, nobody contacted."""
        return Abilities()

    async def check(self, model: str | None = None) -> list[str]:
        """What is wrong with the set-up, for ``model`` if one is named: a sentence each;
        empty when all is well. Nobody is contacted."""
        return []

    async def background(self) -> Sequence[Background]:
        """The processes that it keeps running for the next shell, whoever started them. Nothing
        is started for the answer."""
        return ()

    async def end_background(self) -> Sequence[Background]:
        """End these processes, and say which they were. Shells that are served go on."""
        return ()

    async def close(self) -> None:  # noqa: B027 - many providers hold nothing open
        """Stop everything that was started."""


class ProviderFactory(NamedTuple):
    """A provider by name.

    ``default_model`` names the model that the environment suggests (its keys), or
    None. ``answers`` says whether it has a model, given its name and the address that it is
    to be asked at, or None: where no provider is configured, the first that does is asked.
    Neither imports or contacts anything.
    """

    name: str
    summary: str
    open: Callable[[ProviderOptions], Provider]
    default_model: Callable[[Mapping[str, str]], str | None] = lambda _environ: None
    answers: Callable[[str, str | None], bool] = lambda _model, _api_base: True
