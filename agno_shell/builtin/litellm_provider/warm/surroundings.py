"""The environment that a server is started with: what the interpreter and the import of litellm
go by, and no key.

Everything else comes with each connection, into the process that is forked for it.
"""

from __future__ import annotations

from collections.abc import Mapping

from agno_shell.builtin.model_services.redact import hidden

_WHERE = ("HOME", "TMPDIR", "TMP", "TEMP", "XDG_CACHE_HOME", "LANG", "LANGUAGE", "TZ", "NO_COLOR")
_LOADED = ("LD_LIBRARY_PATH", "LD_PRELOAD", "OPENSSL_CONF", "OPENSSL_MODULES", "SSL_CERT_DIR")
"""What the dynamic linker and OpenSSL read once."""

_IMPORTED = (
    *("SSL_VERIFY", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERTIFICATE"),
    *("SSL_SECURITY_LEVEL", "SSL_ECDH_CURVE", "DISABLE_AIOHTTP_TRANSPORT", "AIOHTTP_TRUST_ENV"),
    *("LITELLM_LOG", "LITELLM_DROP_PARAMS", "LITELLM_MODIFY_PARAMS", "LITELLM_HTTP2"),
    "LITELLM_USER_AGENT",
)
"""What litellm and its clients read when they are imported, as far as people set it."""

_NAMES = frozenset((*_WHERE, *_LOADED, *_IMPORTED))
_BEGINNINGS = ("LC_", "PYTHON", "DYLD_", "__PYVENV")


def scrubbed(environ: Mapping[str, str]) -> dict[str, str]:
    """The part of an environment that goes along."""
    chosen = {
        name: value
        for name, value in environ.items()
        if name in _NAMES or name.startswith(_BEGINNINGS)
    }
    secret = set(hidden(chosen))
    return {
        name: value for name, value in chosen.items() if not any(each in value for each in secret)
    }
