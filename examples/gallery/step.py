"""Steps and chains: what an agent's code does between its calls, and where in its graph that is."""

from __future__ import annotations

from checked import checked_run

from agenttrace import trace_agent, trace_chain, trace_step


@trace_chain(graph_node_id="clean", graph_node_parent_id="digest")
def clean(text: str) -> list[str]:
    """The words that matter."""
    return [word.strip(".,").lower() for word in text.split() if len(word) > 3]


@trace_agent(graph_node_id="digest")
def digest(text: str) -> dict[str, int]:
    """Count the words of ``text`` that matter."""
    words = clean(text)
    with trace_step("count", input=words, metadata={"unit": "words"}, tags=["cheap"]) as step:
        step.set_graph_node("count", name="Count", parent_id="clean")
        counts = {word: words.count(word) for word in words}
        step.add_event("counted", {"words": len(counts)})
        step.set_output(counts)
    return counts


with checked_run():
    print(digest("Rain in the morning, and rain in the evening."))
