"""What is asked, in the form of a protocol."""

from __future__ import annotations

import hashlib

from agno_shell.builtin.direct_provider.endpoint import endpoint
from agno_shell.builtin.direct_provider.writing import written
from agno_shell.events import Request
from agno_shell.testing.provider_contract import PNG
from agno_shell.types import Attachment, Message, new_id, now


def test_the_responses_api_is_asked_as_openais_own_types_allow() -> None:
    cat = Attachment("cat.png", "image/png", hashlib.sha256(PNG).hexdigest(), len(PNG))
    request = Request(
        "openai/o3-pro",
        (
            Message(new_id(), "user", "What is it?", now(), attachments=(cat,)),
            Message(new_id(), "assistant", "A cat.", now()),
            Message(new_id(), "user", "Which one?", now()),
        ),
        files={cat.sha256: PNG},
    )
    key = {"OPENAI_API_KEY": "sk-fake-0000"}
    at = endpoint(request.model, None, None, key, lambda _model: "openai")
    post = written(request, at, {"mode": "responses", "supports_vision": True}).post
    assert post.path == "/responses"
    asked, answered, _again = post.body["input"]
    (image,) = (part for part in asked["content"] if part["type"] == "input_image")
    assert image["detail"] == "auto"
    assert answered == {"role": "assistant", "content": "A cat."}, "parts want an id"
