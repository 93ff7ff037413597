import type { MigrationInterface, QueryRunner } from 'typeorm';

const OF_RUN = [
  'batches',
  'checkpoints',
  'evaluations',
  'idempotency_keys',
  'policies',
  'rollouts',
  'run_events',
  'run_spending',
  'training_steps',
];
const OF_FLOW = ['model_replies', 'tool_calls', 'turns'];

/**
 * Nothing is written any more of what was deleted, whoever writes: an attempt of an activity that was given up long ago,
 * the trainer. As a foreign key would, the writer keeps its owner's row from being deleted until it has committed. There
 * is none because the owner is in one of three tables.
 */
export class NothingAfterRemoval1795960800000 implements MigrationInterface {
  name = 'NothingAfterRemoval1795960800000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`CREATE FUNCTION refuse_if_removed(owner text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  PERFORM FROM training_runs WHERE id = owner FOR KEY SHARE;
  IF FOUND THEN RETURN; END IF;
  PERFORM FROM agent_flows WHERE id = owner FOR KEY SHARE;
  IF FOUND THEN RETURN; END IF;
  PERFORM FROM benchmark_evaluations WHERE id = owner FOR KEY SHARE;
  IF FOUND THEN RETURN; END IF;
  PERFORM FROM removals WHERE id = owner;
  IF FOUND THEN
    RAISE EXCEPTION '% was deleted: nothing is written of it any more', owner USING ERRCODE = 'RM001';
  END IF;
END $$`);
    await queryRunner.query(`CREATE FUNCTION refuse_row_of_removed_run() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM refuse_if_removed(NEW.run_id);
  RETURN NEW;
END $$`);
    // The id of a flow is its owner's, or begins with it.
    await queryRunner.query(`CREATE FUNCTION refuse_row_of_removed_flow() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM refuse_if_removed(split_part(NEW.flow_id, '/', 1));
  RETURN NEW;
END $$`);
    for (const table of OF_RUN) await addTrigger(queryRunner, table, 'refuse_row_of_removed_run');
    for (const table of OF_FLOW) await addTrigger(queryRunner, table, 'refuse_row_of_removed_flow');
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    for (const table of [...OF_RUN, ...OF_FLOW]) await queryRunner.query(`DROP TRIGGER refuse_removed ON ${table}`);
    await queryRunner.query('DROP FUNCTION refuse_row_of_removed_flow()');
    await queryRunner.query('DROP FUNCTION refuse_row_of_removed_run()');
    await queryRunner.query('DROP FUNCTION refuse_if_removed(text)');
  }
}

async function addTrigger(queryRunner: QueryRunner, table: string, does: string): Promise<void> {
  await queryRunner.query(
    `CREATE TRIGGER refuse_removed BEFORE INSERT ON ${table} FOR EACH ROW EXECUTE FUNCTION ${does}()`,
  );
}
