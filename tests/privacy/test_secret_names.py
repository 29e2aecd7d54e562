"""Which names name a secret: what docs/privacy.md says in its table."""

from __future__ import annotations

import random
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openinference.semconv.trace import SpanAttributes

from agenttrace.semconv.secrets import harmless, is_secret_attribute, is_secret_name, secret_names
from agenttrace.semconv.vocabulary import TYPES

SECRET = (
    "password passwd pwd passphrase passcode db_password dbpassword userPassword password2 password_hint "
    "secret client_secret clientSecret CLIENT_SECRET secret_key _Agent__secret "
    "api_key apikey apiKey APIKey X-Api-Key OPENAI_API_KEY OPENAI_API_KEY_PROD api_key_2 tavily_key ssh_key "
    "private_key privateKey access_key aws_secret_access_key AWS_ACCESS_KEY_ID encryption_key x-functions-key "
    "token HF_TOKEN access_token refreshToken session_token csrf-token id_token oauth2Token refresh_tokens "
    "auth basic_auth auth_header Authorization Proxy-Authorization bearer jwt otp credentials creds "
    "cookie cookies Set-Cookie session_cookie smtp_pass connection_string connectionString seed_phrase"
)
HARMLESS = (
    "tokens max_tokens maxTokens token_count prompt_tokens input_tokens cached_tokens token_type tokenizer "
    "next_page_token eos_token pad_token stop_token "
    "key keys key_1 primary_key public_key sort_key cache_key idempotency_key keyword monkey "
    "author authors authority oauth authentication secretary secretion "
    "cookies_policy cookie_consent password_policy max_password_length has_password api_key_name "
    "private_key_path access_token_url credentials_file token_ttl "
    "pass passed first_pass passenger passage compass bypass pin context connection session_id username input text"
)


@pytest.mark.parametrize("name", SECRET.split())
def test_names_of_secrets(name: str) -> None:
    """In snake, kebab and camel case, in capitals, with a number or a word of its place behind it."""
    assert is_secret_name(name)
    assert is_secret_name(name)
    assert name not in harmless


@pytest.mark.parametrize("name", HARMLESS.split())
def test_harmless_names(name: str) -> None:
    """Words that only begin like one, counts, and what is said about a secret and doesn't tell it."""
    assert not is_secret_name(name)
    assert not is_secret_name(name)


def test_what_was_looked_at_is_remembered_in_bounds() -> None:
    """Harmless names are kept for the next time, few and short ones; however many there are, all are judged."""
    numbers = random.Random(0)
    names = [f"name {numbers.random()}" for _ in range(20_000)]
    assert secret_names([*names, "password"]) == ["password"]
    for start in range(0, len(names), 500):
        assert secret_names(names[start : start + 500]) == []
    assert 0 < len(harmless) <= 4096
    assert secret_names(["x" * 1000]) == []
    assert "x" * 1000 not in harmless


@given(st.lists(st.text(max_size=40)))
def test_many_names_are_judged_as_each_alone(names: list[str]) -> None:
    """The short cuts for many names find what a look at each finds."""
    both = [*names, *SECRET.split()[:5], *HARMLESS.split()[:5]]
    assert secret_names(both) == [name for name in both if is_secret_name(name)]


@given(st.text(alphabet=st.characters(min_codepoint=32, max_codepoint=126)))
def test_any_text_can_be_asked_for(name: str) -> None:
    """Names may have any character; what has a secret's word between others is one."""
    assert is_secret_name(f"my_password {re.sub('[A-Za-z]', '', name)}")
    assert is_secret_name(name) in (True, False)


def test_no_reserved_attribute_is_a_secret() -> None:
    """OpenInference's own names are not, whatever they are called; other attributes go by their last part."""
    assert not [key for key in TYPES if is_secret_attribute(key)]
    assert not is_secret_attribute(f"{SpanAttributes.LLM_INPUT_MESSAGES}.0.message.tool_call_id")
    assert is_secret_attribute("app.api_key")
    assert is_secret_attribute("http.request.header.authorization")
    assert is_secret_attribute("password")
    assert not is_secret_attribute("password.length")
    assert not is_secret_attribute("app.key")
