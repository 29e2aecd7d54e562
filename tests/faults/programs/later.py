"""The next program that registers the same destination: it ends no span, and goes when it is told to."""

from __future__ import annotations

from tests.faults.programs.parts import await_word, say, set_up

if __name__ == "__main__":
    set_up()
    say(registered=True)
    await_word()
