"""What a search returns, for storages that can search."""

# ruff: noqa: S101 - a contract is made of assertions

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime, timedelta, timezone

from agno_shell.contracts import Storage
from agno_shell.errors import SessionNotFoundError
from agno_shell.testing.storage_contract.queries import found_by, require_search
from agno_shell.testing.storage_contract.samples import (
    HOSTILE_IDS,
    TEXTS,
    UNKNOWN_ID,
    OpenStore,
    message,
    old_session,
    say,
)
from agno_shell.testing.storage_contract.verdicts import only, refuses, same
from agno_shell.types import Role, SearchHit

LONGEST_SNIPPET = 1000
"""Characters; far more than a few words."""


class SearchHitsContract:
    """Which messages are found, how they are ordered and what is shown of them."""

    def test_a_hit_has_the_session_and_the_message(self, store: Storage) -> None:
        require_search(store)
        session_id = store.create("one", "words", model="m").session_id
        say(store, store.create("other").session_id, "nothing of that kind")
        (question,) = say(store, session_id, "where is it?")
        reply = message(
            "the needle is here",
            question,
            role="assistant",
            status="interrupted",
            model="m",
            provider_data={"a": {"signature": "x"}},
        )
        store.append(session_id, reply)
        hit = only(store.search("needle"), "one message holds the word")
        same(hit.message, reply, "a hit has the whole message")
        same(hit.session, store.open(session_id), "a hit has the session as it is")

    # Filters -----------------------------------------------------------------------------

    def test_search_in_one_session(self, store: Storage) -> None:
        require_search(store)
        ids = [store.create(name).session_id for name in ("a", "b")]
        for session_id in ids:
            say(store, session_id, f"needle {session_id}")
        for session_id in ids:
            found = [
                hit.session.session_id for hit in store.search("needle", session_id=session_id)
            ]
            same(found, [session_id], "search(session_id=…) finds in this session alone")
        for ident in (UNKNOWN_ID, *HOSTILE_IDS):
            with refuses(SessionNotFoundError, f"search(session_id={ident[:60]!r})"):
                store.search("needle", session_id=ident)

    def test_search_by_role(self, store: Storage) -> None:
        require_search(store)
        session_id = store.create("roles").session_id
        (question,) = say(store, session_id, "a needle?")
        previous = message("no needle.", question, role="assistant")
        store.append(session_id, previous)
        others: tuple[Role, ...] = ("tool", "summary")
        for role in others:
            previous = message(f"a {role}'s needle", previous, role=role)
            store.append(session_id, previous)
        found = [hit.message.content for hit in store.search("needle", role="user")]
        same(found, ["a needle?"], "search(role='user') finds what the user wrote")
        found = [hit.message.content for hit in store.search("needle", role="assistant")]
        same(found, ["no needle."], "search(role='assistant') finds what the model wrote")
        for role in others:
            found = [hit.message.content for hit in store.search("needle", role=role)]
            same(found, [f"a {role}'s needle"], f"search(role={role!r}) finds that role alone")
        same(store.search("needle", role="system"), [], "search(role='system') finds no other")

    def test_search_since_a_moment(self, store: Storage) -> None:
        require_search(store)
        session_id = store.create("since").session_id
        began = datetime(2024, 1, 1, 23, 30, tzinfo=UTC)
        for day in range(3):
            at = began + timedelta(days=day)
            store.append(session_id, message(f"needle {day}", created_at=at))
        for since, expected in (
            (began, ["needle 0", "needle 1", "needle 2"]),
            (began + timedelta(microseconds=1), ["needle 1", "needle 2"]),
            (
                (began + timedelta(days=1)).astimezone(timezone(timedelta(hours=9))),
                ["needle 1", "needle 2"],
            ),
            (began + timedelta(days=3), []),
        ):
            found = sorted(hit.message.content for hit in store.search("needle", since=since))
            same(found, expected, f"search(since={since.isoformat()}) leaves out what is older")

    def test_search_with_a_limit(self, store: Storage) -> None:
        require_search(store)
        session_id = store.create("limit").session_id
        say(store, session_id, *(f"needle {number}" for number in range(25)))
        found = store.search("needle", limit=100)
        same(len(found), 25, "search(limit=100) finds all 25")
        for limit in (1, 3):
            same(
                len(store.search("needle", limit=limit)),
                limit,
                f"search(limit={limit}) stops there",
            )
        same(len(store.search("needle")), 20, "search() stops at 20")

    # Order and snippets ------------------------------------------------------------------

    def test_the_best_comes_first(self, store: Storage) -> None:
        require_search(store)
        long = " ".join(f"word{number}" for number in range(300))
        session_id = store.create("ranking").session_id
        say(store, session_id, "walrus, walrus, walrus!", f"{long} walrus {long}")
        say(store, session_id, f"{long} needle {long}", "needle needle needle")
        say(store, session_id, *(f"{number} {long}" for number in range(5)))
        for word in ("walrus", "needle"):
            found = [len(hit.message.content) for hit in store.search(word)]
            same(
                found,
                sorted(found),
                f"a text that says {word} thrice and little else comes before a long one",
            )
            best = only(store.search(word, limit=1), "search(limit=1) finds one message")
            same(len(best.message.content), found[0], "search(limit=1) returns the best")

    def test_a_snippet_is_a_part_of_the_message(self, store: Storage) -> None:
        require_search(store)
        session_id = store.create("snippets").session_id
        filler = "\n".join(f"line {number} of a long text" for number in range(400))
        texts = [
            "Needle",
            "so a NEEDLE it is",
            f"{filler}\nthe needle,\t{filler}",
            f"{filler} needle",
        ]
        texts += [f"{text} needle {text}" for text in TEXTS]
        say(store, session_id, *texts)
        hits = store.search("needle", limit=100)
        same(len(hits), len(texts), "every message with the word is found")
        for hit in hits:
            marked = _marked(hit)
            assert marked, f"a snippet marks what was looked for, but it is {hit.snippet!r:.300}."
            for each in marked:
                same(each.casefold(), "needle", "what is marked is what was looked for")

    def test_a_snippet_marks_words_phrases_and_prefixes(self, store: Storage) -> None:
        require_search(store)
        session_id = store.create("marks").session_id
        say(store, session_id, "The quick brown fox likes walnuts, and 我们去公园散步 as well.")
        for query, expected in (
            ("fox", {"fox"}),
            ("QUICK fox", {"quick", "fox"}),
            ("waln*", {"waln", "walnuts"}),
            ('"quick brown"', {"quick brown", "quick", "brown"}),
            ("公园", {"公园"}),
        ):
            hit = only(store.search(query), f"{query!r} finds the message")
            marked = set(_marked(hit))
            assert marked, f"the snippet of {query!r} marks what was looked for"
            same(marked - expected, set(), f"the snippet of {query!r} marks nothing else")

    # What is searched --------------------------------------------------------------------

    def test_what_was_just_saved_is_found(self, open_store: OpenStore) -> None:
        with closing(open_store()) as one, closing(open_store()) as two:
            require_search(one)
            session_id = one.create("fresh").session_id
            expected: list[str] = []
            for number, store in enumerate((one, two, two, one)):
                expected.append(f"needle {number}")
                say(store, session_id, expected[-1])
                for each in (one, two):
                    found_by(each, "needle", expected, "a message as soon as it is saved")
            session, messages = old_session()
            two.import_session(session, [*messages[:-1], messages[-1]._replace(content="needle 4")])
            found_by(one, "needle", [*expected, "needle 4"], "messages that were imported")
        with closing(open_store()) as store:
            found_by(store, "needle", [*expected, "needle 4"], "everything in a reopened store")

    def test_a_rescued_reply_is_found(self, open_store: OpenStore) -> None:
        with closing(open_store()) as store:
            require_search(store)
            session_id = store.create("rescued").session_id
            (question,) = say(store, session_id, "?")
            found_by(store, "needle", [], "nothing yet")
            store.save_partial(session_id, message("a needle, hal", question, role="assistant"))
        with closing(open_store()) as store:
            store.open(session_id)
            found_by(store, "needle", ["a needle, hal"], "a reply that open() has rescued")

    def test_other_branches_are_found(self, store: Storage) -> None:
        require_search(store)
        session_id = store.create("branches").session_id
        messages = say(store, session_id, "a question", "the first needle")
        store.update(session_id, head=messages[0].id)
        say(store, session_id, "the second needle")
        found_by(store, "needle", ["the first needle", "the second needle"], "all branches")

    def test_deleted_sessions_are_not_found(self, open_store: OpenStore) -> None:
        with closing(open_store()) as store, closing(open_store()) as other:
            require_search(store)
            kept, thrown = (store.create(name).session_id for name in ("kept", "thrown away"))
            say(store, thrown, *["needle"] * 30)
            say(store, kept, "this needle stays, which says much more than that one word")
            same(len(store.search("needle", limit=100)), 31, "search() finds all sessions")
            trash_id = other.delete(thrown).trash_id
            for each in (store, other):
                found = [hit.session.session_id for hit in each.search("needle", limit=5)]
                same(found, [kept], "search() finds nothing in deleted sessions")
            session, messages = old_session()
            deleted = [*messages[:-1], messages[-1]._replace(content="needle")]
            store.import_session(session, deleted, deleted_at=session.updated_at)
            same(len(other.search("needle")), 1, "search() finds nothing imported into the trash")
            other.restore(trash_id)
            for each in (store, other):
                found_hits = each.search("needle", limit=100)
                same(len(found_hits), 31, "search() finds restored sessions again")

    def test_a_renamed_session_is_found_by_its_new_name(self, open_store: OpenStore) -> None:
        with closing(open_store()) as store, closing(open_store()) as other:
            require_search(store)
            session_id = store.create("old name").session_id
            say(store, session_id, "a needle")
            store.search("needle")
            other.update(session_id, name="new name")
            for each in (store, other):
                hit = only(each.search("needle"), "one message holds the word")
                same(hit.session.name, "new name", "a hit shows the name that the session has now")


def _marked(hit: SearchHit) -> list[str]:
    """The marked pieces of a snippet that is a part of the message, and not too long."""
    text = "".join(piece for piece, _is_found in hit.snippet)
    # What is left out may be shown by dots, and white space by one blank.
    shown = " ".join(text.strip().removeprefix("…").removesuffix("…").split())
    assert shown in " ".join(hit.message.content.split()), (
        f"the pieces of a snippet join to a part of the message, but this is {text!r:.300}."
    )
    assert len(text) <= LONGEST_SNIPPET, (
        f"a snippet is a few words, but this one has {len(text)} characters."
    )
    return [piece for piece, is_found in hit.snippet if is_found]
