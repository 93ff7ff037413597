"""The client: what there is, and how to make more of it."""

from typing import Any, Self, Unpack

from .. import api_types
from ..access import locate
from ..bodies import Configuration, json_body, read_configuration
from .datasets import AsyncDatasets
from .exports import AsyncExports, AsyncPolicies
from .http import AsyncHttp, segment
from .pages import AsyncPages
from .submissions import AsyncEvaluation, AsyncFlow, AsyncRun


class AsyncRuns:
    """Training runs."""

    def __init__(self, http: AsyncHttp) -> None:
        self._http = http

    async def create(self, configuration: Configuration, idempotency_key: str | None = None) -> AsyncRun:
        """Submits a run: a mapping, text in YAML or JSON, or a file. The same `idempotency_key` gives the same run."""
        body = read_configuration(configuration)
        return AsyncRun(self._http, await self._http.create("/v1/training_runs", body, idempotency_key))

    async def get(self, id: str) -> AsyncRun:
        return AsyncRun(self._http, await self._http.get(f"/v1/training_runs/{segment(id)}"))

    def list(self, **filters: Unpack[api_types.V1TrainingRunsGetParametersQuery]) -> AsyncPages[AsyncRun]:
        """Newest first."""
        return AsyncPages(self._http, "/v1/training_runs", filters, lambda data: AsyncRun(self._http, data))


class AsyncRollouts:
    """Rollouts of runs."""

    def __init__(self, http: AsyncHttp) -> None:
        self._http = http

    async def get(self, id: str) -> api_types.RolloutWithTurns:
        """One with its turns: prompts, replies, tokens and log-probabilities."""
        return await self._http.get(f"/v1/rollouts/{segment(id)}")

    def list(self, **filters: Unpack[api_types.V1RolloutsGetParametersQuery]) -> AsyncPages[api_types.Rollout]:
        return AsyncPages(self._http, "/v1/rollouts", filters)


class AsyncFlows:
    """Questions that were asked."""

    def __init__(self, http: AsyncHttp) -> None:
        self._http = http

    async def create(self, question: str, idempotency_key: str | None = None, **settings: Any) -> AsyncFlow:
        """Asks, and does not wait. `settings` are the other keys of a question, such as `policy` or `max_turns`."""
        given = {name: value for name, value in settings.items() if value is not None}
        body = json_body({**given, "question": question})
        return AsyncFlow(self._http, await self._http.create("/v1/agent_flows", body, idempotency_key))

    async def get(self, id: str) -> AsyncFlow:
        """One with its trace: what every module did."""
        return AsyncFlow(self._http, await self._http.get(f"/v1/agent_flows/{segment(id)}"))

    def list(self, **filters: Unpack[api_types.V1AgentFlowsGetParametersQuery]) -> AsyncPages[AsyncFlow]:
        """Newest first."""
        return AsyncPages(self._http, "/v1/agent_flows", filters, lambda data: AsyncFlow(self._http, data))


class AsyncEvaluations:
    """Evaluations of policies on benchmarks."""

    def __init__(self, http: AsyncHttp) -> None:
        self._http = http

    async def create(self, configuration: Configuration, idempotency_key: str | None = None) -> AsyncEvaluation:
        """Starts one, and does not wait."""
        body = read_configuration(configuration)
        return AsyncEvaluation(self._http, await self._http.create("/v1/evaluations", body, idempotency_key))

    async def get(self, id: str) -> AsyncEvaluation:
        return AsyncEvaluation(self._http, await self._http.get(f"/v1/evaluations/{segment(id)}"))

    def list(self, **filters: Unpack[api_types.V1EvaluationsGetParametersQuery]) -> AsyncPages[AsyncEvaluation]:
        """Newest first."""
        return AsyncPages(self._http, "/v1/evaluations", filters, lambda data: AsyncEvaluation(self._http, data))


class AsyncClient:
    """The API of durable AgentFlow.

    Without arguments it finds the local stack, or takes AGENTFLOW_API_URL and AGENTFLOW_API_KEY. `http` asks any route
    of docs/openapi.json by its path. Use it in a `with` block, or call its close method at the end.
    """

    def __init__(self, url: str | None = None, key: str | None = None) -> None:
        self.http = AsyncHttp(locate(url, key))
        self.runs = AsyncRuns(self.http)
        self.rollouts = AsyncRollouts(self.http)
        self.flows = AsyncFlows(self.http)
        self.evaluations = AsyncEvaluations(self.http)
        self.policies = AsyncPolicies(self.http)
        self.exports = AsyncExports(self.http)
        self.datasets = AsyncDatasets(self.http)

    def __repr__(self) -> str:
        return f"<client of {self.http.access.url}>"

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *raised: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        await self.http.aclose()

    async def solve(
        self, question: str, timeout: float | None = None, progress: bool = True, **settings: Any
    ) -> AsyncFlow:
        """Asks, and waits for the answer. `settings` are those of `flows.create`. Raises as `wait` does."""
        flow = await self.flows.create(question, **settings)
        return await flow.wait(timeout, progress)

    async def evaluate(
        self, configuration: Configuration, timeout: float | None = None, progress: bool = True
    ) -> AsyncEvaluation:
        """Evaluates policies on benchmarks, and waits for the report. Raises as `wait` does."""
        evaluation = await self.evaluations.create(configuration)
        return await evaluation.wait(timeout, progress)
