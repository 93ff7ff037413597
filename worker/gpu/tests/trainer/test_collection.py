"""Collection removes what is superfluous, never what is needed, and may be killed anywhere."""

import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path
from typing import LiteralString

import psycopg
import pytest

from flow_grpo import artifacts
from flow_grpo.trainer import records
from flow_grpo.trainer.batch import Policy
from flow_grpo.trainer.checkpoints import Identity, RunArtifacts
from flow_grpo.trainer.collection import Collector
from flow_grpo.trainer.contract import Keep
from flow_grpo.trainer.named_policy import find_policy
from flow_grpo.trainer.records import Records
from tests.directories import load_directory
from tests.trainer.kills import KillAfter, Killed
from tests.trainer.rows import ask, benchmark, evaluate, export, fork_of, kl_reference, pin, submit, unpin
from tests.trainer.run import RUN_ID, Run, no_progress
from tests.trainer.samples import IDENTITY, MODEL

STEPS = 6
KEEP_TWO = {"last": 2, "best": 0, "every": 0}
KEEP_ALL = {"last": 100, "best": 0, "every": 0}


def train(run: Run, keep: dict[str, int], save: bool = True) -> None:
    trainer = run.trainer()
    run.init(trainer)
    for step in range(1, STEPS + 1):
        run.step(trainer, step, checkpoint={"save": save, "keep": keep})


def policies(run: Run) -> list[int]:
    return [int(path.name) for path in sorted((run.directory / "policies").iterdir())]


def checkpoints(run: Run) -> list[int]:
    return [int(name) for name in run.checkpoints()]


def collector(run: Run) -> Collector:
    return Collector(RunArtifacts(run.root, RUN_ID, Identity(MODEL, IDENTITY, {})), Records(run.database_url))


def test_the_newest_two_policies_and_those_of_kept_checkpoints_stay(run: Run) -> None:
    train(run, {"last": 3, "best": 0, "every": 0})
    assert policies(run) == checkpoints(run) == [0, 4, 5, 6]
    assert run.execute("SELECT count(*) FROM policies") == [(STEPS + 1,)]


def test_policies_without_checkpoints_are_collected_too(run: Run) -> None:
    train(run, KEEP_TWO, save=False)
    assert (policies(run), checkpoints(run)) == ([0, 5, 6], [0])


def test_the_best_by_evaluation_and_every_mth_stay(run: Run) -> None:
    trainer = run.trainer()
    run.init(trainer)
    # Evaluated after its commit and before the next, as the workflow does. A yardstick is no policy.
    for step, accuracy in ((0, 0.4), (1, 0.9), (2, 0.9), (3, 0.5), (4, 0.8), (5, 0.1), (6, 0.2)):
        if step:
            run.step(trainer, step, checkpoint={"save": True, "keep": {"last": 2, "best": 1, "every": 4}})
        evaluate(run, step, accuracy)
        evaluate(run, step, 1.0, planner="oracle")
    assert checkpoints(run) == [0, 2, 4, 5, 6]
    assert policies(run) == [0, 2, 4, 5, 6]


def test_the_best_policy_stays_without_its_checkpoint(run: Run) -> None:
    trainer = run.trainer()
    run.init(trainer)
    for step in range(1, STEPS + 1):
        run.step(trainer, step, checkpoint={"save": True, "keep": KEEP_TWO})
        evaluate(run, step, 1 / step)
    assert (policies(run), checkpoints(run)) == ([0, 1, 5, 6], [0, 5, 6])


def test_what_unfinished_runs_name_stays(run: Run) -> None:
    submit(run, "reference-of", kl_reference(f"{RUN_ID}@1"), "paused")
    submit(run, "fork-of", fork_of(f"{RUN_ID}@2"), "queued")
    submit(run, "carries-over", fork_of(f"{RUN_ID}@3", optimizer=True), "queued")
    submit(run, "finished", fork_of(f"{RUN_ID}@4"), "completed")
    submit(run, "of-another", fork_of(f"{RUN_ID}-2@4"), "queued")
    submit(run, "of-none", {"training": {"objective": "sft"}}, "queued")
    train(run, KEEP_TWO)
    assert (policies(run), checkpoints(run)) == ([0, 1, 2, 3, 5, 6], [0, 3, 5, 6])
    submit(run, "fork-of", {}, "completed")
    collector(run).collect(Keep.model_validate(KEEP_TWO), no_progress)
    assert policies(run) == [0, 1, 3, 5, 6]


