"""The metrics of a step: what the batch alone decides, and what the passes found."""

from collections.abc import Sequence

import torch

from flow_grpo.trainer.actions import Actions
from flow_grpo.trainer.advantage import groups_without_variance
from flow_grpo.trainer.batch import Batch
from flow_grpo.trainer.gradient import TokenResult

Metrics = dict[str, float]


def batch_metrics(batch: Batch) -> Metrics:
    """Metrics that the batch alone decides; those of the gradient are zero, as for a step that makes no update."""
    samples, training = batch.samples, batch.metadata.training
    rewards = {(s.group, s.rollout): s.reward for s in samples}
    by_rollout = training.advantages(samples)
    values = torch.tensor(list(by_rollout.values()), dtype=torch.float32)
    return {
        "loss": 0.0,
        "reward_mean": sum(rewards.values()) / len(rewards) if rewards else 0.0,
        "advantage_mean": float(values.mean()) if len(values) else 0.0,
        "advantage_std": float(values.std(correction=1)) if len(values) > 1 else 0.0,
        "groups": len({s.group for s in samples}),
        "groups_without_variance": len(groups_without_variance(samples)),
        "groups_skipped": len(batch.metadata.decision.skip_groups),
        "queries_drawn": batch.metadata.draws,
        "truncated_responses": sum(s.truncated for s in samples),
        "empty_responses": sum(not s.response for s in samples),
        "entropy": 0.0,
        "kl": 0.0,
        "gradient_norm": 0.0,
        "clip_fraction": 0.0,
        "importance_capped_fraction": 0.0,
        "learning_rate": training.learning_rate,
        "updates": 0,
        "micro_batches": 0,
        "tokens_sampled": sum(len(s.response) for s in samples),
        "tokens_in_samples": sum(len(s.tokens) for s in samples),
        "tokens_in_tree": 0,
        "logprob_mismatch_mean": 0.0,
        "logprob_mismatch_max": 0.0,
    }


def mismatch_metrics(old_logprob: torch.Tensor, actions: Actions) -> Metrics:
    """How far the trainer's log-probs of the input policy are from what the sampler recorded, in nats per token."""
    mismatch = (old_logprob - actions.sampler_logprob).abs()
    return {"logprob_mismatch_mean": float(mismatch.mean()), "logprob_mismatch_max": float(mismatch.max())}


def token_metrics(results: Sequence[TokenResult], updates: int) -> Metrics:
    """Metrics of the passes: means over all tokens of all updates, the loss over the updates."""

    def mean(values: list[torch.Tensor]) -> float:
        return float(torch.cat(values).float().mean())

    return {
        "loss": -sum(float(result.terms.objective.sum()) for result in results) / updates,
        "entropy": mean([result.entropy for result in results]),
        "kl": mean([result.terms.kl for result in results]),
        "clip_fraction": mean([result.terms.clipped for result in results]),
        "importance_capped_fraction": mean([result.terms.importance_capped for result in results]),
        "updates": updates,
        "micro_batches": len(results),
    }
