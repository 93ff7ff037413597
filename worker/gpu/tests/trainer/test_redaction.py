"""No failure message holds a secret, however it is encoded (I6)."""

import base64
import html
import json
from collections.abc import Callable
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flow_grpo.trainer.redaction import MASK, redact, secrets_in, secrets_of

KEYS = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=8, max_size=60)
FOLDS = st.integers(20, 80)


def in_json(text: str) -> str:
    return json.dumps(text)[1:-1]


ENCODINGS: list[Callable[[str], str]] = [
    str,
    lambda text: quote(text, safe=""),
    lambda text: quote(text, safe="").lower() if text.islower() else quote(text),
    quote_plus,
    lambda text: "".join(f"%{byte:02x}" for byte in text.encode()),
    in_json,
    lambda text: in_json(in_json(text)),
    lambda text: "".join(f"\\u{ord(unit):04X}" for unit in text),
    html.escape,
    lambda text: "".join(f"&#x{ord(unit):x};" for unit in text),
    lambda text: html.escape(in_json(quote(text))),
    lambda text: text.encode().hex(),
    lambda text: text.encode().hex().upper(),
]


def test_what_looks_like_a_credential_goes_and_so_does_the_connection_string() -> None:
    secrets = secrets_of("postgres://u:p%40ssword@host/db")
    text = (
        'no p@ssword, no p%40ssword, no postgres://u:p%40ssword@host/db, no https://a:b@host, no password=hunter2 "x"'
    )
    assert redact(text, secrets) == 'no ***, no ***, no ***, no https://***@host, no password=*** "x"'


def test_a_value_that_is_too_short_to_be_a_key_is_found_by_its_name_only() -> None:
    secrets = secrets_of("postgres://u:abc@host/db")
    assert redact("abc abcd password=abc ://u:abc@host", secrets) == "abc abcd password=*** ://***@host"


@pytest.mark.parametrize("encode", ENCODINGS)
@given(key=KEYS)
def test_a_key_goes_in_every_encoding(encode: Callable[[str], str], key: str) -> None:
    assert redact(f"a, {encode(key)} b", [key]) == f"a, {MASK} b"


@given(key=KEYS, before=st.binary(max_size=7), after=st.binary(max_size=7), fold=FOLDS, urls=st.booleans())
def test_a_key_goes_in_base64_whatever_stands_beside_it(
    key: str, before: bytes, after: bytes, fold: int, urls: bool
) -> None:
    data = before + key.encode() + after
    whole = (base64.urlsafe_b64encode if urls else base64.b64encode)(data).decode()
    lines = "\n".join(whole[at : at + fold] for at in range(0, len(whole), fold))
    head, tail = redact(lines, [key]).replace("\n", "").split(MASK)
    # No character that is left holds a bit of the key.
    assert whole.startswith(head)
    assert len(head) * 6 <= len(before) * 8
    assert whole.endswith(tail)
    assert (len(whole) - len(tail)) * 6 >= (len(before) + len(key)) * 8


def test_keys_that_hold_or_overlap_each_other_go_as_one() -> None:
    keys = ["outer-inner-key-outer", "inner-key", "key-outer-and-more"]
    assert redact("a outer-inner-key-outer-and-more b, inner-key.", keys) == "a *** b, ***."


def test_variables_named_as_keys_are_secrets() -> None:
    environment = {"WANDB_API_KEY": "k" * 9, "HOME": "/root/some", "DB_PASSWORD": "p" * 9}
    assert secrets_in(environment) == ("k" * 9, "p" * 9)
