"""AdamW on the adapter: one update from a gradient, with the moments as values that are never changed in place."""

import torch

from flow_grpo.trainer.hyper_parameters import Optimisation
from flow_grpo.trainer.planner import Planner
from flow_grpo.trainer.state import OptimiserState


def adamw_update(planner: Planner, before: OptimiserState, training: Optimisation) -> OptimiserState:
    """Clip the accumulated gradient, change the planner's parameters, and return the new moments."""
    parameters = list(planner.parameters.values())
    torch.nn.utils.clip_grad_norm_(parameters, training.max_grad_norm, foreach=False)
    optimiser = torch.optim.AdamW(
        parameters,
        lr=training.learning_rate,
        betas=(training.adam_beta1, training.adam_beta2),
        eps=training.adam_epsilon,
        weight_decay=training.weight_decay,
        foreach=False,
        fused=False,
    )
    for name, parameter in planner.parameters.items():
        optimiser.state[parameter] = {
            "step": torch.tensor(float(before.updates)),
            "exp_avg": before.exp_avg[name].clone(),
            "exp_avg_sq": before.exp_avg_sq[name].clone(),
        }
    optimiser.step()
    clear_gradient(planner)
    return OptimiserState(
        before.updates + 1,
        {name: optimiser.state[parameter]["exp_avg"] for name, parameter in planner.parameters.items()},
        {name: optimiser.state[parameter]["exp_avg_sq"] for name, parameter in planner.parameters.items()},
    )


def clear_gradient(planner: Planner) -> None:
    """Forget accumulated gradients."""
    for parameter in planner.parameters.values():
        parameter.grad = None


def gradient_norm(planner: Planner) -> float:
    """L2 norm of the gradient over all adapter parameters."""
    gradients = [parameter.grad for parameter in planner.parameters.values() if parameter.grad is not None]
    return float(torch.nn.utils.get_total_norm(gradients, foreach=False))
