"""Who answers in the open session, where, and how."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agno_shell.config import settings
from agno_shell.contracts import Address, Provider
from agno_shell.conversation.models import Choice, Models, configured_reasoning
from agno_shell.conversation.open_session import OpenSession
from agno_shell.types import Reasoning

if TYPE_CHECKING:
    from agno_shell.config import Agent, Config


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
