import type { MigrationInterface, QueryRunner } from 'typeorm';

const TABLES = {
  training_runs: `
    id text PRIMARY KEY,
    project text NOT NULL,
    name text NOT NULL,
    status text NOT NULL,
    status_version integer NOT NULL DEFAULT 0,
    config jsonb NOT NULL,
    config_sha256 text NOT NULL,
    steps integer NOT NULL,
    step integer NOT NULL DEFAULT 0,
    policy_name text,
    policy_sha256 text,
    failure jsonb,
    event_sequence bigint NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL DEFAULT now(),
    started_at timestamptz,
    finished_at timestamptz`,
  idempotency_keys: `
    project text NOT NULL,
    key text NOT NULL,
    body_sha256 text NOT NULL,
    run_id text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (project, key)`,
  training_steps: `
    run_id text NOT NULL,
    step integer NOT NULL,
    policy_sha256 text NOT NULL,
    metrics jsonb NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (run_id, step)`,
  rollouts: `
    flow_id text PRIMARY KEY,
    run_id text NOT NULL,
    purpose text NOT NULL,
    step integer NOT NULL,
    group_index integer NOT NULL,
    rollout_index integer NOT NULL,
    query_id text NOT NULL,
    family text NOT NULL,
    question text NOT NULL,
    outcome text NOT NULL,
    reward double precision,
    answer text,
    turns integer NOT NULL,
    tools jsonb NOT NULL,
    memory jsonb NOT NULL,
    policy_name text NOT NULL,
    policy_sha256 text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()`,
  turns: `
    flow_id text NOT NULL,
    turn integer NOT NULL,
    module text NOT NULL,
    output jsonb NOT NULL,
    policy_name text,
    policy_sha256 text,
    prompt_token_ids bytea,
    response_token_ids bytea,
    logprobs bytea,
    temperature double precision,
    seed text,
    prompt jsonb,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (flow_id, turn, module)`,
  batches: `
    run_id text NOT NULL,
    step integer NOT NULL,
    revision integer NOT NULL DEFAULT 0,
    uri text NOT NULL,
    sha256 text NOT NULL,
    samples integer NOT NULL,
    bytes bigint NOT NULL,
    policy_sha256 text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (run_id, step, revision)`,
  policies: `
    run_id text NOT NULL,
    step integer NOT NULL,
    uri text NOT NULL,
    sha256 text NOT NULL,
    parent_sha256 text,
    batch_sha256 text,
    metrics jsonb NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (run_id, step)`,
  checkpoints: `
    run_id text NOT NULL,
    step integer NOT NULL,
    uri text NOT NULL,
    sha256 text NOT NULL,
    bytes bigint NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    removed_at timestamptz,
    PRIMARY KEY (run_id, step)`,
  evaluations: `
    id text PRIMARY KEY,
    run_id text NOT NULL,
    step integer NOT NULL,
    planner text NOT NULL,
    policy_name text NOT NULL,
    policy_sha256 text NOT NULL,
    questions integer NOT NULL,
    correct integer NOT NULL,
    failed integer NOT NULL,
    accuracy double precision NOT NULL,
    interval_low double precision NOT NULL,
    interval_high double precision NOT NULL,
    by_family jsonb NOT NULL,
    mean_turns double precision NOT NULL,
    tool_mix jsonb NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()`,
  run_events: `
    run_id text NOT NULL,
    sequence bigint NOT NULL,
    event_key text NOT NULL,
    type text NOT NULL,
    data jsonb NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (run_id, sequence),
    CONSTRAINT run_events_run_key UNIQUE (run_id, event_key)`,
  api_keys: `
    id text PRIMARY KEY,
    project text NOT NULL,
    sha256 text NOT NULL CONSTRAINT api_keys_sha256 UNIQUE,
    created_at timestamptz NOT NULL DEFAULT now(),
    revoked_at timestamptz`,
};

const INDICES = {
  training_runs_project_created: 'training_runs (project, created_at, id)',
  rollouts_run_purpose_step: 'rollouts (run_id, purpose, step)',
  evaluations_run_step: 'evaluations (run_id, step)',
};

/** All tables of the first version; the entities in ../entities describe their columns. */
export class InitialSchema1795305600000 implements MigrationInterface {
  name = 'InitialSchema1795305600000';

  async up(queryRunner: QueryRunner): Promise<void> {
    for (const [table, columns] of Object.entries(TABLES)) {
      await queryRunner.query(`CREATE TABLE ${table} (${columns}\n)`);
    }
    for (const [index, columns] of Object.entries(INDICES)) {
      await queryRunner.query(`CREATE INDEX ${index} ON ${columns}`);
    }
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`DROP TABLE ${Object.keys(TABLES).join(', ')}`);
  }
}
