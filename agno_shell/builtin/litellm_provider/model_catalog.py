"""What litellm's bundled tables know of models; nothing here contacts anybody."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

from agno_shell.builtin.litellm_provider import counting
from agno_shell.builtin.litellm_provider.errors import in_plain_words
from agno_shell.builtin.model_services import endpoints, trust
from agno_shell.builtin.model_services.destination import (
    NO_KEY,
    Destination,
    destination,
    may_carry,
    parse_address,
)
from agno_shell.builtin.model_services.keys import (
    WITH_MODELS,
    is_set,
    key_variable,
    no_key,
    unusable,
)
from agno_shell.builtin.model_services.nearest import nearest
from agno_shell.builtin.model_services.services import service_of
from agno_shell.builtin.model_services.target import Target, abilities
from agno_shell.builtin.model_services.way import DIRECT, Way
from agno_shell.errors import ProviderError
from agno_shell.types import NOTHING

_CHAT_MODES = ("chat", "responses")
_ASKS_ITS_SERVER = ("ollama", "ollama_chat", "lemonade")
"""litellm would make a synchronous request to learn about these models."""
_OTHER_SIGN_IN = ("azure", "azure_ai", "bedrock", "sagemaker", "vertex_ai")
"""Providers that can be signed in to without a key in a variable."""


class ModelCatalog:
    """Models, prices and keys. Make it after litellm has been imported."""

    def __init__(
        self, api_base: str | None = None, api_key_env: str | None = None, way: Way = DIRECT
    ) -> None:
        self.way = way
        self._api_base = api_base
        self._api_key_env = api_key_env

    @cached_property
    def providers(self) -> frozenset[str]:
        """The prefixes that litellm knows."""
        import litellm

        return frozenset(str(getattr(name, "value", name)) for name in litellm.provider_list)

    @cached_property
    def _chat_models(self) -> dict[str, str]:
        """Model name to provider."""
        import litellm

        return {
            name: entry.get("litellm_provider", "")
            for name, entry in litellm.model_cost.items()
            if entry.get("mode") in _CHAT_MODES and not name.startswith("ft:")
        }

    def destination(self, model: str, api_base: str | None) -> Destination:
        """Where ``model`` is asked, its key checked. Raises :class:`ProviderError`."""
        variable = self._api_key_env if api_base == self._api_base else None
        goal = destination(model, api_base, variable, os.environ, self.providers)
        if api_base is not None:
            service = service_of(goal.model)
            address = parse_address(api_base, "api_base")
            return goal._replace(own=endpoints.is_own(service and service.prefix, address))
        provider = self._provider(model)
        if provider is None:
            raise ProviderError(
                f"No model is called {model}.", hint=self.nearest(model), kind="unknown_model"
            )
        if given := self._endpoint(provider):
            return self._given(model, provider, given)
        variable = key_variable(provider, os.environ)
        if problem := unusable(variable or "", os.environ.get(variable or "", "")):
            raise problem
        missing = self._missing_key(model, provider)
        if missing:
            raise ProviderError(
                f"No key for {provider}: the environment variable {missing} is not set.",
                hint="Set it and start agno-shell again, or choose another model with /model.",
                kind="authentication",
            )
        return goal._replace(where=provider, key_variable=variable)

    def _endpoint(self, provider: str) -> endpoints.AddressVariable | None:
        """The address that the environment gives to a service. Where litellm also signs in
        without a key, it reads both itself."""
        if provider in _OTHER_SIGN_IN:
            return None
        return endpoints.endpoint(provider, self.way.endpoints)

    def _given(self, model: str, provider: str, given: endpoints.AddressVariable) -> Destination:
        """A service at the address that the environment gives; its key goes there, as it does
        with the service's own library, but not in the clear."""
        address, source = given
        held = {
            name: os.environ.get(name, "").strip() for name in endpoints.key_variables(provider)
        }
        variable = next((name for name, key in held.items() if key), None)
        key = held[variable] if variable else NO_KEY
        if variable:
            may_carry(key, variable, address, source)
        name = model if model.startswith(f"{provider}/") else f"{provider}/{model}"
        own = endpoints.is_own(provider, address)
        where = provider if own else address.where
        return Destination(name, where, variable, address.url, key, source, own)

    def _provider(self, model: str) -> str | None:
        import litellm

        try:
            found = litellm.get_llm_provider(model)
        except Exception as error:
            # litellm has no error of its own for a name that it does not know; to some
            # services it signs in here, and says what went wrong.
            if model.partition("/")[0] in self.providers:
                raise ProviderError(
                    f"{model} cannot be used: {in_plain_words(error)}",
                    hint="Choose another model with /model.",
                ) from error
            return None
        return str(found[1]) if found[1] else None

    @staticmethod
    def _missing_key(model: str, provider: str) -> str:
        """The variables of which one must be set, or an empty string."""
        import litellm

        if provider in _OTHER_SIGN_IN:
            return ""
        found = litellm.validate_environment(model)
        names = [str(name) for name in found["missing_keys"]]
        keys = [name for name in names if name.endswith(("_API_KEY", "_TOKEN"))]
        ours = [each.key_variable for each in WITH_MODELS if each.key_variable in keys]
        return (ours or keys or [""])[0]

    def models(self) -> list[str]:
        """Names for completion: models of the services whose keys are set."""
        present = {
            provider
            for provider in set(self._chat_models.values())
            if os.environ.get(key_variable(provider, os.environ) or "")
        }
        return sorted(name for name, provider in self._chat_models.items() if provider in present)

    def nearest(self, model: str) -> str:
        """A hint that names the models whose names are nearest to ``model``."""
        return nearest(model, self._chat_models)

    def target(self, goal: Destination) -> Target:
        """What decides how a request to ``goal`` is written."""
        prefix, slash, name = goal.model.partition("/")
        provider = prefix if slash and prefix in self.providers else self._provider(goal.model)
        if provider != prefix:
            name = goal.model
        return Target(goal, provider or "", name, self._entry(goal.model))

    def _entry(self, model: str) -> Mapping[str, Any]:
        """The row of a model in litellm's tables; empty when there is none."""
        import litellm

        table: Mapping[str, Mapping[str, Any]] = litellm.model_cost
        if model.partition("/")[0] in _ASKS_ITS_SERVER:
            return table.get(model, NOTHING)
        try:
            return table.get(str(litellm.get_model_info(model)["key"]), NOTHING)
        except Exception:
            # It raises a bare Exception for a model that is not in the tables.
            return NOTHING

    def context_window(self, model: str) -> int | None:
        """Tokens that a request may hold; None when the tables do not say."""
        if model.partition("/")[0] in _ASKS_ITS_SERVER:
            return None  # the server decides, whatever the model could
        window = self._entry(model).get("max_input_tokens")
        return None if window is None else int(window)

    def input_price(self, model: str) -> float | None:
        """US dollars for one token that is sent; None without a known price."""
        price = self._entry(model).get("input_cost_per_token")
        return None if price is None else float(price)

    def abilities(self, model: str) -> dict[str, bool | None]:
        """What the tables say that a model can take."""
        return abilities(self._entry(model))._asdict()

    def count_tokens(self, model: str, messages: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """The tokens of each message of :func:`sendable.message_record`."""
        tokenizer = counting.tokenizer(model.rpartition("/")[2], self._entry(model))
        tokens, exact = counting.count_messages(tokenizer, messages)
        return {"tokens": tokens, "exact": exact}

    def cost(self, model: str, counts: Mapping[str, Any]) -> float | None:
        """US dollars for token counts in OpenAI's form; None without a known price."""
        import litellm

        try:
            usage = litellm.Usage(**counts)
            parts = litellm.cost_per_token(
                model=model,
                prompt_tokens=usage.prompt_tokens,
                completion_tokens=usage.completion_tokens,
                usage_object=usage,
            )
        except Exception:
            # It raises a bare Exception for a model without a price.
            return None
        return float(sum(parts))

    def check(self, model: str | None = None) -> list[str]:
        """What is wrong with the address, the keys and ``model``, a sentence each.

        It only looks things up: to some services litellm signs in when it is asked where
        a model with their prefix is.
        """
        found = [trust.UNCHECKED] if trust.is_unchecked(os.environ) else []
        if self._api_base is not None:
            goal = self._api_base, self._api_key_env
            try:
                destination(model or "any", *goal, os.environ, self.providers)
            except ProviderError as error:
                found.append(error.sentence())
            return found
        if model is None:
            any_key = any(is_set(each.key_variable, os.environ) for each in WITH_MODELS)
            return found if any_key else [*found, no_key()]
        prefix = model.partition("/")[0]
        provider = prefix if prefix in self.providers else self._provider(model)
        if provider is None:
            return [*found, f"No model is called {model}. {self.nearest(model)}"]
        return found + self._check_service(model, provider)

    def _check_service(self, model: str, provider: str) -> list[str]:
        try:
            if given := self._endpoint(provider):
                self._given(model, provider, given)
                return []
        except ProviderError as error:
            return [error.sentence()]
        variable = key_variable(provider, os.environ) or ""
        if problem := unusable(variable, os.environ.get(variable, "")):
            return [problem.sentence()]
        return [
            f"No key for {service.prefix}: the environment variable {service.key_variable} is"
            " not set. Set it and start agno-shell again, or choose another model."
            for service in WITH_MODELS
            if service.prefix == provider and not is_set(service.key_variable, os.environ)
        ]
