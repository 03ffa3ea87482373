"""What servers say in the body of a refusal, with a status that many of them share."""

from __future__ import annotations

import pytest

from agno_shell.builtin.model_services.destination import Destination
from agno_shell.builtin.model_services.failures import FailureContext, ServerError, by_status

URL = "http://127.0.0.1:9/v1"
CASE = FailureContext(Destination("openai/m", "127.0.0.1:9", "A_KEY", URL), "m", False, str)


@pytest.mark.parametrize(
    ("status", "detail", "code"),
    [
        (400, "Invalid model name passed in model=m. Call `/v1/models` to view them.", ""),
        (400, "Invalid model: m", "1500"),
        (400, "Model Not Exist", "invalid_request_error"),
        (400, "Model not found: m", ""),
        (400, "m is not a valid model ID", ""),
        (400, "The model `m` does not exist or you do not have access to it.", ""),
        (422, "No such model", ""),
        (404, "The requested resource was not found.", "model_not_found"),
    ],
)
def test_a_model_that_a_server_does_not_have_is_no_fault_of_the_message(
    status: int, detail: str, code: str
) -> None:
    failed = by_status(CASE, ServerError(status, detail, code))
    assert failed.kind == "unknown_model", "what is refused would be held back from every model"
    assert f"({status})" in failed.message
    assert "/model" in failed.hint


@pytest.mark.parametrize(
    "detail",
    [
        "Invalid model input: the image cannot be read.",
        "Unknown model parameter: top_k",
        "This model does not support images.",
        "messages.3: tool result without its call",
    ],
)
def test_what_is_wrong_with_the_message_itself_is_refused(detail: str) -> None:
    assert by_status(CASE, ServerError(400, detail)).kind == "refused"


def test_a_page_that_is_not_there_is_a_wrong_address() -> None:
    assert by_status(CASE, ServerError(404, "Not Found")).kind == "wrong_address"


def test_a_proxy_without_a_database_did_not_accept_the_key() -> None:
    failed = by_status(CASE, ServerError(400, "No connected db.", "no_db_connection 400"))
    assert failed.kind == "authentication"
    assert "A_KEY" in failed.message
