"""Which provider answers, and under which model name."""

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
from agno_shell.errors import AgnoShellError
from agno_shell.toolkit.guarding import let_through, quiet
from agno_shell.toolkit.terminal_text import clean_line
from agno_shell.types import Reasoning

if TYPE_CHECKING:
    from agno_shell.config import Config

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
