"""Whether the samples of a step came from the policy that the trainer has: by their log-probs, recorded and its own.

Importance sampling mends small differences between two engines. It hides large ones: an adapter that the server does
not apply, or applies with another scale, other weights, a temperature that is ignored.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from flow_grpo.failures import Failure, FailureType

# Nats per token. The embedded server is 1e-5 away, SmolLM2 in bf16 0.05 from fp32; it is 0.8 when the temperature is
# ignored (activities/engines/vllm/probe.ts).
DEFAULT_MISMATCH_LIMIT = 0.3


@dataclass(frozen=True)
class Mismatch:
    """The limit of the mean absolute difference over the sampled tokens of a step, in nats."""

    limit: float

    def check(self, step: int, policy: str, metrics: Mapping[str, float]) -> None:
        """Raise SamplerMismatch when a step's metrics are over the limit. `policy`: what the samples should be of."""
        found = metrics["logprob_mismatch_mean"]
        if found <= self.limit:
            return
        raise Failure(
            FailureType.SamplerMismatch,
            f"step {step} was not sampled from {policy}: its recorded log-probs are {found:.3g} nats a token from the "
            f"trainer's (at most {metrics['logprob_mismatch_max']:.3g}), and {self.limit:.3g} is the limit. See that "
            "the policy server applies this policy's adapter or weights, at this temperature, with log-probs after it "
            "(--logprobs-mode processed_logprobs), and computes the same base model. Then skip the step, whose batch "
            "stays as it was sampled. If the two may be so far apart, as with a base in 4 bits, raise "
            "AGENTFLOW_MISMATCH_LIMIT of the trainer and resume",
            step=step,
        )
