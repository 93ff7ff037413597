"""Samples, batches and runs for the trainer's tests."""

import hashlib
import json
import random
from pathlib import Path
from typing import Any

import pyarrow as pa

from flow_grpo.trainer import TRAINER_VERSION
from flow_grpo.trainer.batch import COLUMNS, METADATA_KEY, Batch, Metadata
from flow_grpo.trainer.objectives.flow_grpo import FlowGrpo
from flow_grpo.trainer.objectives.sft import Sft
from flow_grpo.trainer.sample import Sample

IDENTITY = {"dataset": "d" * 64, "prompt": "p" * 64}
MODEL = "tiny-random"
LORA = {"kind": "lora", "rank": 4, "alpha": 8.0}
CLIP = {"kind": "clip", "low": 0.2, "high": 0.3, "dual": 3.0}

# The trainer's own arithmetic has no use for the sampler's log-probs: any will do.
LOGPROB = -1.0


OPTIMISATION = {
    "learning_rate": 1e-2,
    "weight_decay": 0.01,
    "max_grad_norm": 1.0,
    "adam_beta1": 0.9,
    "adam_beta2": 0.999,
    "adam_epsilon": 1e-8,
    "weights": LORA,
    "epochs": 1,
    "mini_batches": 1,
    "micro_batch_tokens": 4096,
    "gradient_checkpointing": False,
    "dtype": "float32",
}


def training(**changes: Any) -> FlowGrpo:
    """Hyper-parameters of a quickstart run, with a small adapter."""
    values = {
        **OPTIMISATION,
        "objective": "flow-grpo",
        "queries_per_step": 2,
        "group_size": 3,
        "aggregation": "paper",
        "advantage": "trajectory",
        "groups": "keep",
        "policy_loss": CLIP,
        "kl": kl(0.001),
        "entropy_coefficient": 0.0,
        "importance_sampling": {"level": "none"},
        "truncated_responses": "keep",
    }
    return FlowGrpo.model_validate({**values, **changes})


def kl(coefficient: float, **changes: Any) -> dict[str, Any]:
    """The KL term's options."""
    return {"coefficient": coefficient, "estimator": "k3", "reference": "base", "unbiased": False, **changes}


def sft(**changes: Any) -> Sft:
    """Hyper-parameters of supervised fine-tuning."""
    source = {"run": "teacher", "from_step": 1, "to_step": 9, "minimum_reward": 1.0}
    values = {**OPTIMISATION, "objective": "sft", "samples_per_step": 4, "trajectories": source}
    return Sft.model_validate({**values, **changes})


def sample(
    group: int,
    rollout: int,
    turn: int,
    prompt: list[int],
    response: list[int],
    reward: float,
    logprob: float = LOGPROB,
    truncated: bool = False,
) -> Sample:
    """One planner turn."""
    return Sample(group, rollout, turn, tuple(prompt), tuple(response), (logprob,) * len(response), reward, truncated)


def random_samples(seed: int, groups: int = 2, rollouts: int = 3, vocabulary: int = 1000) -> list[Sample]:
    """Groups of rollouts of one or two turns: shared instructions, a query per group, memory of the turn before."""
    rng = random.Random(seed)

    def tokens(count: int) -> list[int]:
        return [rng.randrange(vocabulary) for _ in range(count)]

    trunk, result = tokens(12), []
    for group in range(groups):
        query, actions = tokens(4), [tokens(rng.randint(1, 5)) for _ in range(2)]
        for rollout in range(rollouts):
            first = rng.choice(actions)
            # The first two rewards differ, so that every group teaches something.
            reward = float(rollout % 2) if rollout < 2 else float(rng.randint(0, 1))
            result.append(sample(group, rollout, 1, trunk + query, first, reward))
            if rng.random() < 0.5:
                result.append(sample(group, rollout, 2, trunk + query + first[:1] + [7], tokens(3), reward))
    return result


def metadata(samples: list[Sample], run_id: str, step: int, parent: str, **changes: Any) -> dict[str, Any]:
    """Metadata of a batch file as its writer makes it."""
    values = {
        "format": 3,
        "trainer_version": TRAINER_VERSION,
        "run_id": run_id,
        "step": step,
        "policy": {"name": f"{run_id}@{step - 1}", "sha256": parent},
        "reference": None,
        "model": MODEL,
        "seed": 17,
        "temperature": 1.0,
        "response_limit": 8,
        "draws": len({s.group for s in samples}),
        "decision": {},
        "training": training().model_dump(),
        "groups": len({s.group for s in samples}),
        "identity": IDENTITY,
    }
    return {**values, **changes}


def in_memory(samples: list[Sample], hyper: FlowGrpo | Sft | None = None, **changes: Any) -> Batch:
    """A batch that was never a file."""
    values = metadata(samples, "run", 1, "0" * 64, **changes)
    return Batch(
        Metadata.model_validate({**values, "training": (hyper or training()).model_dump()}), tuple(samples), ""
    )


def write_batch(path: Path, samples: list[Sample], meta: dict[str, Any]) -> str:
    """Write a batch file and return its sha256."""
    columns = {
        "group": [s.group for s in samples],
        "rollout": [s.rollout for s in samples],
        "turn": [s.turn for s in samples],
        "prompt_token_ids": [list(s.prompt) for s in samples],
        "response_token_ids": [list(s.response) for s in samples],
        "logprobs": [list(s.logprobs) for s in samples],
        "reward": [s.reward for s in samples],
        "finish_reason": ["length" if s.truncated else "stop" for s in samples],
    }
    arrays = [pa.array(columns[name], type) for name, type in COLUMNS.items()]
    schema = pa.schema(list(COLUMNS.items()), {METADATA_KEY: json.dumps(meta, sort_keys=True).encode()})
    path.parent.mkdir(parents=True, exist_ok=True)
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, schema) as writer:
        writer.write_batch(pa.record_batch(arrays, schema=schema))
    return hashlib.sha256(path.read_bytes()).hexdigest()
