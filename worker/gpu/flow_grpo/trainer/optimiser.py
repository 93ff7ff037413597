"""AdamW on what trains: one update from a gradient, with the moments as values that are never changed in place.

Moments are kept in the memory of the CPU and visit the device one parameter at a time: twice the size of what trains
need not fit there.
"""

import torch

from flow_grpo.trainer.hyper_parameters import Optimisation
from flow_grpo.trainer.planner import Beat, Planner
from flow_grpo.trainer.state import OptimiserState


def adamw_update(
    planner: Planner, before: OptimiserState, norm: float, training: Optimisation, beat: Beat
) -> OptimiserState:
    """Clip the accumulated gradient of L2 norm `norm`, change the planner's parameters, and return the new moments.

    With several ranks each changes its rows, and the moments are rank 0's. `beat` is called for each parameter.
    """
    parameters = list(planner.parameters.values())
    torch.nn.utils.clip_grads_with_norm_(parameters, training.max_grad_norm, _tensor(norm, planner), foreach=False)
    after = OptimiserState(before.updates + 1, {}, {})
    for name, parameter in planner.parameters.items():
        optimiser = torch.optim.AdamW(
            [parameter],
            lr=training.learning_rate,
            betas=(training.adam_beta1, training.adam_beta2),
            eps=training.adam_epsilon,
            weight_decay=training.weight_decay,
            foreach=False,
            fused=False,
        )
        optimiser.state[parameter] = moments = {
            "step": torch.tensor(float(before.updates)),
            "exp_avg": planner.shard(name, before.exp_avg),
            "exp_avg_sq": planner.shard(name, before.exp_avg_sq),
        }
        optimiser.step()
        parameter.grad = None
        after.exp_avg.update(planner.whole({name: moments["exp_avg"]}))
        after.exp_avg_sq.update(planner.whole({name: moments["exp_avg_sq"]}))
        beat()
    planner.settle_values()
    return after


def clear_gradient(planner: Planner) -> None:
    """Forget accumulated gradients."""
    for parameter in planner.parameters.values():
        parameter.grad = None


def gradient_norm(planner: Planner) -> float:
    """L2 norm of the gradient over all adapter parameters."""
    gradients = [parameter.grad for parameter in planner.parameters.values() if parameter.grad is not None]
    return float(planner.ranks.norm(torch.nn.utils.get_total_norm(gradients, foreach=False)))


def _tensor(norm: float, planner: Planner) -> torch.Tensor:
    return torch.tensor(norm, dtype=planner.dtype, device=planner.device)
