"""Whose certificates are accepted: the variables of OpenSSL, of requests and of litellm."""

from __future__ import annotations

import os
from collections.abc import Mapping, MutableMapping
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import ssl

VERIFY = "SSL_VERIFY"
FILES = (VERIFY, "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
"""The first one that is set counts."""


UNCHECKED = (
    "Certificates are not checked, because SSL_VERIFY is false: anyone between this computer"
    " and a server can read the messages, and the key. Remove SSL_VERIFY."
)


class Trust(NamedTuple):
    """What the environment says of it."""

    variable: str = ""
    """The one that names the file with the authorities; empty: those that come with litellm."""
    file: str = ""
    problem: str = ""
    """Why that file cannot be used, a sentence; empty: it can."""
    context: ssl.SSLContext | None = None
    """What was made of the file to know that: reading a usual one takes 17 ms."""


def is_unchecked(environ: Mapping[str, str]) -> bool:
    """Whether litellm is set to accept every certificate."""
    return environ.get(VERIFY, "").strip().lower() == "false"


def take(environ: MutableMapping[str, str]) -> Trust:
    """What holds; litellm, which knows only some of the variables, finds the file in one of
    them, and none that it could not read."""
    if is_unchecked(environ):
        return Trust()
    trust = _find(environ)
    for name in FILES:
        environ.pop(name, None)
    if trust.file and not trust.problem:
        environ["SSL_CERT_FILE"] = trust.file
    return trust


def _find(environ: Mapping[str, str]) -> Trust:
    for name in FILES:
        file = environ.get(name, "").strip()
        if file and not (name == VERIFY and not os.path.exists(file)):  # no file, but a word
            return _read(name, file)
    return Trust()


def _read(name: str, file: str) -> Trust:
    import ssl

    try:
        with open(file, "rb"):
            pass
        context = ssl.create_default_context(cafile=file)
    except ssl.SSLError:
        why = "there is no certificate in it"
    except OSError as error:
        why = (error.strerror or type(error).__name__).lower()
    else:
        return Trust(name, file, context=context)
    return Trust(name, file, f"{name} names {file}, which cannot be used: {why}.")
