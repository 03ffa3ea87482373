"""Which provider answers, and under which model name: of all that are configured, and in the
open session."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple, cast

from agno_shell.config import settings
from agno_shell.contracts import (
    Address,
    Background,
    KnownModel,
    ModelList,
    Provider,
    ProviderFactory,
)
from agno_shell.conversation.open_session import OpenSession
from agno_shell.errors import AgnoShellError
from agno_shell.toolkit.guarding import let_through, quiet
from agno_shell.toolkit.terminal_text import clean_line
from agno_shell.types import Reasoning

if TYPE_CHECKING:
    from agno_shell.config import Agent, Config

OFFLINE = "offline"
"""The provider, and the model name, for when no model is set up."""


CLOSING_SECONDS = 5.0
"""How long a provider may take to close, before it is left behind."""


class Choice(NamedTuple):
    """A model and the provider that has it."""

    provider: str
    model: str


def configured_reasoning(config: Config) -> Reasoning | None:
    """``[provider] reasoning``; None where models are to do as they do by themselves."""
    # The setting takes no other words.
    return cast("Reasoning | None", config[settings.PROVIDER_REASONING] or None)


class Models:
    """The configured providers and the offline one, opened when first needed.

    ``others`` are asked, in their order, for the models that ``preferred`` does not have.
    """

    def __init__(
        self,
        preferred: ProviderFactory,
        offline: ProviderFactory,
        open_provider: Callable[[ProviderFactory], Provider],
        *,
        default: str | None,
        environ: Mapping[str, str],
        others: Sequence[ProviderFactory] = (),
        api_base: str | None = None,
    ) -> None:
        self._online = (preferred, *others)
        self._factories = {each.name: each for each in (offline, *self._online)}
        self._api_base = api_base
        self._open = open_provider
        self._opened: dict[str, Provider] = {}
        self.default = default or preferred.default_model(environ)
        """The model of a session that names none; None: no model is set up."""

    def choose(self, name: str | None, api_base: str | None = None) -> Choice:
        """The provider and model for a name; None stands for the default. ``api_base`` is
        the server that is asked, if it is another than the configured one."""
        model = name or self.default
        if model is None or model == OFFLINE:
            return Choice(OFFLINE, OFFLINE)
        base = api_base or self._api_base
        having = (each.name for each in self._online if each.answers(model, base))
        return Choice(next(having, self._online[-1].name), model)

    def in_turn(
        self, first: Choice, fallbacks: Iterable[str], api_base: str | None = None
    ) -> tuple[Choice, ...]:
        """Who is asked, one after the other while each is down. What the offline provider
        is asked goes to nobody else."""
        if first.provider == OFFLINE:
            return (first,)
        others = (self.choose(name, api_base) for name in fallbacks)
        return tuple(dict.fromkeys((first, *others)))

    def provider(self, choice: Choice) -> Provider:
        """The open provider of a choice."""
        if choice.provider not in self._opened:
            self._opened[choice.provider] = self._open(self._factories[choice.provider])
        return self._opened[choice.provider]

    def address(self, choice: Choice, api_base: str | None) -> Address | None:
        """Where a choice is asked, if not at the address of its own service."""
        if choice.provider == OFFLINE:
            return None
        try:
            return self.provider(choice).address(choice.model, api_base)
        except (Exception, SystemExit):
            # It may be anybody's plugin; what keeps it from answering is said when it is asked to.
            return Address(api_base) if api_base else None

    def asked_at(self, choice: Choice, api_base: str | None) -> str:
        """The address at which a choice is asked, as far as its provider says it."""
        with quiet():
            return clean_line(str(self.provider(choice).asked_at(choice.model, api_base)), 300)
        return ""

    async def listed(self, choice: Choice, api_base: str | None, *, ask: bool) -> ModelList:
        """The models that can be used. Where no model is set up, those of the provider that
        would be asked for one as well. Without ``ask`` they are names that are known already,
        where a provider knows any."""
        found = await _listed(self.provider(choice), choice.model, api_base, ask=ask)
        if choice.provider != OFFLINE:
            return found
        online = self._online[0]
        if online.name == OFFLINE:
            return found
        more = ModelList(())
        # Nobody has chosen it yet; what is wrong with it is said when it is.
        with quiet():
            provider = self.provider(Choice(online.name, ""))
            more = await _listed(provider, "", api_base, ask=ask)
        return ModelList((*found.models, *more.models), more.note or found.note)

    def cautions(self, choice: Choice) -> Sequence[str]:
        """What makes every request to a choice less safe than it should be."""
        try:
            return [clean_line(str(each), 300) for each in self.provider(choice).cautions()]
        except (Exception, SystemExit):
            return ()

    async def background(self, *, end: bool = False) -> list[tuple[str, Background]]:
        """What the configured providers keep running for the next shell, each with the name of
        its provider; with ``end`` it is ended. Raises :class:`AgnoShellError` where one says why
        it cannot tell."""
        found = []
        for factory in self._online:
            try:
                provider = self.provider(Choice(factory.name, ""))
                there = await (provider.end_background() if end else provider.background())
                found += [(factory.name, each) for each in there]
            except AgnoShellError:
                raise
            except BaseException as error:
                let_through(error)
                # It may be anybody's plugin; that it cannot tell is no reason to hide the others'.
        return found

    async def close(self) -> None:
        """Close every provider that was opened."""
        while self._opened:
            _name, provider = self._opened.popitem()
            # A provider may be anybody's plugin; the next one is closed all the same.
            closing = asyncio.ensure_future(_closed(provider))
            await asyncio.wait([closing], timeout=CLOSING_SECONDS)


async def _listed(provider: Provider, model: str, api_base: str | None, *, ask: bool) -> ModelList:
    if ask:
        return await provider.list_models("" if model == OFFLINE else model, api_base)
    return ModelList([KnownModel(name) for name in await provider.models()])


async def _closed(provider: Provider) -> None:
    with quiet():
        await provider.close()


class CurrentModel:
    """The session's choice, else its agent's, else the configured one."""

    def __init__(self, session: OpenSession, models: Models, config: Config) -> None:
        self._session = session
        self.models = models
        self._config = config
        self.agents = dict(config.agents)
        """The configured agents by name, and those made since."""

    @property
    def agent(self) -> Agent | None:
        """The session's agent, if the configuration (still) has it."""
        name = self._session.record.agent
        return self.agents.get(name) if name else None

    @property
    def choice(self) -> Choice:
        """The model and its provider."""
        agent = self.agent
        model = self._session.record.model or (agent.model if agent else None)
        return self.models.choose(model, self.api_base)

    @property
    def api_base(self) -> str | None:
        """The server: the session's own, else the configured one; None: the one that the
        model's name implies."""
        return self._session.record.api_base or self._config[settings.PROVIDER_API_BASE] or None

    @property
    def address(self) -> Address | None:
        """Where the model is asked, if not at the address of its own service."""
        return self.models.address(self.choice, self.api_base)

    @property
    def asked_at(self) -> str:
        """Where the model is asked, as far as its provider tells."""
        return self.models.asked_at(self.choice, self.api_base)

    @property
    def provider(self) -> Provider:
        return self.models.provider(self.choice)

    @property
    def reasoning(self) -> Reasoning | None:
        """How much the model is to think; None: as the model does by itself."""
        agent = self.agent
        chosen = self._session.record.reasoning or (agent.reasoning if agent else None)
        return chosen or configured_reasoning(self._config)

    @property
    def default_window(self) -> int:
        """Tokens of a model whose window is not known."""
        return self._config[settings.PROVIDER_CONTEXT_WINDOW]

    def choices(self, model: str | None = None) -> tuple[Choice, ...]:
        """Who is asked, one after the other while each is down; only ``model`` where one is
        named, because that one is wanted and no other."""
        if model is not None:
            return (self.models.choose(model, self.api_base),)
        own = self.agent.fallbacks if self.agent else ()
        others = (*own, *self._config[settings.PROVIDER_FALLBACKS])
        return self.models.in_turn(self.choice, others, self.api_base)
