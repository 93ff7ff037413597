"""The client: what there is, and how to make more of it."""

from typing import Any, Self, Unpack

from .. import api_types
from ..access import locate
from ..bodies import Configuration, json_body, read_configuration
from .datasets import Datasets
from .exports import Exports, Policies
from .http import Http, segment
from .pages import Pages
from .submissions import Evaluation, Flow, Run


class Runs:
    """Training runs."""

    def __init__(self, http: Http) -> None:
        self._http = http

    def create(self, configuration: Configuration, idempotency_key: str | None = None) -> Run:
        """Submits a run: a mapping, text in YAML or JSON, or a file. The same `idempotency_key` gives the same run."""
        body = read_configuration(configuration)
        return Run(self._http, self._http.create("/v1/training_runs", body, idempotency_key))

    def get(self, id: str) -> Run:
        return Run(self._http, self._http.get(f"/v1/training_runs/{segment(id)}"))

    def list(self, **filters: Unpack[api_types.V1TrainingRunsGetParametersQuery]) -> Pages[Run]:
        """Newest first."""
        return Pages(self._http, "/v1/training_runs", filters, lambda data: Run(self._http, data))


class Rollouts:
    """Rollouts of runs."""

    def __init__(self, http: Http) -> None:
        self._http = http

    def get(self, id: str) -> api_types.RolloutWithTurns:
        """One with its turns: prompts, replies, tokens and log-probabilities."""
        return self._http.get(f"/v1/rollouts/{segment(id)}")

    def list(self, **filters: Unpack[api_types.V1RolloutsGetParametersQuery]) -> Pages[api_types.Rollout]:
        return Pages(self._http, "/v1/rollouts", filters)


class Flows:
    """Questions that were asked."""

    def __init__(self, http: Http) -> None:
        self._http = http

    def create(self, question: str, idempotency_key: str | None = None, **settings: Any) -> Flow:
        """Asks, and does not wait. `settings` are the other keys of a question, such as `policy` or `max_turns`."""
        given = {name: value for name, value in settings.items() if value is not None}
        body = json_body({**given, "question": question})
        return Flow(self._http, self._http.create("/v1/agent_flows", body, idempotency_key))

    def get(self, id: str) -> Flow:
        """One with its trace: what every module did."""
        return Flow(self._http, self._http.get(f"/v1/agent_flows/{segment(id)}"))

    def list(self, **filters: Unpack[api_types.V1AgentFlowsGetParametersQuery]) -> Pages[Flow]:
        """Newest first."""
        return Pages(self._http, "/v1/agent_flows", filters, lambda data: Flow(self._http, data))


class Evaluations:
    """Evaluations of policies on benchmarks."""

    def __init__(self, http: Http) -> None:
        self._http = http

    def create(self, configuration: Configuration, idempotency_key: str | None = None) -> Evaluation:
        """Starts one, and does not wait."""
        body = read_configuration(configuration)
        return Evaluation(self._http, self._http.create("/v1/evaluations", body, idempotency_key))

    def get(self, id: str) -> Evaluation:
        return Evaluation(self._http, self._http.get(f"/v1/evaluations/{segment(id)}"))

    def list(self, **filters: Unpack[api_types.V1EvaluationsGetParametersQuery]) -> Pages[Evaluation]:
        """Newest first."""
        return Pages(self._http, "/v1/evaluations", filters, lambda data: Evaluation(self._http, data))


class Client:
    """The API of durable AgentFlow.

    Without arguments it finds the local stack, or takes AGENTFLOW_API_URL and AGENTFLOW_API_KEY. `http` asks any route
    of docs/openapi.json by its path. Use it in a `with` block, or call its close method at the end.
    """

    def __init__(self, url: str | None = None, key: str | None = None) -> None:
        self.http = Http(locate(url, key))
        self.runs = Runs(self.http)
        self.rollouts = Rollouts(self.http)
        self.flows = Flows(self.http)
        self.evaluations = Evaluations(self.http)
        self.policies = Policies(self.http)
        self.exports = Exports(self.http)
        self.datasets = Datasets(self.http)

    def __repr__(self) -> str:
        return f"<client of {self.http.access.url}>"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *raised: object) -> None:
        self.close()

    def close(self) -> None:
        self.http.close()

    def solve(self, question: str, timeout: float | None = None, progress: bool = True, **settings: Any) -> Flow:
        """Asks, and waits for the answer. `settings` are those of `flows.create`. Raises as `wait` does."""
        flow = self.flows.create(question, **settings)
        return flow.wait(timeout, progress)

    def evaluate(self, configuration: Configuration, timeout: float | None = None, progress: bool = True) -> Evaluation:
        """Evaluates policies on benchmarks, and waits for the report. Raises as `wait` does."""
        evaluation = self.evaluations.create(configuration)
        return evaluation.wait(timeout, progress)
