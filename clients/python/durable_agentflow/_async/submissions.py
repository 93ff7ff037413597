"""What is submitted and then worked on: training runs, agent flows, evaluations and exports."""

from collections.abc import AsyncIterator
from time import monotonic
from typing import Any, Self, Unpack, cast

import anyio

from .. import api_types
from ..bodies import json_body
from ..errors import NotCompleted, WaitTimeout
from ..progress import Progress, open_progress
from .events import follow
from .pages import AsyncPages
from .records import AsyncRecord, Data

RESTING = {"completed", "failed", "cancelled", "paused"}
POLL_S = 1.0


class AsyncSubmission(AsyncRecord[Data]):
    """What is worked on until it ends, and can be told something meanwhile."""

    @property
    def failure(self) -> dict[str, Any] | None:
        return self["failure"]

    async def cancel(self) -> Self:
        return await self._verb("cancel")

    async def revive(self) -> Self:
        """Continues it if Temporal has lost its workflow; tries an export that failed or was cancelled again."""
        return await self._verb("revive")

    async def delete(self) -> None:
        """Deletes it, if it has ended: it is in no list any more, and what belongs to it goes by and by."""
        await self._http.delete(self._path())

    async def wait(self, timeout: float | None = None, progress: bool = True) -> Self:
        """Waits until it is completed, and shows how far it is.

        Raises NotCompleted if it fails, is cancelled or rests until somebody resumes it, and WaitTimeout after
        `timeout` seconds. An outage of the API is waited out. Whoever stops waiting stops nothing else.
        """
        deadline = None if timeout is None else monotonic() + timeout
        shown = open_progress(self.id, progress)
        try:
            await self._watch(shown, deadline)
        finally:
            shown.close()
        if self.status != "completed":
            raise NotCompleted(self._incomplete(), self)
        return self

    async def _watch(self, shown: Progress, deadline: float | None) -> None:
        raise NotImplementedError

    def _incomplete(self) -> str:
        failure = self.failure
        why = f" {failure['type']}: {failure['message']}" if failure else ""
        advice = " resume() lets it go on." if self.status == "paused" else ""
        return f"{self.id} is {self.status}.{why}{advice}"

    async def _verb(self, verb: str, body: object = None) -> Self:
        self.data = await self._http.post(self._path(f"/{verb}"), body)
        return self


class AsyncPausable(AsyncSubmission[Data]):
    """What may rest until somebody resumes it."""

    async def resume(self) -> Self:
        return await self._verb("resume")


