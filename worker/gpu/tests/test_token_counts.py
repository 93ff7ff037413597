"""What questions add to a prompt, in tokens: the same as the whole prompt's, whatever stands in a question."""

import io
import json
import re
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

from flow_grpo.base_model import load_tokenizer
from flow_grpo.token_counts import NotCounted, Request, count_tokens, main

CHAT = "{% for m in messages %}<s>{{ m['role'] }}\n{{ m['content'] }}</s>\n{% endfor %}<s>assistant\n"
PLAIN = "{% for m in messages %}[{{ m['role'] }}] {{ m['content'] }} {% endfor %}"
TEXT = "Question: Where was the painter of The Night Ferry born?\nResults (2 left): none\nassistant user [s]\n\n"
MESSAGES = [
    {"role": "system", "content": "You choose the next tool call.\n- Lookup: finds."},
    {"role": "user", "content": "Question: @@@\nResults (2 left): none"},
]


def sentencepiece_like(template: str = CHAT) -> PreTrainedTokenizerFast:
    """Words with the blank before them, and a blank before all of the text, as Llama 2 and Mistral write them."""
    backend = Tokenizer(models.BPE())
    backend.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    return trained(backend, template)


def lower_case() -> PreTrainedTokenizerFast:
    """Words in lower case without their accents, cut at white space and punctuation, as BERT does."""
    backend = Tokenizer(models.WordPiece(unk_token="?"))
    backend.normalizer = normalizers.BertNormalizer()
    backend.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    return trained(backend, CHAT)


def trained(backend: Tokenizer, template: str) -> PreTrainedTokenizerFast:
    special = ["?", "<s>", "</s>"]
    kind = trainers.BpeTrainer if isinstance(backend.model, models.BPE) else trainers.WordPieceTrainer
    backend.train_from_iterator([TEXT] * 3, kind(vocab_size=200, special_tokens=special, show_progress=False))
    backend.add_tokens(["\n\n", "  "])
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=backend)
    tokenizer.chat_template = template
    return tokenizer


def whole(tokenizer: PreTrainedTokenizerFast, question: str, place: str = "@@@") -> int:
    """The tokens of a whole prompt, as the policy server makes it."""
    messages = [{**message, "content": message["content"].replace(place, question)} for message in MESSAGES]
    text = tokenizer.apply_chat_template(messages, add_generation_prompt=True, tokenize=False)
    return len(tokenizer(str(text), add_special_tokens=False)["input_ids"])


def without_question(tokenizer: PreTrainedTokenizerFast) -> int:
    """The same of the prompt without a question, nor the blank before it."""
    return whole(tokenizer, "", place=" @@@")


def counted(tokenizer: PreTrainedTokenizerFast, questions: list[str]) -> list[int]:
    counts = count_tokens(tokenizer, Request(messages=MESSAGES, placeholder="@@@", questions=questions))
    assert counts.prompt == without_question(tokenizer)
    return [counts.prompt + question for question in counts.questions]


PIECES = [*"abcW?. \n\t'é日\U0001f600", "  ", "\n\n", "<s>", "</s>", "[s]", "<|im_end|>", "Question: "]
QUESTIONS = st.lists(
    st.lists(st.sampled_from(PIECES), max_size=9).map("".join)
    | st.text(max_size=30).filter(lambda text: "@@@" not in text),
    max_size=5,
)


@pytest.fixture(scope="module")
def smollm2(tiny_model: Path) -> PreTrainedTokenizerFast:
    return load_tokenizer(tiny_model)


@given(questions=QUESTIONS)
@settings(deadline=None)
def test_counts_are_those_of_the_whole_prompt(smollm2: PreTrainedTokenizerFast, questions: list[str]) -> None:
    assert counted(smollm2, questions) == [whole(smollm2, question) for question in questions]


@pytest.mark.parametrize("tokenizer", [sentencepiece_like(), lower_case(), sentencepiece_like(PLAIN)])
@given(questions=QUESTIONS)
@settings(deadline=None)
def test_counts_are_so_with_other_tokenizers_and_templates(
    tokenizer: PreTrainedTokenizerFast, questions: list[str]
) -> None:
    assert counted(tokenizer, questions) == [whole(tokenizer, question) for question in questions]


def test_a_question_has_as_many_tokens_as_alone(smollm2: PreTrainedTokenizerFast) -> None:
    counts = count_tokens(smollm2, Request(messages=MESSAGES, placeholder="@@@", questions=["Who built it?", "Who"]))
    assert counts.questions == [4, 1]


def test_counts_do_not_depend_on_how_many_questions_there_are(smollm2: PreTrainedTokenizerFast) -> None:
    week = ["What is it? " * n for n in range(7)]
    assert counted(smollm2, week * 400) == [whole(smollm2, question) for question in week] * 400


def test_nothing_is_cut_or_filled_up_though_the_tokenizers_file_says_so(smollm2: PreTrainedTokenizerFast) -> None:
    question = "one " * 100
    wanted = whole(smollm2, question)
    smollm2.backend_tokenizer.enable_truncation(8)
    smollm2.backend_tokenizer.enable_padding(length=4000)
    assert counted(smollm2, [question]) == [wanted]


@pytest.mark.parametrize(
    ("template", "problem"),
    [
        ("{{ raise_exception('System role not supported') }}", "does not take the planner's prompt: System role not"),
        ("{{ messages[0].content.nothing.here }}", "does not take the planner's prompt"),
        ("{{ messages[0].content }}", "writes the question 0 times"),
        ("{{ messages[1].content }}{{ messages[1].content }}", "writes the question 2 times"),
        (None, "chat_template is not set"),
    ],
)
def test_a_template_that_does_not_take_the_prompt_is_named(template: str, problem: str) -> None:
    with pytest.raises(NotCounted, match=problem):
        counted(sentencepiece_like(template), [])


def run(directory: Path, model: str, source: str, monkeypatch: pytest.MonkeyPatch) -> int:
    operator = directory / "operator.yaml"
    operator.write_text(f"models: {{ m: {{ source: {source}, context: 96 }} }}")
    request = {"messages": MESSAGES, "placeholder": "@@@", "questions": ["Who?", "Who was it that was there?"]}
    monkeypatch.setattr(sys, "stdin", io.StringIO(json.dumps(request)))
    return main([model], {"AGENTFLOW_OPERATOR_FILE": str(operator)})


def test_the_operators_directory_needs_no_weights(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    tokenizer = sentencepiece_like()
    tokenizer.save_pretrained(tmp_path / "model")
    assert run(tmp_path, "m", f"{{ directory: {tmp_path / 'model'} }}", monkeypatch) == 0
    answer: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert (answer["context"], answer["prompt"]) == (96, without_question(tokenizer))
    longer = whole(tokenizer, "Who was it that was there?")
    assert answer["questions"] == [whole(tokenizer, "Who?") - answer["prompt"], longer - answer["prompt"]]


@pytest.mark.parametrize(
    ("model", "source", "problem"),
    [
        ("other", "tiny-random", "tokens of other: model 'other' is not registered in .*; registered: m"),
        ("m", "{ directory: /not/there }", "tokens of m: /not/there holds no tokenizer that can be read: "),
        ("m", "gpt", "tokens of m: .*source must be one of"),
    ],
)
def test_what_cannot_be_read_is_told_in_one_line(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    model: str,
    source: str,
    problem: str,
) -> None:
    assert run(tmp_path, model, source, monkeypatch) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert re.match(problem, err)
