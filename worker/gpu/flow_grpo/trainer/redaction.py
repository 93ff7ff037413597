"""Keep secrets out of failure messages, which end up in histories, logs and the database (I6)."""

import base64
import html
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

# Each pattern is linear in the text: where one repeats without a bound, what precedes the repetition cannot be in it.
_URL_CREDENTIALS = re.compile(r"(?<=://)[^/\s@]+@")
_CONNECTION_PASSWORD = re.compile(r"(?i)\b(password|passwd|api[_-]?key|token)=\S+")
MASK = "***"

# A shorter value is no key: taking it out of every text would spoil texts in which it stands by chance. It is found by
# its name only, as in `password=abc`.
MIN_LENGTH = 8
# Of encodings inside encodings: JSON within JSON within a URL.
_DEPTH = 3
_SECRET_VARIABLE = re.compile(r"(KEY|TOKEN|SECRET|PASSWORD|PASSWD|CREDENTIALS?)$")


class _View(NamedTuple):
    """A text as one of its readers decodes it, and where each of its characters begins and ends in the original."""

    text: str
    places: list[tuple[int, int]]


def _escaped(token: re.Match[str]) -> str:
    if token[3]:
        return {"n": "\n", "r": "\r", "t": "\t"}.get(token[3], token[3])
    return chr(int(token[1] or token[2], 16))


# Each match becomes one character, or none. URLs are decoded a byte at a time: what is not ASCII is compared as UTF-8.
_DECODERS: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], str]], ...] = (
    (re.compile(r"%([0-9a-fA-F]{2})"), lambda token: chr(int(token[1], 16))),
    (re.compile(r"\\(?:u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|([\"'\\/nrt]))"), _escaped),
    (re.compile(r"&(?:#[0-9]{1,8}|#[xX][0-9a-fA-F]{1,8}|[a-z]{2,8});?"), lambda token: html.unescape(token[0])),
)
_FOLDING = (re.compile(r"[\r\n]"), lambda _: "")
_BASE64_CHARACTER = re.compile(r"[A-Za-z0-9+/]")


def secrets_of(url: str) -> tuple[str, ...]:
    """What must not be shown of a connection string: itself and its password, as written and decoded."""
    password = urlsplit(url).password
    return (url, password, unquote(password)) if password else (url,)


def secrets_in(environment: Mapping[str, str]) -> tuple[str, ...]:
    """The values of variables that are named as keys, such as those of a service that metrics are sent to."""
    return tuple(value for name, value in environment.items() if _SECRET_VARIABLE.search(name))


def redact(text: str, secrets: Sequence[str]) -> str:
    """The text without the given secrets, however they are encoded, and without what looks like credentials."""
    text = _masked(text, [secret for secret in set(secrets) if len(secret) >= MIN_LENGTH])
    text = _URL_CREDENTIALS.sub(f"{MASK}@", text)
    return _CONNECTION_PASSWORD.sub(lambda match: f"{match[1]}={MASK}", text)


def _masked(text: str, secrets: Sequence[str]) -> str:
    """Every place of a secret replaced; places that overlap are one."""
    parts: list[str] = []
    read = 0
    spans = sorted(_spans(text, secrets))
    for index, (start, end) in enumerate(spans):
        if index == 0 or start > read:
            parts += [text[read:start], MASK]
        read = max(read, end)
    return "".join([*parts, text[read:]])


def _spans(text: str, secrets: Sequence[str]) -> Iterator[tuple[int, int]]:
    if not secrets:
        return
    for view in _views(text):
        folded = _decoded(view, *_FOLDING) or view
        standard = _View(folded.text.replace("-", "+").replace("_", "/"), folded.places)
        for secret in secrets:
            data = secret.encode()
            for needle in {secret, data.decode("latin-1"), secret.replace(" ", "+")}:
                yield from _find(view, needle)
            yield from _find(_View(view.text.lower(), view.places), data.hex())
            for offset in range(3):
                yield from _find(standard, _base64_core(data, offset), beside=True)


def _base64_core(data: bytes, offset: int) -> str:
    """The characters that depend on the data alone if `offset` bytes (modulo 3) stand before it."""
    text = base64.b64encode(bytes(offset) + data).decode()
    return text[-(-offset * 8 // 6) : (offset + len(data)) * 8 // 6]


def _find(view: _View, needle: str, beside: bool = False) -> Iterator[tuple[int, int]]:
    """Where it is. `beside`: with the characters beside it, in which some bits of the secret may be (base64)."""
    text, places = view
    at = text.find(needle)
    while at != -1:
        end = at + len(needle)
        start = at - bool(beside and at > 0 and _BASE64_CHARACTER.match(text[at - 1]))
        end += bool(beside and end < len(text) and _BASE64_CHARACTER.match(text[end]))
        yield places[start][0], places[end - 1][1]
        at = text.find(needle, at + 1)


def _views(text: str) -> list[_View]:
    """The text itself and, each once, what it decodes to. None is longer than the text."""
    level = [_View(text, [(index, index + 1) for index in range(len(text))])]
    views = level[:]
    seen = {text}
    for _ in range(_DEPTH):
        found = [_decoded(view, *decoder) for view in level for decoder in _DECODERS]
        level = []
        for view in found:
            if view is not None and view.text not in seen:
                seen.add(view.text)
                level.append(view)
        views += level
    return views


def _decoded(view: _View, tokens: re.Pattern[str], decode: Callable[[re.Match[str]], str]) -> _View | None:
    parts: list[str] = []
    places: list[tuple[int, int]] = []
    read = 0
    for token in tokens.finditer(view.text):
        character = decode(token)
        parts += [view.text[read : token.start()], character]
        places += view.places[read : token.start()]
        places += [(view.places[token.start()][0], view.places[token.end() - 1][1])] * len(character)
        read = token.end()
    if read == 0:
        return None
    return _View("".join([*parts, view.text[read:]]), places + view.places[read:])
