"""Names that say that what they name is a secret: ``password``, ``X-Api-Key``, ``refreshToken``, ``db_password``.

A name is taken apart where snake, kebab and camel case do, and told by its words, never by letters inside a word:
``author`` holds no ``auth``, and ``max_tokens`` no ``token``. In doubt it is a secret; docs/privacy.md has the table.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import pairwise

from .vocabulary import type_of

__all__ = ["harmless", "is_secret_attribute", "is_secret_name", "secret_names"]

harmless: set[str] = set()
"""Names that were looked at and name no secret, so that names which come again cost a look-up in C. Bounded."""

_secret: set[str] = set()  # those that do, likewise
_MOST_KEPT = 4096
_MOST_AT_ONCE = 1024
_LONGEST_KEPT = 64
_MOST_ATTRIBUTES = 4096

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
_DIGITS = re.compile(r"\d+")
# What every secret's name has in it, in small letters: most names are told by this at once.
_STEMS = (
    *("pass", "pwd", "pw", "psk", "secret", "cred", "cookie", "jwt", "auth", "key", "token", "bearer", "otp", "conn"),
    "phrase",
)
_NOUNS = frozenset(
    {
        *(
            "password",
            "passwords",
            "passwd",
            "pwd",
            "pw",
            "passphrase",
            "passphrases",
            "passcode",
            "psk",
            "otp",
            "totp",
        ),
        *("secret", "secrets", "credential", "credentials", "cred", "creds", "cookie", "cookies", "jwt", "bearer"),
        *("authorization", "apikey", "apikeys"),
    }
)
# Words that were written as one: ``dbpassword``, ``accesstoken``.
_COMPOUND = re.compile(
    r"(?:password|passwd|passphrase|clientsecret|apikey|secretkey|privatekey|accesskey|encryptionkey|signingkey|"
    r"(?:access|auth|bearer|csrf|id|oauth|refresh|session|xsrf)token|connectionstring)s?\Z"
)
_BEFORE_KEY = frozenset(
    {
        *("access", "account", "admin", "aes", "api", "app", "application", "auth", "client", "consumer", "decryption"),
        *("deploy", "deployment", "encrypt", "encryption", "functions", "gpg", "hmac", "host", "ingest", "ingestion"),
        *("integration", "license", "licence", "master", "pgp", "private", "recovery", "root", "rsa", "secret"),
        *("server", "service", "session", "shared", "sign", "signing", "ssh", "ssl", "storage", "subscription"),
        *("symmetric", "tls", "webhook", "write"),
        # Whose services agents call.
        *("anthropic", "arize", "aws", "azure", "bing", "brave", "cohere", "deepgram", "deepseek", "elevenlabs", "exa"),
        *("fireworks", "gcp", "gemini", "github", "gitlab", "google", "groq", "hf", "huggingface", "jina", "langfuse"),
        *("langsmith", "mistral", "nvidia", "openai", "openrouter", "perplexity", "phoenix", "pinecone", "qdrant"),
        *("replicate", "sendgrid", "serpapi", "serper", "slack", "stripe", "tavily", "together", "twilio", "voyage"),
        *("wandb", "weaviate", "xai"),
    }
)
_BEFORE_PASS = frozenset(
    {
        *("admin", "db", "database", "ftp", "http", "imap", "key", "login", "mail", "mysql", "pg", "postgres", "proxy"),
        *("redis", "root", "smtp", "ssh", "sudo", "user", "wifi"),
    }
)
# What makes a single token one of a text, of a list or of a page, and no credential.
_NO_CREDENTIAL_BEFORE_TOKEN = frozenset(
    {
        *("begin", "bos", "cls", "continuation", "end", "eos", "first", "last", "mask", "max", "min", "next", "page"),
        *(
            "pad",
            "padding",
            "pagination",
            "per",
            "prev",
            "previous",
            "sample",
            "sep",
            "special",
            "start",
            "stop",
            "sync",
        ),
        "unk",
    }
)
_BEFORE_TOKENS = frozenset({"access", "api", "auth", "bearer", "csrf", "oauth", "refresh", "session"})
# What may stand behind the noun and changes nothing.
_TAIL_OF_SECRET = frozenset(
    {
        *("base", "bytes", "dev", "header", "headers", "hex", "live", "new", "old", "pem", "plain", "prod"),
        *("production", "raw", "staging", "str", "string", "test", "text", "value"),
    }
)
# Behind the noun: it is said about the secret, and doesn't tell it.
_TAIL_OF_HARMLESS = frozenset(
    {
        *("algorithm", "arn", "at", "attempts", "banner", "consent", "count", "description", "domain", "enabled"),
        *("endpoint", "env", "error", "expiration", "expires", "expiry", "file", "filename", "format", "label", "len"),
        *("length", "limit", "max", "method", "min", "mode", "name", "names", "path", "placeholder", "policies"),
        *("policy", "provider", "required", "rotation", "rules", "scheme", "scope", "scopes", "status", "strength"),
        *("title", "ttl", "type", "types", "uri", "url", "valid", "var", "variable", "version"),
    }
)
_HEAD_OF_HARMLESS = frozenset({"has", "is", "max", "min", "n", "needs", "num", "requires", "total"})
_PAIRS = frozenset(
    {
        *(("auth", "code"), ("recovery", "code"), ("recovery", "codes"), ("backup", "codes")),
        *(("seed", "phrase"), ("recovery", "phrase"), ("mnemonic", "phrase")),
        *(("connection", "string"), ("connection", "str"), ("conn", "string"), ("conn", "str")),
    }
)


def is_secret_name(name: str) -> bool:
    """Whether ``name``, of an argument, a field, a mapping's key or a header, says that its value is a secret.

    Example:
        >>> is_secret_name("OPENAI_API_KEY"), is_secret_name("max_tokens")
        (True, False)
    """
    return name not in harmless and bool(secret_names((name,)))


def secret_names(names: Iterable[str]) -> list[str]:
    """Those of ``names`` that name a secret; the others are remembered as `harmless`.

    Args:
        names: Exact strings, however many.
    """
    unknown = [name for name in names if name not in harmless]
    if not unknown or _secret.issuperset(unknown):
        return unknown
    found: list[str] = []
    text = "\n".join(unknown)
    # Of thousands of names most differ in their numbers only: each is looked at where there is something to find.
    if _has_stem(text) and any(map(_names_secret, set(_DIGITS.sub("", text).split("\n")))):
        found = [name for name in unknown if _names_secret(name)]
    if len(unknown) <= _MOST_AT_ONCE:
        _remember(harmless, set(unknown).difference(found))
        _remember(_secret, set(found))
    return found


def is_secret_attribute(key: str) -> bool:
    """Whether the last dotted part of an attribute's key names a secret: ``app.api_key``, but no reserved attribute.

    Example:
        >>> is_secret_attribute("http.request.header.authorization"), is_secret_attribute("llm.token_count.prompt")
        (True, False)
    """
    known = _attributes.get(key)
    if known is None:
        known = is_secret_name(key.rpartition(".")[2]) and type_of(key) is None
        if len(_attributes) >= _MOST_ATTRIBUTES:
            _attributes.clear()
        _attributes[key] = known
    return known


_attributes: dict[str, bool] = {}


def _has_stem(text: str) -> bool:
    small = text.lower()
    return any(stem in small for stem in _STEMS)


def _remember(known: set[str], names: set[str]) -> None:
    if len(known) + len(names) > _MOST_KEPT:
        known.clear()
    known.update([name for name in names if len(name) <= _LONGEST_KEPT])


def _names_secret(name: str) -> bool:
    words = [word.lower() for word in _WORD.findall(name)] if _has_stem(name) else []
    if not words or words[-1] in _TAIL_OF_HARMLESS or words[0] in _HEAD_OF_HARMLESS:
        return False
    if any(word in _NOUNS or _COMPOUND.search(word) for word in words):
        return True
    if any(_is_secret_pair(first, second) for first, second in pairwise(words)):
        return True
    while len(words) > 1 and words[-1] in _TAIL_OF_SECRET:
        words = words[:-1]
    before, last = words[-2] if len(words) > 1 else "", words[-1]
    return last == "auth" or (last == "token" and before not in _NO_CREDENTIAL_BEFORE_TOKEN)


def _is_secret_pair(first: str, second: str) -> bool:
    return (
        (second in ("key", "keys") and first in _BEFORE_KEY)
        or (second == "tokens" and first in _BEFORE_TOKENS)
        or (second == "pass" and first in _BEFORE_PASS)
        or (first, second) in _PAIRS
    )
