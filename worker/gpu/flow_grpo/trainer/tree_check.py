"""Whether a model computes over a prefix tree what it computes over plain sequences: asked of every model once loaded.

Configurations name what changes a model's logits in more ways than can be listed. So the first thing that a loaded
model does is a handful of tokens both ways.
"""

import torch

from flow_grpo.causal_lm import UnsupportedModel
from flow_grpo.trainer.gradient import MicroBatch, policy_logprobs
from flow_grpo.trainer.lora import adapter_off
from flow_grpo.trainer.planner import Beat, Planner
from flow_grpo.trainer.prefix_tree import build_tree
from flow_grpo.trainer.sample import Sample

# In nats. Rounding in fp32 stays a hundred times below; a wrong position or scale shows a hundred times above.
TOLERANCE = 0.01

SHARED, OWN, RESPONSE = 12, 3, 4


def check_prefix_tree(planner: Planner, beat: Beat = lambda: None) -> None:
    """Compare log-probs of three sequences with a common beginning. Raises UnsupportedModel when they differ.

    `beat` is called after each layer over the tree and after each sequence.
    """
    samples = [_sample(planner.vocabulary, number) for number in range(3)]
    tree = build_tree(samples)
    micro = MicroBatch(tree, planner.attention(tree), torch.arange(len(samples) * RESPONSE))
    with adapter_off(planner.model):
        over_tree = policy_logprobs(planner, micro, 1.0, beat).cpu()
        plain = torch.cat([_plain_logprobs(planner, sample, beat) for sample in samples])
    difference = float((over_tree - plain).abs().max())
    if not difference < TOLERANCE:
        raise UnsupportedModel(
            f"the trainer cannot compute {planner.name}: over a prefix tree its log-probs differ by {difference:.3g} "
            f"nats from those of the model itself, and {TOLERANCE} is the limit"
        )


def _sample(vocabulary: int, number: int) -> Sample:
    """Token ids spread over the vocabulary; the first are the same for every number."""
    own = [SHARED + number * (OWN + RESPONSE) + place for place in range(OWN + RESPONSE)]
    tokens = tuple(place * 7919 % vocabulary for place in [*range(SHARED), *own])
    prompt, response = tokens[: SHARED + OWN], tokens[SHARED + OWN :]
    return Sample(0, number, 1, prompt, response, (0.0,) * RESPONSE, 0.0, False)


def _plain_logprobs(planner: Planner, sample: Sample, beat: Beat) -> torch.Tensor:
    """(|a|,) log-probs of the response by transformers' own attention and head."""
    model, attention = planner.model, planner.model.config._attn_implementation
    model.set_attn_implementation("eager")
    try:
        with torch.no_grad():
            ids = torch.tensor([sample.tokens], device=model.device)
            logits = model(input_ids=ids, use_cache=False).logits[0, len(sample.prompt) - 1 : -1].float().cpu()
    finally:
        model.set_attn_implementation(attention)
    beat()
    return torch.log_softmax(logits, dim=-1)[torch.arange(RESPONSE), torch.tensor(sample.response)]
