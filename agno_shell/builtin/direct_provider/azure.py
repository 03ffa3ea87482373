"""Azure OpenAI, where a model is a deployment at an address of one's own.

Its protocol has two forms: since August 2025 the paths of OpenAI below ``/openai/v1``, without a
version; before that a path for each deployment, with the version as a parameter.
https://learn.microsoft.com/azure/foundry/openai/api-version-lifecycle
"""

from __future__ import annotations

import re
from collections.abc import Mapping

PREFIX = "azure"

VERSION_VARIABLES = ("AZURE_API_VERSION", "OPENAI_API_VERSION")
"""As litellm, and as OpenAI's own library calls the variable; the first one that is set counts."""

_UNDATED = ("v1", "latest", "preview")
"""Versions of the newer form; only ``preview`` has to be given."""

SIGN_INS_OF_LITELLM = ("AZURE_CLIENT_SECRET", "AZURE_FEDERATED_TOKEN_FILE", "AZURE_PASSWORD")
"""Ways to sign in at Entra for which a token has to be asked for first."""

_PATH = re.compile(r"/openai(?:/.*)?$")
"""What Azure's pages show behind the address of a resource."""


def version(environ: Mapping[str, str]) -> str:
    """The version of the protocol that the environment names; empty: the newer form."""
    named = (environ.get(variable, "").strip() for variable in VERSION_VARIABLES)
    return next(filter(None, named), "")


def shaped(url: str, deployment: str, version: str) -> tuple[str, str]:
    """The address that the paths of OpenAI's protocol are put behind, and the parameters that
    follow them. ``url`` may be that of the resource, or one copied from Azure's pages."""
    from urllib.parse import quote, urlsplit  # every launch looks at this module

    parts = urlsplit(url)
    base = f"{parts.scheme}://{parts.netloc}{_PATH.sub('', parts.path.rstrip('/'))}/openai"
    if version and version not in _UNDATED:
        return f"{base}/deployments/{quote(deployment, safe='')}", f"api-version={quote(version)}"
    return f"{base}/v1", "api-version=preview" if version == "preview" else ""


def has_responses(prefix: str, url: str) -> bool:
    """Whether the responses API is asked below an address of :func:`shaped`."""
    return prefix == PREFIX and url.endswith("/openai/v1")


def signs_in_elsewhere(environ: Mapping[str, str]) -> bool:
    """Whether the environment has a way to sign in that litellm alone knows, and no key."""
    return any(environ.get(variable, "").strip() for variable in SIGN_INS_OF_LITELLM)
