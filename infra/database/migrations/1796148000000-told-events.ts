import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Whoever listens on the channel of infra/database/event-channel.ts is told of new events in the transaction that commits
 * them, whoever writes them. What is told is an id, never an event: a notification holds 8000 bytes. Turns of a run's
 * rollouts are nobody's events.
 */
export class ToldEvents1796148000000 implements MigrationInterface {
  name = 'ToldEvents1796148000000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`CREATE FUNCTION tell_of_run() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_notify('agentflow_events', NEW.run_id);
  RETURN NULL;
END $$`);
    await queryRunner.query(`CREATE FUNCTION tell_of_flow() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_notify('agentflow_events', NEW.flow_id);
  RETURN NULL;
END $$`);
    await queryRunner.query(`CREATE FUNCTION tell_of_row() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_notify('agentflow_events', NEW.id);
  RETURN NULL;
END $$`);
    await queryRunner.query(
      'CREATE TRIGGER tell AFTER INSERT ON run_events FOR EACH ROW EXECUTE FUNCTION tell_of_run()',
    );
    await queryRunner.query(`CREATE TRIGGER tell AFTER INSERT ON turns FOR EACH ROW
      WHEN (NEW.flow_id NOT LIKE '%/%') EXECUTE FUNCTION tell_of_flow()`);
    await queryRunner.query(`CREATE TRIGGER tell AFTER UPDATE ON agent_flows FOR EACH ROW
      WHEN (NEW.status IS DISTINCT FROM OLD.status OR NEW.status_version IS DISTINCT FROM OLD.status_version)
      EXECUTE FUNCTION tell_of_row()`);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    for (const table of ['agent_flows', 'turns', 'run_events']) {
      await queryRunner.query(`DROP TRIGGER tell ON ${table}`);
    }
    for (const name of ['tell_of_row', 'tell_of_flow', 'tell_of_run']) {
      await queryRunner.query(`DROP FUNCTION ${name}()`);
    }
  }
}
