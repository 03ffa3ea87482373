from __future__ import annotations

from typing import Any

import pytest

from agno_shell.contracts import Figures
from agno_shell.conversation.accounts.figures import Ledger, is_reply, of_messages, of_usage, plus
from agno_shell.types import Message, Usage, new_id, now


def said(role: Any = "assistant", usage: Usage | None = None, **given: Any) -> Message:
    return Message(new_id(), role, "text", now(), usage=usage, **{"model": "m", **given})


def test_what_is_unknown_stays_unknown() -> None:
    assert of_messages([said()]) == Figures(1, unpriced=1)
    assert of_messages([said(usage=Usage(5, None))]) == Figures(1, 5, unpriced=1)


def test_sums_are_over_what_is_known() -> None:
    messages = [
        said(usage=Usage(10, 5, 1, 2, 0.25)),
        said("user", model=None),
        said(usage=Usage(1, 1)),
        said(usage=Usage(None, 7, cost=0.5)),
    ]
    assert of_messages(messages) == Figures(3, 11, 13, 1, 2, 0.75, unpriced=1)


def test_a_cost_of_nothing_is_a_price() -> None:
    assert of_usage(Usage(5, 5, cost=0.0)) == Figures(1, 5, 5, cost=0.0)
    assert plus(of_usage(Usage(cost=0.0)), Figures()).cost == 0.0


@pytest.mark.parametrize(
    ("message", "counts"),
    [
        (said(), True),
        (said(status="interrupted"), True),
        (said(model=None), True),  # taken over from elsewhere
        (said(status="failed"), False),
        (said(status="failed", usage=Usage(5)), True),
        (said("summary"), True),
        (said("summary", model=None), False),  # brings everything back; nobody was asked
        (said(extra={"finish_reason": "next_speaker"}), False),  # another message goes on with it
        (said(extra={"finish_reason": "length"}), True),
        (said("user"), False),
        (said("tool"), False),
        (said("system"), False),
    ],
)
def test_what_is_a_reply(message: Message, counts: bool) -> None:
    assert is_reply(message) is counts


def test_the_ledger_counts_each_session_and_the_run() -> None:
    ledger = Ledger()
    ledger.add("a", said(usage=Usage(1, 1, cost=1.0)))
    ledger.add("b", said(usage=Usage(2, 2, cost=2.0)))
    ledger.add("b", said("user", model=None))
    ledger.add_usage("b", Usage(4, 4, cost=4.0))
    assert ledger.run == Figures(3, 7, 7, cost=7.0)
    assert ledger.in_session("a").cost == 1.0
    assert ledger.in_session("b").cost == 6.0
    assert ledger.in_session("c") == Figures()


def test_a_reply_that_is_stored_by_now_is_not_counted_twice() -> None:
    ledger = Ledger()
    own, other = said(usage=Usage(cost=1.0)), said(usage=Usage(cost=2.0))
    ledger.add("a", own)
    assert ledger.others("a", [other, own]).cost == 2.0
    assert ledger.others("b", [other, own]).cost == 3.0


def test_a_reply_that_takes_another_id_is_not_counted_twice() -> None:
    ledger = Ledger()
    said = Message(new_id(), "assistant", "Hi", now(), usage=Usage(1, 1, cost=0.5))
    ledger.add("session", said)
    beginning = said._replace(content="H", usage=None, status="interrupted")
    again = said._replace(id=new_id())
    ledger.rename("session", {said.id: again.id})
    assert ledger.others("session", [beginning, again]) == Figures()
    assert ledger.in_session("session").cost == 0.5
