"""Notices that a plugin holds up the shell's loop, and breaks it off.

What runs where keys are read (a renderer, a command, a provider's coroutine) can stop all of
them. A thread asks the loop to show itself four times a second. Where it does not, Ctrl-C is
made a signal of the terminal for as long as that lasts, because the loop reads no keys; and
a signal raises :class:`PluginStuckError` inside the plugin's own frames, nowhere else. A timer
of the system sends it, because native code, such as a search for a pattern, may let no thread
run meanwhile.

What cannot be broken off: native code that neither lets go of the interpreter nor looks for
signals, or that does so in another thread than the loop's.
"""

from __future__ import annotations

import asyncio
import os
import signal
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from types import FrameType
from typing import Any

from agno_shell.shell.keyboard import Keyboard
from agno_shell.toolkit.guarding import PluginStuckError

LOOK_SECONDS = 0.25

EMERGENCY_SECONDS = 1.0
"""How long a signal to leave may wait for a plugin that cannot be broken off."""

BREAK_OFF = getattr(signal, "SIGALRM", None)
"""None: this system has no signal that would do."""

OWN = ("agno_shell", "prompt_toolkit")
"""What must not be broken off in the middle of what it does."""


class Watchdog:
    """Watches a loop from a thread, until :meth:`stop`.

    ``owner_of`` names the plugin that a module belongs to; ``seconds`` is for how long one
    may hold up the keys; ``look`` is called at every look.
    """

    def __init__(
        self,
        keyboard: Keyboard,
        *,
        owner_of: Callable[[str], str],
        seconds: float,
        look: Callable[[], None],
    ) -> None:
        self._keyboard = keyboard
        self._owner_of = owner_of
        self._seconds = seconds
        self._look = look
        self._loop = asyncio.get_running_loop()
        self._shown = time.monotonic()
        """When the loop has shown itself last."""
        self._is_asked = False
        """Whether it is to show itself."""
        self._wanted: tuple[int, float] | None = None
        """The last signal of the user's, and when it came, until the loop shows itself."""
        self._before: dict[int, Any] = {}
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="watchdog", daemon=True)

    def start(self, leaving: Iterable[int]) -> None:
        """Begin; ``leaving`` are the signals that end the shell. Call it in the thread of the
        loop, once that takes them."""
        if threading.current_thread() is threading.main_thread() and BREAK_OFF is not None:
            # The loop hears of them as before: it is woken in another way than by these.
            for number in (BREAK_OFF, signal.SIGINT, *leaving):
                self._before[number] = signal.signal(number, self._signalled)
        self._show()
        self._thread.start()

    def stop(self) -> None:
        """End, and take no signals any more."""
        self._stopped.set()
        if self._before:
            signal.setitimer(signal.ITIMER_REAL, 0)
        for number, handler in self._before.items():
            if signal.getsignal(number) == self._signalled:
                signal.signal(number, handler)
        self._before.clear()

    # In the loop, and in signal handlers ------------------------------------------------

    def _show(self) -> None:
        self._shown, self._wanted, self._is_asked = time.monotonic(), None, False
        self._keyboard.rest()
        if self._before and not self._stopped.is_set():
            signal.setitimer(signal.ITIMER_REAL, self._seconds + LOOK_SECONDS, LOOK_SECONDS)

    def _signalled(self, number: int, frame: FrameType | None) -> None:
        """Runs in the loop's thread, also while that is held up."""
        if number != BREAK_OFF:
            since = self._wanted[1] if self._wanted else time.monotonic()
            self._wanted = number, since
        held = time.monotonic() - self._shown
        # Where nothing is held up the loop hears of it at once.
        is_late = held > (2 * LOOK_SECONDS if self._wanted else self._seconds)
        if is_late and self._is_foreign(frame):
            raise PluginStuckError(f"it held up the keys for {held:.1f} seconds")

    def _is_foreign(self, frame: FrameType | None) -> bool:
        """Whether a plugin runs, and none of our code that it has called."""
        while frame is not None:
            module = frame.f_globals.get("__name__") or ""
            if self._owner_of(module):
                return True
            if module.partition(".")[0] in OWN:
                return False
            frame = frame.f_back
        return False

    # In the thread ----------------------------------------------------------------------

    def _run(self) -> None:
        while not self._stopped.wait(LOOK_SECONDS):
            self._look()
            if not self._is_asked:
                self._is_asked = True
                with suppress(RuntimeError):  # the loop is closed
                    self._loop.call_soon_threadsafe(self._show)
                continue
            self._keyboard.listen()
            if self._wanted:
                self._break_off()
            if self._wanted and time.monotonic() - self._wanted[1] > EMERGENCY_SECONDS:
                self._leave_now(self._wanted[0])

    def _break_off(self) -> None:
        """Now, and not only when the time is up."""
        main = threading.main_thread().ident
        if BREAK_OFF is not None and main is not None and self._before:
            signal.pthread_kill(main, BREAK_OFF)

    def _leave_now(self, number: int) -> None:
        """The loop cannot be had back. Everything shown is stored by now. Ctrl-C is no wish
        to leave; the next one, or another signal, may do better."""
        if number == signal.SIGINT:
            return
        self._keyboard.restore()
        with suppress(OSError, ValueError):
            os.write(2, b"agno-shell: a plugin did not let go of the shell, so it was ended.\n")
        os._exit(128 + number)
