"""Rows that others than the trainer write: runs, evaluations and questions."""

import shutil
from typing import Any

from psycopg import sql
from psycopg.types.json import Jsonb

from flow_grpo.trainer.records import FINISHED
from tests.trainer.run import RUN_ID, Run


def submit(run: Run, run_id: str, config: dict[str, Any], status: str = "running") -> None:
    """A training run of the project, as the API and the workflow leave it."""
    run.execute(
        "INSERT INTO training_runs (id, project, name, status, config, config_sha256, steps) "
        "VALUES (%s, 'p', 'n', %s, %s, 'c', 9) ON CONFLICT (id) DO UPDATE SET status = EXCLUDED.status",
        (run_id, status, Jsonb(config)),
    )


def remove(run: Run) -> None:
    """The deletion of the run, as the API leaves it when nothing is left."""
    run.execute("INSERT INTO removals (id, project, removed_at) VALUES (%s, 'p', now())", (run.run_id,))
    run.execute("DELETE FROM training_runs WHERE id = %s", (run.run_id,))
    for table in ("batches", "policies", "checkpoints", "evaluations"):
        run.execute(sql.SQL("DELETE FROM {} WHERE run_id = %s").format(sql.Identifier(table)), (run.run_id,))
    shutil.rmtree(run.directory)


def evaluate(run: Run, step: int, accuracy: float, planner: str = "policy", run_id: str = RUN_ID) -> None:
    """A finished evaluation after a step."""
    run.execute(
        "INSERT INTO evaluations (id, run_id, step, planner, policy_name, policy_sha256, questions, correct, failed, "
        "accuracy, interval_low, interval_high, by_family, mean_turns, tool_mix) "
        "VALUES (%s, %s, %s, %s, 'p', 's', 100, 50, 0, %s, 0.25, 0.75, '{}', 1.5, '{}')",
        (f"{run_id}/eval/{step}/{planner}", run_id, step, planner, accuracy),
    )


def kl_reference(policy: str) -> dict[str, Any]:
    """Configuration of a run whose KL term is against a policy."""
    return {"training": {"objective": "flow-grpo", "kl": {"reference": policy}}}


def fork_of(policy: str, optimizer: bool = False) -> dict[str, Any]:
    """Configuration of a run that starts from a policy."""
    return {"training": {"objective": "sft"}, "from": {"policy": policy, "optimizer": optimizer}}


def ask(run: Run, flow_id: str, policy: str, status: str = "running") -> None:
    """A question that a policy is asked, as the API and the workflow leave it."""
    run.execute(
        "INSERT INTO agent_flows (id, project, question, images, dataset, model, config, policy_name, status, "
        "finished_at) VALUES (%s, 'p', 'Why?', '[]', '{}', 'm', '{}', %s, %s, CASE WHEN %s THEN now() END) "
        "ON CONFLICT (id) DO UPDATE SET status = EXCLUDED.status, finished_at = EXCLUDED.finished_at",
        (flow_id, policy, status, status in FINISHED),
    )


def pin(run: Run, step: int, run_id: str = RUN_ID) -> None:
    """A policy that somebody keeps."""
    run.execute("INSERT INTO policy_pins (run_id, step) VALUES (%s, %s)", (run_id, step))


def unpin(run: Run, step: int) -> None:
    """Somebody leaves it to retention again."""
    run.execute("DELETE FROM policy_pins WHERE run_id = %s AND step = %s", (run.run_id, step))


def benchmark(run: Run, evaluation_id: str, policies: list[str], status: str = "running") -> None:
    """An evaluation of policies on benchmarks, as the API and the workflow leave it."""
    run.execute(
        "INSERT INTO benchmark_evaluations (id, project, name, config, status) VALUES (%s, 'p', 'n', %s, %s) "
        "ON CONFLICT (id) DO UPDATE SET status = EXCLUDED.status",
        (evaluation_id, Jsonb({"policies": policies}), status),
    )


def export(run: Run, export_id: str, policy: str, status: str = "running") -> None:
    """A policy that is exported, as the API and the workflow leave it."""
    run.execute(
        "INSERT INTO policy_exports (id, project, policy_name, policy_sha256, merged, status) "
        "VALUES (%s, 'p', %s, 'ab', false, %s) ON CONFLICT (id) DO UPDATE SET status = EXCLUDED.status",
        (export_id, policy, status),
    )
