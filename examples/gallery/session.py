"""Sessions: several runs that are one conversation, with the user, metadata and tags of each span in it."""

from __future__ import annotations

from checked import checked_run

from agenttrace import current_span, trace_agent, trace_llm, using_metadata, using_session, using_tags, using_user

history: list[dict[str, str]] = []


@trace_llm(model="gpt-4o-mini")
def complete(messages: list[dict[str, str]]) -> str:
    """The model's next message; it is not there, so it counts."""
    return f"That was message {len(messages)}."


@trace_agent
def turn(text: str) -> str:
    """One turn of the conversation: a trace of its own."""
    history.append({"role": "user", "content": text})
    answer = complete(history)
    history.append({"role": "assistant", "content": answer})
    current_span().set_metadata({"turn": len(history) // 2})
    return answer


with checked_run(), using_session("conversation-42"), using_user("ann"), using_metadata({"release": "1.4"}):
    print(turn("Hello!"))
    with using_tags(["follow-up"]):
        print(turn("And now?"))
