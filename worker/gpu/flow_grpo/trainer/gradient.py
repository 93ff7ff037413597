"""Log-probabilities and gradients of micro-batches, over their prefix trees.

Letters of shapes: M sampled tokens of the micro-batch (actions), R nodes at which any was sampled, V nodes.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import torch

from flow_grpo.trainer.batch import Training
from flow_grpo.trainer.lora import adapter_off
from flow_grpo.trainer.objective import Actions, terms
from flow_grpo.trainer.planner import Beat, Planner
from flow_grpo.trainer.prefix_tree import AttentionBlocks, PrefixTree

# Rows of logits held at once: 128 rows of 49,152 fp32 logits are 25 MB, whatever the micro-batch.
HEAD_ROWS = 128


@dataclass(frozen=True)
class MicroBatch:
    """Some whole samples of the step: their tree and the part of the step's actions that they are."""

    tree: PrefixTree
    blocks: AttentionBlocks
    actions: Actions


@dataclass(frozen=True)
class TokenResult:
    """What was computed at each action of a micro-batch: each of shape (M,), detached."""

    objective: torch.Tensor
    """Weighted: the loss is minus the sum."""
    logprob: torch.Tensor
    entropy: torch.Tensor
    kl: torch.Tensor
    clipped: torch.Tensor


@dataclass(frozen=True)
class HeadRows:
    """A piece of the nodes with actions: their place among the R rows, and the actions sampled there."""

    rows: slice
    actions: torch.Tensor
    """Indices into the micro-batch's actions."""
    row_of_action: torch.Tensor
    """The actions' rows, counted from the start of the piece."""


def reference_logprobs(planner: Planner, micro: MicroBatch, temperature: float, beat: Beat) -> torch.Tensor:
    """Log-probs (M,) of the actions under the base model, at the sampling temperature."""
    rows, row_of_action = torch.unique(micro.tree.action_node, return_inverse=True)
    result = torch.empty(len(row_of_action), dtype=planner.dtype)
    with torch.no_grad(), adapter_off(planner.model):
        hidden = planner.hidden_states(micro.tree, micro.blocks, beat)[rows]
        for piece in _head_pieces(len(rows), row_of_action):
            logprobs = torch.log_softmax(planner.logits(hidden[piece.rows]) / temperature, dim=-1)
            result[piece.actions] = logprobs[piece.row_of_action, micro.tree.action_token[piece.actions]]
    return result


def accumulate_gradient(
    planner: Planner,
    micro: MicroBatch,
    reference: torch.Tensor,
    temperature: float,
    training: Training,
    beat: Beat,
) -> TokenResult:
    """Add the gradient of the micro-batch's part of the loss to the adapter's parameters.

    The logits are made and differentiated in pieces against a cut at the last hidden states, then the sum of their
    gradients goes through the layers once: no more than HEAD_ROWS rows of logits exist at a time.
    """
    rows, row_of_action = torch.unique(micro.tree.action_node, return_inverse=True)
    hidden = planner.hidden_states(micro.tree, micro.blocks, beat)[rows]
    cut = hidden.detach().requires_grad_()
    results = TokenResult(*(torch.empty(len(row_of_action), dtype=planner.dtype) for _ in range(5)))
    for piece in _head_pieces(len(rows), row_of_action):
        _differentiate_head(planner, micro, cut, piece, reference, temperature, training, results)
        beat()
    hidden.backward(cut.grad)
    return results


def _differentiate_head(
    planner: Planner,
    micro: MicroBatch,
    cut: torch.Tensor,
    piece: HeadRows,
    reference: torch.Tensor,
    temperature: float,
    training: Training,
    results: TokenResult,
) -> None:
    """Objective of the piece's actions: adds its gradient to `cut`, writes its values into `results`."""
    chosen = piece.actions
    logprobs = torch.log_softmax(planner.logits(cut[piece.rows]) / temperature, dim=-1)
    logprob = logprobs[piece.row_of_action, micro.tree.action_token[chosen]]
    with torch.set_grad_enabled(training.entropy_coefficient > 0):
        entropy = -(logprobs.exp() * logprobs).sum(-1)[piece.row_of_action]
    # One update per batch: the sampling policy is this policy, so its log-probs are these without a gradient.
    parts = terms(logprob, logprob.detach(), reference[chosen], entropy, micro.actions.advantage[chosen], training)
    objective = micro.actions.weight[chosen] * parts.objective
    (-objective.sum()).backward()
    results.objective[chosen] = objective.detach()
    results.logprob[chosen] = logprob.detach()
    results.entropy[chosen] = entropy.detach()
    results.kl[chosen] = parts.kl.detach()
    results.clipped[chosen] = parts.clipped.to(results.clipped.dtype)


def _head_pieces(rows: int, row_of_action: torch.Tensor) -> Iterator[HeadRows]:
    """Cut R rows into pieces of HEAD_ROWS with their actions."""
    for start in range(0, rows, HEAD_ROWS):
        stop = min(start + HEAD_ROWS, rows)
        actions = torch.nonzero((row_of_action >= start) & (row_of_action < stop)).flatten()
        yield HeadRows(slice(start, stop), actions, row_of_action[actions] - start)
