"""Asks the API with OpenAI's package, as the environment says, and prints what came of it as JSON."""

import json
import sys

import openai

MODEL = "smollm2-135m-instruct"
QUESTION = "What is the area of Hexley times 7?"
client = openai.OpenAI(max_retries=0)


def chat() -> object:
    """A whole chat completion, with its headers."""
    raw = client.chat.completions.with_raw_response.create(
        model=MODEL, messages=[{"role": "user", "content": QUESTION}]
    )
    completion = raw.parse()
    assert completion.usage
    return {
        "text": completion.choices[0].message.content,
        "tokens": completion.usage.total_tokens,
        "ids": [completion.id, raw.headers["agent-flow-id"]],
    }


def stream() -> object:
    """A streamed one, with usage."""
    text, tokens = "", 0
    for chunk in client.chat.completions.create(
        model=MODEL,
        messages=[{"role": "user", "content": QUESTION}],
        stream=True,
        stream_options={"include_usage": True},
    ):
        text += "".join(choice.delta.content or "" for choice in chunk.choices)
        tokens += chunk.usage.total_tokens if chunk.usage else 0
    return {"text": text, "tokens": tokens}


def response() -> object:
    """A whole response."""
    answer = client.responses.create(model=MODEL, input=QUESTION)
    assert answer.usage
    return {"text": answer.output_text, "tokens": answer.usage.total_tokens}


def response_stream() -> object:
    """A streamed one, put together by the package's helper."""
    with client.responses.stream(model=MODEL, input=QUESTION) as events:
        kinds = [event.type for event in events]
        final = events.get_final_response()
    return {"text": final.output_text, "first": kinds[0], "last": kinds[-1]}


def models() -> object:
    """The list, and one of it."""
    listed = [model.id for model in client.models.list()]
    return {"listed": listed, "retrieved": client.models.retrieve(listed[0]).id}


def refused() -> object:
    """A parameter that no flow has."""
    try:
        client.chat.completions.create(model=MODEL, messages=[{"role": "user", "content": QUESTION}], n=2)
    except openai.BadRequestError as error:
        return {"code": error.code, "param": error.param}
    return None


def failed_stream() -> object:
    """A flow that fails while it is streamed."""
    try:
        for _ in client.chat.completions.create(
            model=MODEL, messages=[{"role": "user", "content": QUESTION}], stream=True
        ):
            pass
    except openai.APIError as error:
        return {"code": error.code, "message": error.message}
    return None


print(json.dumps(globals()[sys.argv[1]]()))
