import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Webhooks of projects, and what they are told of. A trigger writes the deliveries in the transaction that tells of the
 * event: none is lost, and none is there twice.
 */
export class Webhooks1796169600000 implements MigrationInterface {
  name = 'Webhooks1796169600000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`CREATE TABLE webhooks (
      id text PRIMARY KEY,
      number bigserial CONSTRAINT webhooks_number UNIQUE,
      project text NOT NULL,
      url text NOT NULL,
      description text NOT NULL,
      events jsonb,
      status text NOT NULL,
      disabled_reason text,
      secret text NOT NULL,
      created_at timestamptz NOT NULL DEFAULT now()
    )`);
    await queryRunner.query('CREATE INDEX webhooks_project_number ON webhooks (project, number)');
    await queryRunner.query(`CREATE TABLE webhook_deliveries (
      id text PRIMARY KEY,
      number bigserial CONSTRAINT webhook_deliveries_number UNIQUE,
      project text NOT NULL,
      webhook text NOT NULL,
      sequence bigint,
      type text NOT NULL,
      subject text NOT NULL,
      data jsonb NOT NULL,
      occurred_at timestamptz NOT NULL,
      status text NOT NULL,
      replays integer NOT NULL DEFAULT 0,
      attempts integer NOT NULL DEFAULT 0,
      attempted_at timestamptz,
      next_attempt_at timestamptz,
      response_status integer,
      response text,
      error text,
      due_at timestamptz NOT NULL DEFAULT now(),
      created_at timestamptz NOT NULL DEFAULT now(),
      CONSTRAINT webhook_deliveries_event UNIQUE (webhook, sequence)
    )`);
    await queryRunner.query('CREATE INDEX webhook_deliveries_webhook_number ON webhook_deliveries (webhook, number)');
    await queryRunner.query(
      `CREATE INDEX webhook_deliveries_due ON webhook_deliveries (due_at) WHERE status = 'pending'`,
    );
    await queryRunner.query('CREATE INDEX webhook_deliveries_subject ON webhook_deliveries (subject)');
    await queryRunner.query('CREATE INDEX webhook_deliveries_created_at ON webhook_deliveries (created_at)');
    await queryRunner.query(`CREATE TRIGGER refuse_removed BEFORE INSERT ON webhook_deliveries FOR EACH ROW
      WHEN (NEW.type NOT LIKE '%.deleted') EXECUTE FUNCTION refuse_event_of_removed()`);
    // A webhook that is being deleted is waited for: no delivery outlives it.
    await queryRunner.query(`CREATE FUNCTION deliver_to_webhooks() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO webhook_deliveries (id, project, webhook, sequence, type, subject, data, occurred_at, status)
    SELECT 'delivery-' || replace(gen_random_uuid()::text, '-', ''), NEW.project, w.id, NEW.sequence, NEW.type,
      NEW.subject, NEW.data, NEW.created_at, 'pending'
    FROM webhooks AS w
    WHERE w.project = NEW.project AND w.status = 'enabled' AND (w.events IS NULL OR w.events ? NEW.type)
    FOR KEY SHARE OF w;
  IF FOUND THEN PERFORM pg_notify('agentflow_events', 'webhooks'); END IF;
  RETURN NULL;
END $$`);
    await queryRunner.query(`CREATE TRIGGER deliver_to_webhooks AFTER INSERT ON project_events FOR EACH ROW
      EXECUTE FUNCTION deliver_to_webhooks()`);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('DROP TRIGGER deliver_to_webhooks ON project_events');
    await queryRunner.query('DROP FUNCTION deliver_to_webhooks()');
    await queryRunner.query('DROP TABLE webhook_deliveries');
    await queryRunner.query('DROP TABLE webhooks');
  }
}
