"""A model call said by hand: for a model that you speak to in a way of your own, from which nothing can be read."""

from __future__ import annotations

from checked import checked_run

from agenttrace import trace_llm, trace_tool

QUESTION = "What is the weather in Oslo?"


@trace_tool
def get_weather(city: str) -> str:
    """Look up today's weather in a city."""
    return f"14 °C and rain in {city}"


with checked_run():
    weather = get_weather("Oslo")
    with trace_llm("answer", input=QUESTION) as call:
        call.set_model("gpt-4o-2024-08-06", provider="azure", request_name="gpt-4o")
        call.set_invocation_parameters({"temperature": 0.2, "max_tokens": 200})
        call.set_tools([get_weather])  # its schema is read from the function
        asked = {"id": "call_1", "name": "get_weather", "arguments": {"city": "Oslo"}}
        call.set_input_messages(
            [
                {"role": "system", "content": "You are a weather assistant."},
                {"role": "user", "content": QUESTION},
                {"role": "assistant", "tool_calls": [asked]},
                {"role": "tool", "tool_call_id": "call_1", "name": "get_weather", "content": weather},
            ]
        )
        answer = "It rains in Oslo, at 14 °C."  # here you would call the model
        call.set_output_messages(answer)
        call.set_output(answer)
        call.set_finish_reason("stop")
        call.set_token_counts(prompt=120, completion=14, cache_read=64)  # the prompt's 120 include the cached 64
        call.set_cost(prompt=0.00022, completion=0.00014)
    print(answer)
