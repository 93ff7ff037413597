"""Keep secrets out of failure messages, which end up in histories, logs and the database (I6)."""

import re
from collections.abc import Sequence
from urllib.parse import unquote, urlsplit

# Credentials inside any URL, whoever put it into a message.
_URL_CREDENTIALS = re.compile(r"(?<=://)[^/\s@]+@")
_CONNECTION_PASSWORD = re.compile(r"(?i)\b(password|passwd|api[_-]?key|token)=\S+")
MASK = "***"


def secrets_of(url: str) -> tuple[str, ...]:
    """What must not be shown of a connection string: itself and its password, as written and decoded."""
    password = urlsplit(url).password
    return (url, password, unquote(password)) if password else (url,)


def redact(text: str, secrets: Sequence[str]) -> str:
    """The text without the given secrets and without anything that looks like credentials."""
    for secret in sorted(set(secrets), key=len, reverse=True):
        text = text.replace(secret, MASK)
    text = _URL_CREDENTIALS.sub(f"{MASK}@", text)
    return _CONNECTION_PASSWORD.sub(lambda match: f"{match[1]}={MASK}", text)
