"""One question and its reply, as a stream of events.

1 save the person's message · 2 choose what is sent · 3 let plugins look · 4 stream ·
5 save the reply with its state. It knows no terminal.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from datetime import datetime
from typing import TYPE_CHECKING

from agno_shell.conversation.stream import Stream, failure
from agno_shell.errors import AgnoShellError, StorageError
from agno_shell.events import (
    Event,
    Failed,
    Finished,
    Interrupted,
    MessageSaved,
    NotSaved,
    ReasoningDelta,
    Request,
    RequestPrepared,
    TextDelta,
    TurnEvent,
    UsageReported,
)
from agno_shell.types import Message, Status, Timing, Usage, new_id, now

if TYPE_CHECKING:
    from agno_shell.conversation.conversation import Conversation
    from agno_shell.conversation.models import Choice

PARTIAL_SECONDS = 1.0
"""A crash loses at most this much of the text that was shown."""


Ending = Finished | Failed | Interrupted


class Turn:
    """One turn of a conversation: iterate :meth:`events` to the end, stop it any time."""

    def __init__(self, conversation: Conversation, text: str) -> None:
        self._conversation = conversation
        self._question = Message(
            new_id(), "user", text, now(), parent=conversation.head(), extra={}
        )
        self._reply_id = new_id()
        self._text: list[str] = []
        self._usage: Usage | None = None
        self._began = 0.0
        self._first_token: float | None = None
        self._said_at: datetime | None = None
        self._preparing: asyncio.Task[tuple[Request, int]] | None = None
        self._stream: Stream | None = None
        self._stopped = False
        self._partial: asyncio.TimerHandle | None = None
        self.reply: Message | None = None
        """The reply as it was stored, once the turn is over."""

    def stop(self) -> None:
        """Stop the reply; the events go on to their end and what was shown is kept."""
        self._stopped = True
        if self._preparing:
            self._preparing.cancel()
        if self._stream:
            self._stream.stop()

    async def events(self) -> AsyncGenerator[TurnEvent, None]:
        """The turn. The last events are how it ended and then the saving of the reply."""
        conversation = self._conversation
        choice = conversation.choice
        ending: Ending = Interrupted()
        saved = await conversation.add(self._question)
        try:
            yield saved
            prepared = await self._prepare()
            if isinstance(prepared, tuple):
                request, omitted = prepared
                yield RequestPrepared(request, omitted)
                conversation.plugins.turn_started(conversation.session, request)
                self._began = time.monotonic()
                self._stream = Stream(conversation.models.provider(choice), request)
                if self._stopped:
                    self._stream.stop()
                async with aclosing(self._stream.events()) as events:
                    async for event in events:
                        if isinstance(event, Finished | Failed):
                            ending = self._judge(event)
                            break
                        self._take(event)
                        yield event
            else:
                ending = prepared
            yield ending
        finally:
            # Also when whoever reads the events fails: what was shown is kept.
            self.reply = self._finish(ending, choice)
            saved = await conversation.add(self.reply)
        yield saved
        conversation.plugins.turn_finished(conversation.session, self.reply)

    async def _prepare(self) -> tuple[Request, int] | Failed | Interrupted:
        """Choose what is sent; the provider may still be starting, so this can be stopped."""
        if self._stopped:
            return Interrupted()
        self._preparing = asyncio.create_task(self._conversation.prepare())
        try:
            return await self._preparing
        except AgnoShellError as error:
            return failure(error)
        except asyncio.CancelledError:
            if self._stopped:
                return Interrupted()
            raise
        # A provider may be anybody's plugin; its bug costs one reply and not the shell.
        except Exception as error:
            reason = f"{type(error).__name__}: {error}"
            return Failed("other", f"The request could not be prepared: {reason}")
        finally:
            self._preparing = None

    def _elapsed(self) -> float | None:
        return time.monotonic() - self._began if self._began else None

    def _judge(self, ending: Finished | Failed) -> Finished | Failed:
        """A reply without a word in it is no answer, whatever the provider says."""
        if isinstance(ending, Finished) and ending.reason == "stop" and not self._text:
            return Failed("server", "The model sent an empty reply.", "Send the message again.")
        return ending

    def _take(self, event: Event) -> None:
        if isinstance(event, TextDelta | ReasoningDelta) and self._first_token is None:
            self._first_token = time.monotonic() - self._began
        if isinstance(event, TextDelta):
            self._said_at = self._said_at or now()
            self._text.append(event.text)
            if self._partial is None:
                loop = asyncio.get_running_loop()
                self._partial = loop.call_later(PARTIAL_SECONDS, self._save_partial)
        elif isinstance(event, UsageReported):
            self._usage = event.usage

    def _message(self, status: Status, model: str) -> Message:
        return Message(
            self._reply_id,
            "assistant",
            "".join(self._text),
            # The same in each state of the reply, so that a storage need only keep what was
            # added to the one before.
            self._said_at or now(),
            parent=self._question.id,
            status=status,
            model=model,
        )

    def _save_partial(self) -> None:
        self._partial = None
        message = self._message("interrupted", self._conversation.choice.model)
        self._conversation.keep_partial(message)

    def _finish(self, ending: Ending, choice: Choice) -> Message:
        if self._partial:
            self._partial.cancel()
        message = self._message(_status(ending, bool(self._text)), choice.model)
        data = _storable(ending.provider_data) if isinstance(ending, Finished) else {}
        return message._replace(
            usage=self._usage,
            timing=Timing(self._first_token, self._elapsed()),
            provider_data={choice.provider: dict(data)} if data else {},
            extra=_reason(ending),
        )


def _storable(data: Mapping[str, object]) -> Mapping[str, object]:
    """What can be written as JSON; one message that cannot would hold up all later ones."""
    import json

    try:
        json.dumps(data, allow_nan=False)
    except (TypeError, ValueError, RecursionError):
        return {}
    return data


def _status(ending: Ending, has_text: bool) -> Status:
    if isinstance(ending, Interrupted):
        return "interrupted"
    if isinstance(ending, Failed):
        return "incomplete" if has_text else "failed"
    return "complete" if ending.reason in ("stop", "tool_calls") else "incomplete"


def _reason(ending: Ending) -> dict[str, object]:
    """Why a reply is not complete, kept with it for those who read the file later."""
    if isinstance(ending, Failed):
        return {"error": {"kind": ending.kind, "message": ending.message}}
    if isinstance(ending, Finished) and ending.reason not in ("stop", "tool_calls"):
        return {"finish_reason": ending.reason}
    return {}


def saved_or_not(message: Message, error: StorageError | None) -> MessageSaved | NotSaved:
    """The event that tells whether a message is on disk."""
    if error is None:
        return MessageSaved(message)
    said = error.sentence().removeprefix("Nothing was saved: ")
    return NotSaved(message, said if "not saved" in said else f"The message was not saved: {said}")