class AsyncRun(AsyncPausable[api_types.TrainingRun]):
    """A training run."""

    _collection = "training_runs"

    @property
    def name(self) -> str:
        return self.data["name"]

    @property
    def step(self) -> int:
        """The last committed step."""
        return self.data["step"]

    @property
    def policy(self) -> str | None:
        """The policy of the last committed step, as `<run>@<step>`."""
        return self.data["policy"]

    @property
    def steps(self) -> AsyncPages[api_types.TrainingStep]:
        """Its committed steps. In a data frame each metric is a column."""
        return AsyncPages(self._http, self._path("/steps"))

    @property
    def checkpoints(self) -> AsyncPages[api_types.Checkpoint]:
        return AsyncPages(self._http, self._path("/checkpoints"))

    def policies(self, **filters: Any) -> AsyncPages[api_types.Policy]:
        """Its policies: for example `has_files="true"`, those that retention has left."""
        return AsyncPages(self._http, "/v1/policies", {**filters, "run_id": self.id})

    @property
    def evaluations(self) -> AsyncPages[api_types.Evaluation]:
        """What its policies reached on the held-out questions."""
        return AsyncPages(self._http, self._path("/evaluations"))

    def rollouts(self, **filters: Any) -> AsyncPages[api_types.Rollout]:
        """Its rollouts, filtered and sorted as the list of rollouts is: for example `step=3, sort="-advantage"`."""
        return AsyncPages(self._http, "/v1/rollouts", {**filters, "run_id": self.id})

    def groups(self, **filters: Any) -> AsyncPages[api_types.Group]:
        """Its groups, each the rollouts of one question in a step: for example `step=3`."""
        return AsyncPages(self._http, "/v1/groups", {**filters, "run_id": self.id})

    def events(self, after: int = 0) -> AsyncIterator[dict[str, Any]]:
        """Its events after a sequence as they happen, each once and in order, until it has ended."""
        return follow(self._http, self._path("/events"), after)

    async def progress(self) -> dict[str, Any]:
        """What its workflow says of itself."""
        return await self._http.get(self._path("/progress"))

    async def pause(self, now: bool = False) -> Self:
        """Lets it rest after the step, or `now`: before the next call of a rollout."""
        return await self._verb("pause", {"now": now})

    async def stop(self) -> Self:
        """Ends it after the step, as completed."""
        return await self._verb("stop")

    async def extend(self, steps: int) -> Self:
        """Gives it a new total of steps."""
        return await self._verb("extend", {"steps": steps})

    async def fork(
        self, idempotency_key: str | None = None, **changes: Unpack[api_types.V1TrainingRunsIdForkPostRequest]
    ) -> "AsyncRun":
        """Submits a run that begins with a policy of this one: that after `step`, else that of the last step."""
        path = self._path("/fork")
        return AsyncRun(self._http, await self._http.create(path, json_body(changes), idempotency_key))

    async def set_learning_rate(self, learning_rate: float) -> Self:
        return await self._verb("learning_rate", {"learning_rate": learning_rate})

    async def _watch(self, shown: Progress, deadline: float | None) -> None:
        await self.refresh()
        self._show(shown, {})
        path = self._path("/events")
        async for event in follow(self._http, path, deadline=deadline, say=shown.say):
            if event["type"] == "step.completed":
                self.data["step"] = max(self.step, event["data"]["step"])
                self._show(shown, event["data"].get("metrics") or {})
            elif event["type"] == "run.paused":
                await self.refresh()
                if self.status == "paused":
                    return
        await self.refresh()
        self._show(shown, {})

    def _show(self, shown: Progress, metrics: dict[str, Any]) -> None:
        reward = metrics.get("reward_mean")
        note = self.status if reward is None else f"reward {reward:.3f}"
        shown.update(self.step, self.data["steps"], note)


class AsyncFlow(AsyncPausable[api_types.AgentFlow]):
    """A question that was asked, and its answer."""

    _collection = "agent_flows"

    @property
    def question(self) -> str:
        return self.data["question"]

    @property
    def answer(self) -> str | None:
        """None until it has ended."""
        return self.data["answer"]

    @property
    def outcome(self) -> str | None:
        return self.data["outcome"]

    def events(self, after: int = 0) -> AsyncIterator[dict[str, Any]]:
        """What happens in its turns, each once and in order, until it has ended."""
        return follow(self._http, self._path("/events"), after)

    async def _watch(self, shown: Progress, deadline: float | None) -> None:
        path = self._path("/events")
        async for event in follow(self._http, path, deadline=deadline, say=shown.say):
            data = event["data"]
            if event["type"] == "turn.plan":
                what = data.get("mistake") or f"{data.get('tool')}: {data.get('sub_goal')}"
                shown.update(data["turn"], None, f"turns, {what}"[:200])
            elif event["type"] == "flow.paused":
                break
        await self.refresh()


class AsyncEvaluation(AsyncPausable[api_types.BenchmarkEvaluation]):
    """An evaluation of policies on benchmarks."""

    _collection = "evaluations"

    @property
    def report(self) -> dict[str, Any] | None:
        """Accuracies with their intervals, and comparisons; None until it has ended."""
        return cast(dict[str, Any] | None, self.data["report"])

    def answers(self, **filters: Any) -> AsyncPages[api_types.EvaluationAnswer]:
        """Its answers: for example `grade="wrong"`."""
        return AsyncPages(self._http, self._path("/answers"), filters)

    async def _watch(self, shown: Progress, deadline: float | None) -> None:
        while (await self.refresh()).status not in RESTING:
            shown.update(self.data["flows"], None, f"questions, {self.status}")
            if deadline is not None and monotonic() >= deadline:
                raise WaitTimeout(f"{self.id} had not ended in time. It goes on.")
            await anyio.sleep(POLL_S)
        shown.update(self.data["flows"], None, f"questions, {self.status}")
