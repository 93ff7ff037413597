"""The states that a trainer process holds between steps: one of each run, the latest used of a bounded number."""

from flow_grpo.trainer.state import TrainerState


class HeldStates:
    """A state is taken out before a step begins and put back after its commit, so an exception drops it (I4)."""

    def __init__(self, runs: int) -> None:
        """`runs`: how many states exist at most, the one that is taken out included."""
        self._runs = runs
        self._states: dict[str, TrainerState] = {}

    def take(self, run_id: str, step: int, sha256: str) -> TrainerState | None:
        """The run's state after `step`, None if it is not held. Afterwards the run has none, and there is room."""
        held = self._states.get(run_id)
        self.drop(run_id)
        if held is not None and (held.step, held.sha256) == (step, sha256):
            return held
        return None

    def drop(self, run_id: str) -> None:
        """Forget the run's state, and make room for one."""
        self._states.pop(run_id, None)
        while len(self._states) >= self._runs:
            del self._states[next(iter(self._states))]

    def put(self, state: TrainerState) -> None:
        """Hold a committed state, as the latest used. The least recently used one may have to go."""
        self.drop(state.run_id)
        self._states[state.run_id] = state