@pytest.mark.parametrize("status", ["queued", "running", "paused"])
def test_what_an_unfinished_question_or_benchmark_evaluation_uses_stays(run: Run, status: str) -> None:
    ask(run, "question", f"{RUN_ID}@1", status)
    benchmark(run, "evaluation", ["base", f"{RUN_ID}@2", f"{RUN_ID}@3"], status)
    ask(run, "answered", f"{RUN_ID}@4", "completed")
    benchmark(run, "reported", [f"{RUN_ID}@4"], "failed")
    ask(run, "of-another", f"{RUN_ID}-2@4", status)
    train(run, KEEP_TWO)
    assert (policies(run), checkpoints(run)) == ([0, 1, 2, 3, 5, 6], [0, 5, 6])
    ask(run, "question", f"{RUN_ID}@1", "cancelled")
    collector(run).collect(Keep.model_validate(KEEP_TWO), no_progress)
    assert policies(run) == [0, 2, 3, 5, 6]
    benchmark(run, "evaluation", [], "completed")
    collector(run).collect(Keep.model_validate(KEEP_TWO), no_progress)
    assert policies(run) == [0, 5, 6]


def test_a_pinned_policy_stays_until_it_is_unpinned(run: Run) -> None:
    train(run, KEEP_ALL)
    pin(run, 2)
    pin(run, 3, run_id=f"{RUN_ID}-2")
    checkpoint = {"save": True, "keep": KEEP_TWO}
    run.step(run.trainer(), STEPS + 1, checkpoint=checkpoint)
    assert (policies(run), checkpoints(run)) == ([0, 2, 6, 7], [0, 6, 7])
    unpin(run, 2)
    run.step(run.trainer(), STEPS + 2, checkpoint=checkpoint)
    assert (policies(run), checkpoints(run)) == ([0, 7, 8], [0, 7, 8])


CLAIMS: dict[str, Callable[[Run], None]] = {
    "question": lambda run: ask(run, "question", f"{RUN_ID}@3"),
    "pin": lambda run: pin(run, 3),
    "export": lambda run: export(run, "export", f"{RUN_ID}@3"),
}


def test_no_lock_is_held_while_files_are_touched(run: Run) -> None:
    """A trainer that is stopped anywhere in its collection keeps nobody from creating a run."""
    train(run, KEEP_ALL)
    points: list[int] = []

    def create_now(_phase: str, done: int, _total: int) -> None:
        points.append(done)
        with psycopg.connect(run.database_url, options="-c lock_timeout=1") as connection:
            for table in ("training_runs", "agent_flows", "benchmark_evaluations", "policy_exports", "policy_pins"):
                connection.execute(f"LOCK TABLE {table} IN ROW EXCLUSIVE MODE")  # pyright: ignore[reportArgumentType, reportCallIssue]

    collector(run).collect(Keep.model_validate(KEEP_TWO), create_now)
    assert set(points) == {0, 1, 2}


@pytest.mark.parametrize("claim", CLAIMS.values(), ids=CLAIMS)
def test_a_claim_at_any_point_of_a_collection_is_refused_or_kept(run: Run, claim: Callable[[Run], None]) -> None:
    """Whoever looks after writing the claim, as the API does, finds nothing, or what will still be there afterwards."""
    train(run, KEEP_ALL)
    whole = run.directory.with_name("whole")
    shutil.copytree(run.directory, whole)
    claimed, point = run.directory / "policies" / "000003", 0
    accepted: set[bool] = set()
    calls, stood = 0, None

    def claim_now(_phase: str, _done: int, _total: int) -> None:
        nonlocal calls, stood
        calls += 1
        if calls == point:
            claim(run)
            stood = (claimed / "manifest.json").exists()

    while True:
        shutil.rmtree(run.directory)
        shutil.copytree(whole, run.directory)
        run.execute("DELETE FROM agent_flows")
        run.execute("DELETE FROM policy_exports")
        run.execute("DELETE FROM policy_pins")
        calls, stood, point = 0, None, point + 1
        collector(run).collect(Keep.model_validate(KEEP_TWO), claim_now)
        if stood is None:
            break
        assert claimed.exists() or not stood
        accepted.add(stood)
    assert accepted == {True, False}
    assert point > 10


