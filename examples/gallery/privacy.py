"""Privacy: what may not be recorded is hidden before it leaves the call, in errors too."""

from __future__ import annotations

import re

from checked import checked_run

from agenttrace import TraceConfig, trace_agent, trace_llm, trace_tool


def redact(key: str, text: str) -> str:
    """Called for every text that is to be recorded: no e-mail address gets through."""
    return re.sub(r"[\w.+-]+@[\w.-]+", "<e-mail>", text)


@trace_tool
def log_in(user: str, password: str) -> str:
    """An argument whose name says that it is a secret is never recorded, whatever is configured."""
    raise PermissionError(f"{user} may not log in")


@trace_llm(model="gpt-4o-mini")
def ask(messages: list[dict[str, str]]) -> str:
    """Ask the model; it is not there, so the answer is fixed."""
    return "She lives in Oslo."


@trace_agent
def assistant(question: str) -> str:
    """Answer a question about a person."""
    try:
        return log_in("ann@example.com", password="correct horse")  # noqa: S106 - which is the point
    except PermissionError as error:
        return f"{ask([{'role': 'user', 'content': question}])} ({error})"


# hide_outputs: results and answers are not recorded at all. OPENINFERENCE_HIDE_OUTPUTS=true does the same.
with checked_run(config=TraceConfig(redact=redact, hide_outputs=True)):
    print(assistant("Where does ann@example.com live?"))
