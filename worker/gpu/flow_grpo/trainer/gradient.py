"""Log-probabilities and gradients of micro-batches, over their prefix trees.

Letters of shapes: M sampled tokens of the micro-batch (actions), R nodes at which any was sampled, D hidden size.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch

from flow_grpo.trainer.actions import Actions
from flow_grpo.trainer.head import Sampled, add_weight_gradient, head_values, hidden_gradient
from flow_grpo.trainer.objectives.objective import LogProbs, Terms
from flow_grpo.trainer.planner import Beat, Planner, TreeAttention
from flow_grpo.trainer.prefix_tree import PrefixTree

Objective = Callable[[LogProbs, torch.Tensor, Actions], Terms]
"""(log-probs, entropy (M,), actions) -> terms. A pure function."""


@dataclass(frozen=True)
class Rule:
    """What is maximised, the same for every micro-batch of a step."""

    objective: Objective
    temperature: float
    entropy_bonus: bool
    """Whether the objective depends on the entropy."""


@dataclass(frozen=True)
class Given:
    """What is known of some actions before the pass, each of shape (M,)."""

    actions: Actions
    old: torch.Tensor | None
    """Log-probs before the first update; None where this is the first."""
    reference: torch.Tensor | None
    """Log-probs of the reference policy; None where there is no KL term."""

    def select(self, index: torch.Tensor) -> "Given":
        """Those at `index`, int64."""
        old = None if self.old is None else self.old[index]
        reference = None if self.reference is None else self.reference[index]
        return Given(self.actions.select(index), old, reference)


@dataclass(frozen=True)
class MicroBatch:
    """Some whole samples of the step: their tree and which of the step's actions are theirs."""

    tree: PrefixTree
    attention: TreeAttention
    index: torch.Tensor
    """(M,) int64: places of the actions among the step's."""


@dataclass(frozen=True)
class TokenResult:
    """What was computed at each action of a micro-batch: each of shape (M,), detached."""

    terms: Terms
    logprob: torch.Tensor
    entropy: torch.Tensor


def policy_logprobs(planner: Planner, micro: MicroBatch, temperature: float, beat: Beat) -> torch.Tensor:
    """Log-probs (M,) of the actions under the planner as it is, without a gradient."""
    rows, sampled = _sampled(micro.tree)
    with torch.no_grad():
        hidden = planner.hidden_states(micro.tree, micro.attention, beat)[rows]
        return head_values(hidden, planner.head_weight, sampled, temperature, derivatives=False).logprob


def accumulate_gradient(planner: Planner, micro: MicroBatch, given: Given, rule: Rule, beat: Beat) -> TokenResult:
    """Add the gradient of the micro-batch's part of the loss to what trains. `given`: of its actions."""
    rows, sampled = _sampled(micro.tree)
    hidden = planner.hidden_states(micro.tree, micro.attention, beat)[rows]
    weight = planner.head_weight
    with torch.no_grad():
        values = head_values(
            hidden, weight, sampled, rule.temperature, derivatives=True, entropy_slope=rule.entropy_bonus
        )
    beat()
    logprob = values.logprob.requires_grad_()
    entropy = values.entropy[sampled.row].requires_grad_()
    # In the first update the policy is the one that sampled: its own log-probs, without gradient, are the old ones.
    old = logprob.detach() if given.old is None else given.old
    terms = rule.objective(LogProbs(logprob, old, given.reference), entropy, given.actions)
    (-terms.objective.sum()).backward()
    by_logprob, by_entropy = _gradient_of(logprob), _gradient_of(entropy)
    into = planner.head_gradient
    if into is not None:
        add_weight_gradient(into, hidden.detach(), weight, sampled, rule.temperature, by_logprob, by_entropy)
        beat()
    gradient = hidden_gradient(values, weight, sampled, rule.temperature, by_logprob, by_entropy)
    hidden.backward(gradient.to(hidden.dtype))
    return TokenResult(_detached(terms), logprob.detach(), entropy.detach())


def accumulate_nothing(planner: Planner, micro: MicroBatch, beat: Beat) -> None:
    """Go through the layers as `accumulate_gradient` does, because other ranks need this one's shards of them."""
    hidden = planner.hidden_states(micro.tree, micro.attention, beat)
    hidden.backward(torch.zeros_like(hidden))


def _sampled(tree: PrefixTree) -> tuple[torch.Tensor, Sampled]:
    """The nodes (R,) at which any token was sampled, and the actions by their rows."""
    rows, row = torch.unique(tree.action_node, return_inverse=True)
    return rows, Sampled(row, tree.action_token)


def _gradient_of(tensor: torch.Tensor) -> torch.Tensor:
    return torch.zeros_like(tensor) if tensor.grad is None else tensor.grad


def _detached(terms: Terms) -> Terms:
    return Terms(terms.objective.detach(), terms.kl.detach(), terms.clipped, terms.importance_capped)
