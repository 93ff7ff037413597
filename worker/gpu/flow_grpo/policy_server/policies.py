"""The policies that are live: base models, and policies of runs loaded on demand from the artifact store."""

import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from flow_grpo.base_model import RegisteredModel, UnknownModel
from flow_grpo.policy import PolicyBroken, PolicyName, PolicyNotFound, parse_policy_name, policy_directory, read_policy
from flow_grpo.policy_server.freed_memory import return_freed_memory
from flow_grpo.policy_server.row_threads import RowThreads
from flow_grpo.policy_server.runtime import ModelRuntime
from flow_grpo.policy_server.weights import DecoderWeights

logger = logging.getLogger(__name__)


class PolicyNotLoaded(Exception):
    """The policy asked for is not there, is damaged, or has another sha256 than the one asked for (I11)."""


class PolicyShaRequired(Exception):
    """A policy of a training run was asked for without its sha256."""


@dataclass(eq=False)
class LoadedPolicy:
    """A policy that requests can run on. `leases` counts the requests that hold it."""

    name: str
    sha256: str
    runtime: ModelRuntime
    weights: DecoderWeights
    leases: int = 0


class PolicyStore:
    """Loads policies, and keeps the last `capacity` of runs; more while requests hold them, never evicting one in use.

    All methods may be called from any thread. A load makes wait who needs what is not in memory, and nobody else.
    """

    def __init__(
        self,
        models: Mapping[str, RegisteredModel],
        artifacts: Path,
        models_cache: Path,
        cache_bytes: int,
        capacity: int,
        threads: RowThreads,
    ) -> None:
        self._models = models
        self._artifacts = artifacts
        self._models_cache = models_cache
        self._cache_bytes = cache_bytes
        self._capacity = capacity
        self._threads = threads
        # Held for a moment, to look at what is in memory; held for a load, and never the other way round.
        self._lock = threading.Lock()
        self._loading = threading.RLock()
        self._bases: dict[str, LoadedPolicy] = {}
        self._policies: OrderedDict[tuple[str, str], LoadedPolicy] = OrderedDict()

    def acquire(self, name: str, sha256: str | None) -> LoadedPolicy:
        """The policy `name` with exactly this sha256 (a base model's may be left out), held until `release`.

        Raises PolicyNotLoaded, PolicyShaRequired, UnknownModel.
        """
        policy_name = parse_policy_name(name)
        if policy_name is None:
            return self._hold(self._checked_base(name, sha256))
        if sha256 is None:
            raise PolicyShaRequired(
                f"policy_sha256 is required for {name}: a policy of a training run is never guessed"
            )
        held = self._hold_loaded(policy_name, sha256)
        if held is None:
            with self._loading:
                held = self._hold_loaded(policy_name, sha256) or self._hold(self._load(policy_name, sha256))
        return held

    def release(self, policy: LoadedPolicy) -> None:
        """End one hold of `acquire`."""
        with self._lock:
            policy.leases -= 1
            self._evict()

    def base(self, name: str) -> LoadedPolicy:
        """A registered base model, loaded on first use. Raises UnknownModel."""
        if name not in self._bases:
            with self._loading:
                if name not in self._bases:
                    self._bases[name] = self._load_base(name)
        return self._bases[name]

    def loaded(self) -> list[LoadedPolicy]:
        """All policies in memory."""
        with self._lock:
            return [*self._bases.values(), *self._policies.values()]

    def _hold_loaded(self, name: PolicyName, sha256: str) -> LoadedPolicy | None:
        with self._lock:
            policy = self._policies.get((str(name), sha256))
            if policy:
                policy.leases += 1
                self._policies.move_to_end((str(name), sha256))
            return policy

    def _hold(self, policy: LoadedPolicy) -> LoadedPolicy:
        with self._lock:
            policy.leases += 1
            if policy.name not in self._bases:
                self._policies[policy.name, policy.sha256] = policy
                self._evict()
            return policy

    def _checked_base(self, name: str, sha256: str | None) -> LoadedPolicy:
        policy = self.base(name)
        if sha256 is not None and sha256 != policy.sha256:
            raise PolicyNotLoaded(f"model {name} has sha256 {policy.sha256}, not {sha256}")
        return policy

    def _load_base(self, name: str) -> LoadedPolicy:
        if name not in self._models:
            known = ", ".join(self._models)
            raise UnknownModel(f"model {name!r} is neither <training run>@<step> nor registered; registered: {known}")
        started = time.monotonic()
        runtime = ModelRuntime(self._models[name], self._models_cache, self._cache_bytes, self._threads)
        logger.info("loaded model %s sha256 %s in %.1f s", name, runtime.sha256, time.monotonic() - started)
        return LoadedPolicy(name, runtime.sha256, runtime, runtime.base.decoder)

    def _load(self, name: PolicyName, sha256: str) -> LoadedPolicy:
        started = time.monotonic()
        directory = policy_directory(self._artifacts, name.run, name.step)
        try:
            policy = read_policy(directory)
            if policy.sha256 != sha256:
                raise PolicyNotLoaded(f"policy {name} has sha256 {policy.sha256}, not {sha256}")
            runtime = self.base(policy.base_model).runtime
            weights = runtime.base.of(policy)
        except (PolicyNotFound, PolicyBroken) as error:
            raise PolicyNotLoaded(f"policy {name} cannot be loaded: {error}") from error
        # What the merge left, and the policy dropped since the last load.
        return_freed_memory()
        logger.info("loaded policy %s sha256 %s in %.1f s", name, sha256, time.monotonic() - started)
        return LoadedPolicy(str(name), sha256, runtime, weights)

    def _evict(self) -> None:
        for key, policy in list(self._policies.items()):
            if len(self._policies) <= self._capacity:
                return
            if policy.leases == 0:
                del self._policies[key]
                logger.info("dropped policy %s sha256 %s", policy.name, policy.sha256)
