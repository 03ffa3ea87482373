from __future__ import annotations


async def test_clear_empties_the_screen_only(context, type_line):
    assert await type_line(context, "/clear") == ""
    assert context.cleared == 1
    assert not context.exited


async def test_exit_leaves(context, type_line):
    await type_line(context, "/exit")
    assert context.exited
    assert context.commands["exit"].aliases == ("quit",)
