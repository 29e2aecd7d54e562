"""Messages with images, audio and files: recorded part by part, in the shapes that the providers' APIs take."""

from __future__ import annotations

from typing import Any

from checked import checked_run

from agenttrace import current_span, trace_llm

PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
SILENCE = "UklGRiQAAABXQVZFZm10IBAAAAABAAEARKwAAIhYAQACABAAZGF0YQAAAAA="

OPENAI_STYLE: list[dict[str, Any]] = [
    {
        "role": "user",
        "content": [
            {"type": "text", "text": "Which town is this, and what is said?"},
            {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PIXEL}"}},
            {"type": "input_audio", "input_audio": {"data": SILENCE, "format": "wav"}},
        ],
    }
]
ANTHROPIC_STYLE: list[dict[str, Any]] = [
    {
        "role": "user",
        "content": [
            {"type": "image", "source": {"type": "url", "url": "https://example.com/oslo.png"}},
            {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "Oslo is rainy."}},
            {"type": "text", "text": "Does the picture fit the text?"},
        ],
    }
]


@trace_llm
def look(messages: list[dict[str, Any]], model: str) -> str:
    """Ask a model about pictures; it is not there, so the answer is fixed."""
    current_span().set_token_counts(prompt=340, completion=5, audio=60)  # the prompt's 340 include the audio's 60
    return "It is Oslo."


with checked_run():
    print(look(OPENAI_STYLE, model="gpt-4o"))
    print(look(ANTHROPIC_STYLE, model="claude-sonnet-4-20250514"))
