"""The reference of a base model for policy servers that this project does not compute."""

import json
import math
from pathlib import Path

import pytest
import torch
from transformers import AutoModelForCausalLM

from flow_grpo import probe
from flow_grpo.base_model import load_tokenizer
from flow_grpo.probe import PROMPTS, TOKENS, BaseModelProbe, Indistinct, main, reference

FIXTURE = Path(__file__).parent / "fixtures" / "probe-reference.json"


@pytest.fixture(scope="module")
def model(tiny_model: Path) -> BaseModelProbe:
    return BaseModelProbe(tiny_model)


def test_the_logprobs_are_those_of_the_models_logits_over_the_temperature(
    model: BaseModelProbe, tiny_model: Path
) -> None:
    prompt, tokens = [5, 6, 7], [8, 9]
    plain = AutoModelForCausalLM.from_pretrained(tiny_model, dtype=torch.float32)
    with torch.no_grad():
        logits = plain(input_ids=torch.tensor([[*prompt, *tokens]])).logits[0].double()
    expected = [
        (logits[place] / 0.5)[token].item() - torch.logsumexp(logits[place] / 0.5, 0).item()
        for place, token in ((2, 8), (3, 9))
    ]
    assert model.token_logprobs(prompt, tokens, 0.5) == pytest.approx(expected, abs=1e-9)


def test_a_reference_holds_the_likeliest_tokens_at_the_temperature_and_before_it(
    model: BaseModelProbe, tiny_model: Path
) -> None:
    written = reference(model, "tiny-random")
    assert written["model_sha256"] == (tiny_model / "sha256").read_text().strip()
    assert len(written["prompts"]) == len(PROMPTS)
    tokenizer = load_tokenizer(tiny_model)
    for prompt in written["prompts"]:
        ids = prompt["prompt_token_ids"]
        assert str(tokenizer.decode(ids)).endswith("<|im_start|>assistant\n")
        tokens = prompt["tokens"]
        assert len(tokens) == TOKENS
        assert [t["logprob"] for t in tokens] == sorted((t["logprob"] for t in tokens), reverse=True)
        first = tokens[0]
        assert model.token_logprobs(ids, [first["id"]], 0.5) == pytest.approx([first["logprob"]], abs=1e-9)
        assert model.token_logprobs(ids, [first["id"]], 1.0) == pytest.approx([first["raw_logprob"]], abs=1e-9)


def test_the_reference_is_the_one_that_the_typescript_side_reads(model: BaseModelProbe) -> None:
    # activities/engines/vllm/probe.spec.ts reads the same file.
    recorded = json.loads(FIXTURE.read_text())
    written = json.loads(json.dumps(reference(model, "tiny-random")))
    for prompt, before in zip(written["prompts"], recorded["prompts"], strict=True):
        tokens, tokens_before = prompt.pop("tokens"), before.pop("tokens")
        # Near the end of the list tokens are as likely as others that are not on it.
        assert tokens[0]["id"] == tokens_before[0]["id"]
        for token, token_before in zip(tokens, tokens_before, strict=True):
            assert token.keys() == token_before.keys()
            assert token["logprob"] == pytest.approx(token_before["logprob"], abs=1e-2)
    assert written == recorded


def test_a_temperature_that_no_server_could_be_caught_ignoring_is_refused(model: BaseModelProbe) -> None:
    with pytest.raises(Indistinct, match=r"moves the log-probs by 0\.0"):
        reference(model, "tiny-random", 0.99)


def test_the_command_prints_json_for_the_registered_model(
    capsys: pytest.CaptureFixture[str], models_cache: Path, tmp_path: Path
) -> None:
    operator = tmp_path / "operator.yaml"
    operator.write_text("models:\n  small: { source: tiny-random, context: 128 }\n")
    environment = {"AGENTFLOW_MODELS_CACHE": str(models_cache), "AGENTFLOW_OPERATOR_FILE": str(operator)}

    given = ["--model", "small", "--temperature", "1", "--prompt-ids", "5,6", "--token-ids", "7"]
    assert main(given, environment) == 0
    logprobs = json.loads(capsys.readouterr().out)["logprobs"]
    assert len(logprobs) == 1
    assert -math.inf < logprobs[0] < 0

    assert main(["--model", "small"], environment) == 0
    assert json.loads(capsys.readouterr().out)["format"] == probe.FORMAT

    assert main(["--model", "other"], environment) == 2
    assert "registered: small" in capsys.readouterr().err
    assert main(["--model", "small"], {}) == 2
    assert "AGENTFLOW_MODELS_CACHE" in capsys.readouterr().err


def test_the_command_takes_both_lists_of_token_ids_or_none() -> None:
    with pytest.raises(SystemExit):
        main(["--model", "small", "--token-ids", "7"], {})
