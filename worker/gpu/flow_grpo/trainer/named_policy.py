"""A policy that a configuration names, of any run: where it lies, and that it is the one that was meant."""

from pathlib import Path
from typing import Any

from flow_grpo import artifacts
from flow_grpo.failures import Failure, FailureType
from flow_grpo.policy import PolicyName, parse_policy_name
from flow_grpo.trainer.batch import Policy
from flow_grpo.trainer.checkpoints import RunArtifacts


def find_policy(run: RunArtifacts, policy: Policy, *, optimizer: bool = False) -> tuple[Path, dict[str, Any]]:
    """Directory and manifest of a policy in the store of `run`; of its checkpoint where its optimiser is wanted too.

    Raises Failure: BadConfiguration for a name that is not a policy's; NotFound when the policy, or the checkpoint with
    its optimiser, stands no more; WrongIdentity for another sha256. Raises ArtifactMissing or ArtifactBroken, which are
    retried, for a run that is lost or damaged: an operator can bring it back.
    """
    name = parse_policy_name(policy.name)
    if name is None:
        raise Failure(FailureType.BadConfiguration, f"{policy.name!r} is not the name of a policy, <run>@<step>")
    owner = RunArtifacts(run.root, name.run, run.identity)
    directory = owner.checkpoint(name.step) if optimizer else owner.policy(name.step)
    for path, stood in owner.withdrawn().items():
        # Its collection died, or is about to see this run's claim.
        if stood == directory:
            owner.give_back(path, directory)
    # Policy 0 always stays: where it stands and another does not, that one was collected.
    if not directory.exists() and owner.policy(0).exists():
        raise _collected(owner, name, optimizer)
    manifest = artifacts.check_directory(directory)
    if manifest["policy_sha256"] != policy.sha256:
        raise Failure(
            FailureType.WrongIdentity, f"{policy.name} is policy {manifest['policy_sha256']}, not {policy.sha256}"
        )
    return directory, manifest


def _collected(owner: RunArtifacts, name: PolicyName, optimizer: bool) -> Failure:
    what, standing = f"policy {name} was collected", owner.policy_steps()
    if optimizer:
        what = f"the optimiser of {name} cannot be carried over: there is no checkpoint of that step"
        standing = owner.checkpoint_steps()
    steps = ", ".join(map(str, standing)) or "none"
    return Failure(FailureType.NotFound, f"{what}; those of {name.run} that stand are of steps {steps}")