UNCOMMITTED = {
    "question": "INSERT INTO agent_flows (id, project, question, images, dataset, model, config, policy_name, status) "
    f"VALUES ('question', 'p', 'Why?', '[]', '{{}}', 'm', '{{}}', '{RUN_ID}@3', 'queued')",
    "pin": f"INSERT INTO policy_pins (run_id, step) VALUES ('{RUN_ID}', 3)",
}


@pytest.mark.parametrize("claim", UNCOMMITTED.values(), ids=UNCOMMITTED)
def test_a_claim_that_is_not_committed_yet_is_waited_for(run: Run, claim: LiteralString) -> None:
    """Its transaction has looked whether the policy stands, before it was withdrawn."""
    train(run, KEEP_ALL)
    with ThreadPoolExecutor(1) as pool, psycopg.connect(run.database_url) as claimant:
        claimant.execute(claim)
        collecting = pool.submit(collector(run).collect, Keep.model_validate(KEEP_TWO), no_progress)
        while run.execute("SELECT count(*) FROM pg_locks WHERE NOT granted") == [(0,)] and not collecting.done():
            wait([collecting], timeout=0.02)
        claimant.commit()
        collecting.result()
    assert policies(run) == [0, 3, 5, 6]


def test_a_claim_that_is_never_committed_is_not_waited_for(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    train(run, KEEP_ALL)
    monkeypatch.setitem(records.SERVER_TIMEOUTS_MS, "lock_timeout", 50)
    with psycopg.connect(run.database_url) as claimant:
        claimant.execute("LOCK TABLE agent_flows IN ROW EXCLUSIVE MODE")
        collector(run).collect(Keep.model_validate(KEEP_TWO), no_progress)
    # Nothing goes before it is known that nobody needs it; the rows are as true as before.
    assert (policies(run), checkpoints(run)) == ([*range(STEPS + 1)], [*range(STEPS + 1)])
    check_standing(run)
    assert run.execute("SELECT count(*) FROM checkpoints WHERE removed_at IS NULL") == [(STEPS + 1,)]
    collector(run).collect(Keep.model_validate(KEEP_TWO), no_progress)
    assert (policies(run), checkpoints(run)) == ([0, 5, 6], [0, 5, 6])


def test_what_a_collection_that_died_has_withdrawn_is_found_by_a_fork_and_given_back(run: Run) -> None:
    train(run, KEEP_ALL)
    with pytest.raises(Killed):
        # Dies when all is withdrawn and nothing is decided.
        collector(run).collect(Keep.model_validate(KEEP_TWO), KillAfter(9))
    assert policies_standing(run) == [0, 5, 6]
    store = RunArtifacts(run.root, "fork", Identity(MODEL, IDENTITY, {}))
    directory, _ = find_policy(store, Policy(name=f"{RUN_ID}@3", sha256=run.policies[3]))
    assert directory == run.directory / "policies" / "000003"
    submit(run, "fork", fork_of(f"{RUN_ID}@3"), "running")
    run.step(run.trainer(), 6, checkpoint={"save": True, "keep": KEEP_TWO})
    collector(run).collect(Keep.model_validate(KEEP_TWO), no_progress)
    assert (policies(run), checkpoints(run)) == ([0, 3, 5, 6], [0, 5, 6])


def test_the_retry_of_a_step_whose_collection_died_finishes_it(run: Run) -> None:
    train(run, KEEP_ALL)
    ask(run, "question", f"{RUN_ID}@3")
    with pytest.raises(Killed):
        collector(run).collect(Keep.model_validate(KEEP_TWO), KillAfter(8))
    ask(run, "later", f"{RUN_ID}@2")
    result = run.step(run.trainer(), 6, checkpoint={"save": True, "keep": KEEP_TWO})
    assert result.recovered_from == "committed"
    assert policies_standing(run) == [0, 2, 3, 5, 6]
    assert not list((run.directory / "policies").glob(".withdrawn-*"))


def policies_standing(run: Run) -> list[int]:
    return [int(path.name) for path in sorted((run.directory / "policies").glob("[0-9]*"))]


def test_connections_wait_for_nothing_without_end(run: Run) -> None:
    with records.connect(run.database_url) as connection:
        settings = "statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout"
        for name in settings:
            row = connection.execute("SELECT setting FROM pg_settings WHERE name = %s", (name,)).fetchone()
            assert row is not None
            assert 0 < int(row[0]) <= 5_000
        found = connection.info.get_parameters()
    assert {name: found.get(name) for name in ("keepalives_idle", "tcp_user_timeout", "connect_timeout")} == {
        "keepalives_idle": "5",
        "tcp_user_timeout": "10000",
        "connect_timeout": "5",
    }


def test_a_collected_step_that_is_asked_for_again_is_returned_without_work(run: Run) -> None:
    train(run, KEEP_TWO)
    before = run.execute("SELECT step, sha256 FROM policies ORDER BY step")
    again = run.trainer()
    for step in range(1, STEPS + 1):
        result = run.step(again, step, checkpoint={"save": True, "keep": KEEP_TWO})
        assert (result.recovered_from, result.policy.sha256) == ("committed", before[step][1])
    assert (policies(run), checkpoints(run)) == ([0, 5, 6], [0, 5, 6])


def test_a_needed_policy_that_is_lost_is_made_again(run: Run) -> None:
    train(run, KEEP_TWO)
    evaluate(run, 2, 0.9)
    result = run.step(run.trainer(), 2, checkpoint={"save": False, "keep": KEEP_TWO})
    assert result.policy.sha256 == run.policies[2]
    assert policies(run) == [0, 2, 5, 6]


def test_a_replay_writes_the_policies_of_its_checkpoints_again(run: Run) -> None:
    train(run, KEEP_TWO)
    for step in (5, 6):
        shutil.rmtree(run.directory / "checkpoints" / f"{step:06d}")
    request = run.request(7, run.freeze(7), checkpoint={"save": True, "keep": {"last": 3, "best": 0, "every": 3}})
    run.trainer(replay_checkpoint_seconds=0).train_step(request, no_progress)
    assert checkpoints(run) == [0, 3, 5, 6, 7]
    assert policies(run) == [0, 3, 5, 6, 7]


def test_a_kill_anywhere_in_a_collection_leaves_only_whole_directories_and_true_rows(run: Run) -> None:
    train(run, KEEP_ALL)
    whole = run.directory.with_name("whole")
    shutil.copytree(run.directory, whole)
    keep = Keep.model_validate(KEEP_TWO)
    calls = 0
    while True:
        calls += 1
        shutil.rmtree(run.directory)
        shutil.copytree(whole, run.directory)
        run.execute("UPDATE checkpoints SET removed_at = NULL")
        try:
            collector(run).collect(keep, KillAfter(calls))
            break
        except Killed:
            check_standing(run)
        # The next life goes on training, and finishes the work.
        collector(run).collect(keep, no_progress)
        check_standing(run)
        assert (policies(run), checkpoints(run)) == ([0, 5, 6], [0, 5, 6])
    # One for each of 2 x 4 directories when it is withdrawn, and when it is decided about; and one before each part.
    assert calls == 19


def check_standing(run: Run) -> None:
    standing = [path for kind in ("policies", "checkpoints") for path in (run.directory / kind).glob("[0-9]*")]
    for path in standing:
        load_directory(path)
    rows = run.execute("SELECT uri FROM checkpoints WHERE removed_at IS NULL")
    assert all(Path(artifacts.uri_path(uri)) in standing for (uri,) in rows)
    assert {0, 5, 6} <= {int(path.name) for path in standing if path.parent.name == "policies"}


@pytest.mark.parametrize("status", ["failed", "cancelled", "completed"])
def test_a_run_that_is_over_claims_nothing(run: Run, status: str) -> None:
    submit(run, "over", kl_reference(f"{RUN_ID}@1"), status)
    assert Records(run.database_url).unfinished_configurations() == []
