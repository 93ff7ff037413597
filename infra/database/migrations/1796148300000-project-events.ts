import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What has statuses, and what its events are called. */
const KINDS = [
  ['training_runs', 'run'],
  ['agent_flows', 'flow'],
  ['benchmark_evaluations', 'benchmark_evaluation'],
];

/**
 * The stream of a project. Its events are written by triggers when the transaction commits that they tell of: the
 * counter of the project is locked last, after every other lock, and only for the commit itself.
 */
export class ProjectEvents1796148300000 implements MigrationInterface {
  name = 'ProjectEvents1796148300000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`CREATE TABLE project_events (
      project text,
      sequence bigint,
      type text NOT NULL,
      subject text NOT NULL,
      data jsonb NOT NULL,
      created_at timestamptz NOT NULL DEFAULT now(),
      PRIMARY KEY (project, sequence)
    )`);
    await queryRunner.query('CREATE INDEX project_events_subject ON project_events (subject)');
    await queryRunner.query('CREATE TABLE project_sequences (project text PRIMARY KEY, sequence bigint NOT NULL)');
    await addFunctions(queryRunner);
    await addTriggers(queryRunner);
    await tellOfBefore(queryRunner);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    for (const [table] of KINDS) {
      await queryRunner.query(`DROP TRIGGER tell_project_of_deletion ON ${table}`);
      if (table === 'training_runs') continue;
      await queryRunner.query(`DROP TRIGGER tell_project_of_status ON ${table}`);
      await queryRunner.query(`DROP TRIGGER tell_project_of_creation ON ${table}`);
    }
    await queryRunner.query('DROP TRIGGER tell_run ON checkpoints');
    await queryRunner.query('DROP TRIGGER tell_project ON run_events');
    await queryRunner.query('DROP TABLE project_events');
    await queryRunner.query('DROP TABLE project_sequences');
    for (const signature of [
      'tell_run_of_checkpoint()',
      'tell_project_of_run_event()',
      'tell_project_of_status()',
      'tell_project_of_deletion()',
      'refuse_event_of_removed()',
      'append_run_event(text, text, text, jsonb)',
      'append_project_event(text, text, text, jsonb, timestamptz)',
    ]) {
      await queryRunner.query(`DROP FUNCTION ${signature}`);
    }
  }
}

async function addFunctions(queryRunner: QueryRunner): Promise<void> {
  await queryRunner.query(`CREATE FUNCTION append_project_event(of text, kind text, about text, told jsonb, at timestamptz)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  next bigint;
BEGIN
  INSERT INTO project_sequences AS s (project, sequence) VALUES (of, 1)
    ON CONFLICT (project) DO UPDATE SET sequence = s.sequence + 1 RETURNING s.sequence INTO next;
  INSERT INTO project_events (project, sequence, type, subject, data, created_at)
    VALUES (of, next, kind, about, told, at);
  PERFORM pg_notify('agentflow_events', 'project/' || of);
END $$`);
  // As appendEvent() (infra/database/run-events.ts) does it, for rows that the trainer writes.
  await queryRunner.query(`CREATE FUNCTION append_run_event(run text, key text, kind text, told jsonb)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  last bigint;
BEGIN
  SELECT event_sequence INTO last FROM training_runs WHERE id = run FOR NO KEY UPDATE;
  IF NOT FOUND OR EXISTS (SELECT FROM run_events WHERE run_id = run AND event_key = key) THEN RETURN; END IF;
  INSERT INTO run_events (run_id, sequence, event_key, type, data) VALUES (run, last + 1, key, kind, told);
  UPDATE training_runs SET event_sequence = last + 1 WHERE id = run;
END $$`);
  await queryRunner.query(`CREATE FUNCTION tell_run_of_checkpoint() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM append_run_event(NEW.run_id, 'checkpoint/' || NEW.step, 'checkpoint.saved',
    jsonb_build_object('step', NEW.step, 'sha256', NEW.sha256, 'bytes', NEW.bytes));
  RETURN NULL;
END $$`);
  await queryRunner.query(`CREATE FUNCTION tell_project_of_run_event() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  of text;
BEGIN
  SELECT project INTO of FROM training_runs WHERE id = NEW.run_id;
  IF FOUND THEN PERFORM append_project_event(of, NEW.type, NEW.run_id, NEW.data, NEW.created_at); END IF;
  RETURN NULL;
END $$`);
  await queryRunner.query(`CREATE FUNCTION tell_project_of_status() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM append_project_event(NEW.project, TG_ARGV[0] || '.' || NEW.status, NEW.id,
    jsonb_strip_nulls(jsonb_build_object('status', NEW.status, 'failure', NEW.failure)), now());
  RETURN NULL;
END $$`);
  await queryRunner.query(`CREATE FUNCTION tell_project_of_deletion() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM append_project_event(OLD.project, TG_ARGV[0] || '.deleted', OLD.id,
    jsonb_build_object('status', OLD.status), now());
  RETURN NULL;
END $$`);
  await queryRunner.query(`CREATE FUNCTION refuse_event_of_removed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM refuse_if_removed(NEW.subject);
  RETURN NEW;
END $$`);
}

async function addTriggers(queryRunner: QueryRunner): Promise<void> {
  const atCommit = 'DEFERRABLE INITIALLY DEFERRED FOR EACH ROW';
  await queryRunner.query(`CREATE TRIGGER refuse_removed BEFORE INSERT ON project_events FOR EACH ROW
    WHEN (NEW.type NOT LIKE '%.deleted') EXECUTE FUNCTION refuse_event_of_removed()`);
  await queryRunner.query(
    'CREATE TRIGGER tell_run AFTER INSERT ON checkpoints FOR EACH ROW EXECUTE FUNCTION tell_run_of_checkpoint()',
  );
  await queryRunner.query(`CREATE CONSTRAINT TRIGGER tell_project AFTER INSERT ON run_events
    ${atCommit} EXECUTE FUNCTION tell_project_of_run_event()`);
  for (const [table, kind] of KINDS) {
    await queryRunner.query(`CREATE CONSTRAINT TRIGGER tell_project_of_deletion AFTER DELETE ON ${table}
      ${atCommit} EXECUTE FUNCTION tell_project_of_deletion('${kind}')`);
    // A run's statuses are run events.
    if (kind === 'run') continue;
    await queryRunner.query(`CREATE CONSTRAINT TRIGGER tell_project_of_creation AFTER INSERT ON ${table}
      ${atCommit} EXECUTE FUNCTION tell_project_of_status('${kind}')`);
    await queryRunner.query(`CREATE CONSTRAINT TRIGGER tell_project_of_status AFTER UPDATE ON ${table}
      ${atCommit} WHEN (NEW.status IS DISTINCT FROM OLD.status) EXECUTE FUNCTION tell_project_of_status('${kind}')`);
  }
}

/** The events of the runs that are there begin the stream, in the order of their times. */
async function tellOfBefore(queryRunner: QueryRunner): Promise<void> {
  await queryRunner.query(`INSERT INTO project_events (project, sequence, type, subject, data, created_at)
    SELECT r.project, row_number() OVER (PARTITION BY r.project ORDER BY e.created_at, e.run_id, e.sequence),
      e.type, e.run_id, e.data, e.created_at
    FROM run_events AS e JOIN training_runs AS r ON r.id = e.run_id`);
  await queryRunner.query(
    'INSERT INTO project_sequences SELECT project, max(sequence) FROM project_events GROUP BY project',
  );
}
