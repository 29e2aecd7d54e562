"""A span of each kind as the specification has it, written out by hand."""

from __future__ import annotations

from typing import Any

Attributes = dict[str, Any]

LLM: Attributes = {
    "openinference.span.kind": "LLM",
    "llm.model_name": "gpt-4o-2024-08-06",
    "llm.request.model_name": "gpt-4o",
    "llm.system": "openai",
    "llm.provider": "azure",
    "llm.invocation_parameters": '{"temperature": 0.5}',
    "llm.finish_reason": "tool_calls",
    "llm.input_messages.0.message.role": "system",
    "llm.input_messages.0.message.content": "Be brief.",
    "llm.input_messages.1.message.role": "user",
    "llm.input_messages.1.message.contents.0.message_content.type": "text",
    "llm.input_messages.1.message.contents.0.message_content.text": "What is this?",
    "llm.input_messages.1.message.contents.1.message_content.type": "image",
    "llm.input_messages.1.message.contents.1.message_content.image.image.url": "https://example.com/a.png",
    "llm.input_messages.1.message.contents.2.message_content.type": "document",
    "llm.input_messages.1.message.contents.2.message_content.document.document.mime_type": "application/pdf",
    "llm.input_messages.1.message.contents.2.message_content.document.document.id": "file-1",
    "llm.input_messages.2.message.role": "tool",
    "llm.input_messages.2.message.content": "rain",
    "llm.input_messages.2.message.name": "get_weather",
    "llm.input_messages.2.message.tool_call_id": "call-0",
    "llm.output_messages.0.message.role": "assistant",
    "llm.output_messages.0.message.contents.0.message_content.type": "reasoning",
    "llm.output_messages.0.message.contents.0.message_content.text": "A picture, so",
    "llm.output_messages.0.message.contents.0.message_content.signature": "c2ln",
    "llm.output_messages.0.message.contents.1.message_content.type": "tool_use",
    "llm.output_messages.0.message.contents.1.tool_call.id": "call-1",
    "llm.output_messages.0.message.contents.1.tool_call.function.name": "look",
    "llm.output_messages.0.message.contents.1.tool_call.function.arguments": '{"closer": true}',
    "llm.output_messages.0.message.tool_calls.0.tool_call.id": "call-1",
    "llm.output_messages.0.message.tool_calls.0.tool_call.function.name": "look",
    "llm.output_messages.0.message.tool_calls.0.tool_call.function.arguments": '{"closer": true}',
    "llm.tools.0.tool.name": "look",
    "llm.tools.0.tool.description": "Looks at something.",
    "llm.tools.0.tool.json_schema": '{"type": "function", "function": {"name": "look"}}',
    "llm.token_count.prompt": 30,
    "llm.token_count.prompt_details.cache_read": 10,
    "llm.token_count.prompt_details.cache_write": 20,
    "llm.token_count.prompt_details.audio": 5,
    "llm.token_count.prompt_details.of_our_own": 7,
    "llm.token_count.completion": 12,
    "llm.token_count.completion_details.reasoning": 12,
    "llm.token_count.total": 42,
    "llm.cost.prompt": 0.5,
    "llm.cost.completion": 0.25,
    "llm.cost.total": 0.75,
    "llm.cost.prompt_details.cache_read": 0.1,
    "input.value": '{"messages": []}',
    "input.mime_type": "application/json",
    "output.value": "a picture",
    "output.mime_type": "text/plain",
    "session.id": "s-1",
    "user.id": "ada",
    "metadata": '{"team": "weather"}',
    "tag.tags": ["beta"],
}
COMPLETION: Attributes = {
    "openinference.span.kind": "LLM",
    "llm.model_name": "our-own-7b",
    "llm.provider": "our-cluster",
    "llm.prompts.0.prompt.text": "Once upon",
    "llm.choices.0.completion.text": " a time",
    "llm.prompt_template.template": "{start}",
    "llm.prompt_template.variables": '{"start": "Once upon"}',
    "llm.prompt_template.version": "v2",
}
EMBEDDING: Attributes = {
    "openinference.span.kind": "EMBEDDING",
    "embedding.model_name": "text-embedding-3-small",
    "embedding.invocation_parameters": '{"encoding_format": "float"}',
    "embedding.embeddings.0.embedding.text": "hello",
    "embedding.embeddings.0.embedding.vector": [0.5, 1.0],
    "embedding.embeddings.1.embedding.vector": [0.25, -1.0],
    "llm.token_count.prompt": 2,
    "llm.token_count.total": 2,
}
RETRIEVER: Attributes = {
    "openinference.span.kind": "RETRIEVER",
    "input.value": "rain",
    "retrieval.documents.0.document.id": "d-1",
    "retrieval.documents.0.document.content": "It rains.",
    "retrieval.documents.0.document.score": 0.5,
    "retrieval.documents.0.document.metadata": '{"source": "notes"}',
    "retrieval.documents.1.document.id": 2,
}
RERANKER: Attributes = {
    "openinference.span.kind": "RERANKER",
    "reranker.query": "rain",
    "reranker.model_name": "rerank-v3.5",
    "reranker.top_k": 1,
    "reranker.input_documents.0.document.content": "It rains.",
    "reranker.input_documents.1.document.content": "It snows.",
    "reranker.output_documents.0.document.content": "It rains.",
    "reranker.output_documents.0.document.score": 0.75,
    "llm.token_count.total": 5,
}
TOOL: Attributes = {
    "openinference.span.kind": "TOOL",
    "tool.name": "get_weather",
    "tool.description": "The weather somewhere.",
    "tool.parameters": '{"type": "object", "properties": {}}',
    "tool.id": "call-1",
    "input.value": '{"city": "Oslo"}',
    "input.mime_type": "application/json",
}
AGENT: Attributes = {
    "openinference.span.kind": "AGENT",
    "agent.name": "planner",
    "graph.node.id": "planner-1",
    "graph.node.name": "planner",
    "graph.node.parent_id": "",
    "input.images.0.image.url": "__REDACTED__",
    "output.documents.0.document.url": "s3://bucket/report.pdf",
    "input.audio.url": "https://example.com/question.wav",
    "input.audio.mime_type": "audio/wav; codecs=1",
    "input.audio.transcript": "What is the weather?",
}
CHAIN: Attributes = {
    "openinference.span.kind": "CHAIN",
    "session.id": "s-1",
    "annotations.0.annotation.name": "correctness",
    "annotations.0.annotation.score": 1,
    "annotations.0.annotation.annotator_kind": "HUMAN",
    "annotations.0.annotation.identifier": "reviewer-1",
    "annotations.0.annotation.metadata": '{"rubric": 2}',
    "annotations.1.annotation.name": "tone",
    "annotations.1.annotation.explanation": "Friendly throughout.",
    "trace.evaluations.0.evaluation.name": "quality",
    "trace.evaluations.0.evaluation.label": "good",
    "trace.evaluations.0.evaluation.annotator_kind": "our own jury",
    "session.annotations.0.annotation.name": "coherence",
    "session.annotations.0.annotation.score": 0.5,
}
EVALUATOR: Attributes = {
    "openinference.span.kind": "EVALUATOR",
    "agenttrace.annotation.carrier": True,
    "evaluations.0.evaluation.name": "correctness",
    "evaluations.0.evaluation.score": 0.5,
}
PROMPT: Attributes = {
    "openinference.span.kind": "PROMPT",
    "prompt.id": "p-1",
    "prompt.url": "https://example.com/p-1",
    "prompt.vendor": "our own",
}
DECISION: Attributes = {
    "openinference.span.kind": "DECISION",
    "decision.system": "typesafe",
    "decision.provider": "our-cluster",
    "decision.model_name": "jev-1.13.0",
    "decision.token_count.input": 12,
    "decision.token_count.output": 2,
}
GUARDRAIL: Attributes = {"openinference.span.kind": "GUARDRAIL", "input.value": "x"}
UNKNOWN: Attributes = {"openinference.span.kind": "UNKNOWN"}

LINKS = {"EVALUATOR": 1}
"""To how many spans those of a kind refer, where it is any."""

CORRECT: dict[str, Attributes] = {
    "LLM": LLM,
    "LLM of a completions API": COMPLETION,
    "EMBEDDING": EMBEDDING,
    "RETRIEVER": RETRIEVER,
    "RERANKER": RERANKER,
    "TOOL": TOOL,
    "AGENT": AGENT,
    "CHAIN": CHAIN,
    "EVALUATOR": EVALUATOR,
    "PROMPT": PROMPT,
    "DECISION": DECISION,
    "GUARDRAIL": GUARDRAIL,
    "UNKNOWN": UNKNOWN,
}
