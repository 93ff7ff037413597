"""What the gradient step is measured on: shapes of batches, their samples, and the model.

Token ids are random, since only the shape of the sharing matters. Responses are of unequal length, between three
quarters of the named length and all of it.
"""

import random
from dataclasses import dataclass
from pathlib import Path

import torch
from transformers import LlamaConfig, LlamaForCausalLM, Qwen2Config, Qwen2ForCausalLM

from flow_grpo.base_model import ensure_base_model
from flow_grpo.trainer import TRAINER_VERSION
from flow_grpo.trainer.batch import Batch, Decision, Metadata, Policy
from flow_grpo.trainer.objectives.flow_grpo import FlowGrpo
from flow_grpo.trainer.sample import Sample

RESPONSE_LIMIT = 160
# Tokens by which memory grows per turn: what was done, and its result.
MEMORY = 96


@dataclass(frozen=True)
class Shape:
    """A step's batch: groups of `group` rollouts of `turns` turns; a group's prompts share `shared` tokens."""

    name: str
    groups: int
    group: int
    turns: int
    shared: int
    own: int
    """Tokens of a prompt that no other sample has, before the memory of earlier turns."""
    response: int


SHAPES = (
    Shape("2048/64, 3 turns", groups=1, group=8, turns=3, shared=2048, own=0, response=64),
    Shape("256/64", groups=2, group=8, turns=1, shared=256, own=0, response=64),
    Shape("64/160", groups=2, group=8, turns=1, shared=64, own=0, response=160),
    Shape("nothing shared, 256/64", groups=2, group=8, turns=1, shared=0, own=256, response=64),
)

SMOKE = Shape("smoke", groups=1, group=4, turns=2, shared=16, own=0, response=8)


def make_samples(shape: Shape, vocabulary: int) -> tuple[Sample, ...]:
    """The samples of a step, sorted; later turns of a rollout repeat the prompt and add to the memory at its end."""
    rng = random.Random(shape.name)

    def tokens(count: int) -> tuple[int, ...]:
        return tuple(rng.randrange(4, vocabulary) for _ in range(count))

    samples: list[Sample] = []
    for group in range(shape.groups):
        shared = tokens(shape.shared)
        for rollout in range(shape.group):
            prompt = shared + tokens(shape.own)
            for turn in range(1, shape.turns + 1):
                response = tokens(rng.randint(3 * shape.response // 4, shape.response))
                logprobs = (-1.0,) * len(response)
                samples.append(Sample(group, rollout, turn, prompt, response, logprobs, rollout % 4 / 3, False))
                prompt = prompt + tokens(MEMORY)
    return tuple(samples)


def make_batch(samples: tuple[Sample, ...], training: FlowGrpo) -> Batch:
    """The samples as a step's frozen batch."""
    metadata = Metadata(
        format=3,
        trainer_version=TRAINER_VERSION,
        run_id="bench",
        step=1,
        policy=Policy(name="bench@0", sha256="0" * 64),
        reference=None,
        model="bench",
        seed=0,
        temperature=1.0,
        response_limit=RESPONSE_LIMIT,
        training=training,
        groups=len({sample.group for sample in samples}),
        draws=len({sample.group for sample in samples}),
        decision=Decision(),
        identity={},
    )
    return Batch(metadata, samples, "")


def hyper_parameters(kl: float, group_size: int, dtype: str = "float32") -> FlowGrpo:
    """TRL's defaults (token mean over the step, ratio-corrected k3 where there is a KL term), LoRA of rank 16."""
    return FlowGrpo.model_validate(
        {
            "objective": "flow-grpo",
            "queries_per_step": 2,
            "group_size": group_size,
            "learning_rate": 1e-4,
            "weight_decay": 0.01,
            "max_grad_norm": 1.0,
            "adam_beta1": 0.9,
            "adam_beta2": 0.999,
            "adam_epsilon": 1e-8,
            "weights": {"kind": "lora", "rank": 16, "alpha": 32.0},
            "epochs": 1,
            "mini_batches": 1,
            "micro_batch_tokens": 8192,
            "gradient_checkpointing": False,
            "dtype": dtype,
            "advantage": "trajectory",
            "aggregation": "token-mean",
            "groups": "keep",
            "policy_loss": {"kind": "clip", "low": 0.2, "high": 0.3, "dual": None},
            "kl": {"coefficient": kl, "estimator": "k3", "reference": "base", "unbiased": kl > 0},
            "entropy_coefficient": 0.0,
            "importance_sampling": {"level": "none"},
            "truncated_responses": "keep",
        }
    )


def make_model(cache: Path, layers: int, target: Path) -> None:
    """Save SmolLM2-135M's shape with so many of its 30 layers and random weights; all 30 are the real weights."""
    smollm2 = ensure_base_model("smollm2", cache)
    config = LlamaConfig.from_pretrained(smollm2)
    if layers == config.num_hidden_layers:
        model = LlamaForCausalLM.from_pretrained(smollm2, dtype=torch.float32)
    else:
        config.update({"num_hidden_layers": layers, "dtype": torch.float32})
        torch.manual_seed(0)
        model = LlamaForCausalLM(config)
    model.save_pretrained(target)


def make_smoke_model(target: Path) -> None:
    """Save a model that is too small to measure anything, with random weights."""
    config = LlamaConfig(
        vocab_size=512,
        hidden_size=64,
        intermediate_size=128,
        num_hidden_layers=1,
        num_attention_heads=4,
        num_key_value_heads=2,
    )
    torch.manual_seed(0)
    LlamaForCausalLM(config).save_pretrained(target)


def make_qwen2(target: Path) -> None:
    """Save Qwen2.5-0.5B's shape with random weights, in bf16 as such models come."""
    config = Qwen2Config(
        vocab_size=151_936,
        hidden_size=896,
        intermediate_size=4864,
        num_hidden_layers=24,
        num_attention_heads=14,
        num_key_value_heads=2,
        tie_word_embeddings=True,
    )
    torch.manual_seed(0)
    Qwen2ForCausalLM(config).bfloat16().save_pretrained(target)
