"""Looking at everything in a store, and repairing what can be repaired without losing a word.

Looking takes no lock and writes nothing. What looks wrong is looked at again, under the
session's lock where it is to be repaired, because another shell may have been at work.
Nothing is written where nothing is wrong.

The modules, lowest first: ``issue`` is one thing that is wrong and how it is repaired;
``rights``, ``messages``, ``leftovers``, ``record`` and ``session_data`` each know one kind of them;
``session`` looks at one folder, ``listing`` at ``sessions.json``; ``store`` goes through
the whole store.
"""
