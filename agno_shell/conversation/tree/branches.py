"""Branches: where a message stands among others, where a turn begins, what was taken back."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from agno_shell.contracts import Storage
from agno_shell.conversation.tree import outline
from agno_shell.types import Attachment, Message, Stretch, new_id, now

BEFORE, AFTER = 2, 2
"""Messages shown around the one that is looked for: an exchange on either side."""


class Place(NamedTuple):
    """A message and what stands around it."""

    before: Sequence[Message]
    message: Message
    after: Sequence[Message]
    later: int
    """How many follow behind ``after`` on the way to the head; 0 on another branch."""
    on_the_way: bool
    """Whether the message is on the path to the head, and not on another branch."""


class UndoneTurn(NamedTuple):
    """A turn that is not on the path, and can be again."""

    question: Message
    end: str
    """The id of the last message of it."""


def on_path(path: Sequence[Message], message_id: str) -> Place | None:
    """The place of a message on a path that ends at the head, if it is there."""
    for index in range(len(path) - 1, -1, -1):
        if path[index].id == message_id:
            before = path[max(0, index - BEFORE) : index]
            after = path[index + 1 : index + 1 + AFTER]
            later = len(path) - index - 1 - len(after)
            return Place(before, path[index], after, later, on_the_way=True)
    return None


def around(storage: Storage, session_id: str, message_id: str) -> Place | None:
    """The place of a message, without reading what is not shown; None when the session has no
    such message."""
    place = storage.locate(session_id, (message_id,)).get(message_id)
    if place is None:
        return None
    stretches = storage.outline(session_id)
    newest = storage.messages(session_id, last=1)
    head = storage.locate(session_id, [each.id for each in newest])
    runs = outline.runs_to(stretches, *head.values()) if head else []
    number = outline.number(runs, place)
    if number is None:
        return _elsewhere(storage, session_id, stretches, place)
    before = outline.read(storage, session_id, outline.within(runs, number - 1 - BEFORE, number))
    after = outline.read(storage, session_id, outline.within(runs, number, number + AFTER))
    later = outline.length(runs) - number - len(after)
    return Place(before[:-1], before[-1], after, later, on_the_way=True)


def _elsewhere(
    storage: Storage, session_id: str, stretches: Sequence[Stretch], place: int
) -> Place:
    """A message that is not on the path to the head."""
    runs = outline.runs_to(stretches, place)
    count = outline.length(runs)
    path = outline.read(storage, session_id, outline.within(runs, count - BEFORE - 1, count))
    after: list[Message] = []
    while len(after) < AFTER:
        # Of several that follow, the newest: it stands last in the order of saving.
        following = [each.start for each in stretches if each.parent == place]
        following += [place + 1 for each in stretches if each.start <= place < each.stop - 1]
        if not following:
            break
        place = max(following)
        after += storage.part(session_id, place, place + 1)
    return Place(path[:-1], path[-1], after, 0, on_the_way=False)


def path_to(
    messages: Iterable[Message], message_id: str | None, last: int | None = None
) -> list[Message]:
    """The path from the root to a message, oldest first; with ``last``, its last messages."""
    by_id = {message.id: message for message in messages}
    found: list[Message] = []
    while message_id in by_id and (last is None or len(found) < last):
        found.append(by_id.pop(message_id))  # of a damaged file no message is met twice
        message_id = found[-1].parent
    found.reverse()
    return found


def is_bare(reply: Message) -> bool:
    """Whether nothing at all has come of a reply."""
    return not (reply.content or reply.tool_calls or reply.provider_data or reply.provider_tools)


def turns_below(messages: Sequence[Message], head: str | None) -> list[UndoneTurn]:
    """The turns from ``head``, None for the root, to the newest end of a branch below it.
    Where ``head`` is in the middle of a turn, the rest of that turn is the first."""
    leaf = newest_leaf(messages, head)
    if leaf is None:
        return []
    path = path_to(messages, leaf.id)
    places = [place for place, message in enumerate(path) if message.id == head]
    first = places[0] + 1 if places else 0
    asked = [message for message in path[:first] if message.role == "user"][-1:]
    turns: list[UndoneTurn] = []
    for message in path[first:]:
        if message.role == "user" or not turns:
            question = message if message.role == "user" or not asked else asked[0]
            turns.append(UndoneTurn(question, message.id))
        else:
            turns[-1] = turns[-1]._replace(end=message.id)
    return turns


def newest_leaf(messages: Sequence[Message], below: str | None) -> Message | None:
    """The last message in the order of saving that nothing follows, below a message or,
    with None, anywhere. A reply of which nothing came gives way to another one to the same
    question."""
    parents = {message.id: message.parent for message in messages}
    followed = set(parents.values())
    answered = {each.parent for each in messages if each.role == "assistant" and not is_bare(each)}
    led_elsewhere: set[str] = set()
    for message in messages[::-1]:
        if message.id in followed or message.id == below:
            continue
        if message.role == "assistant" and is_bare(message) and message.parent in answered:
            continue
        if below is None:
            return message
        step = message.parent
        while step is not None and step in parents and step not in led_elsewhere:
            if step == below:
                return message
            led_elsewhere.add(step)
            step = parents[step]
    return None


class Start(NamedTuple):
    follows: str | None
    """The message that the question, or without one the reply, follows; None: the root."""
    question: Message | None = None
    """What the user asks; None: what is there already is answered, or gone on with."""
    model: str | None = None
    """Answers this time, in place of the session's."""


def question_start(follows: str | None, text: str, attachments: Sequence[Attachment] = ()) -> Start:
    """A question that follows any message of the session, or none."""
    return Start(
        follows,
        Message(
            new_id(), "user", text, now(), parent=follows, attachments=tuple(attachments), extra={}
        ),
    )
