import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Whose a row is: the project of every run, flow and evaluation. */
const OWNERS = `(SELECT id, project FROM training_runs UNION ALL SELECT id, project FROM agent_flows
  UNION ALL SELECT id, project FROM benchmark_evaluations)`;
const INTO =
  'INSERT INTO usage_entries (project, submission, at, kind, name, prompt_tokens, completion_tokens, cost, seconds)';
/** Of arguments that no tool was called with. */
const NOT_CALLED = `COALESCE(t.output ->> 'mistakeKind', '') NOT IN ('unreadable_arguments', 'invalid_arguments')`;
const TOOL = `(SELECT p.output ->> 'tool' FROM turns AS p
  WHERE p.flow_id = t.flow_id AND p.turn = t.turn AND p.module = 'planner')`;
/** A token id takes four bytes. */
const PLANNER = `'planner', split_part(t.policy_name, '@', 1), octet_length(t.prompt_token_ids) / 4,
  octet_length(t.response_token_ids) / 4`;

/** Kind, name, tokens and cost of a call in JSON: a kept reply, or an entry of `turns.calls`. */
const callIn = (json: string): string => `
  CASE ${json} ->> 'engine' WHEN 'policy' THEN 'policy' ELSE 'language_model' END,
  CASE ${json} ->> 'engine' WHEN 'policy' THEN split_part(${json} ->> 'model', '@', 1) ELSE ${json} ->> 'model' END,
  whole_number(${json} -> 'inputTokens'), whole_number(${json} -> 'outputTokens'),
  CASE jsonb_typeof(${json} -> 'cost') WHEN 'number' THEN (${json} ->> 'cost')::float8 END`;

/**
 * What was used, one row for each call of a model or a tool and for each training step, written by triggers in the
 * transaction that records the call: nobody who records one can forget it, and what is found again is not counted again.
 * The rows stay when what they were used for is deleted.
 */
export class Usage1796158800000 implements MigrationInterface {
  name = 'Usage1796158800000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`CREATE TABLE usage_entries (
      id bigserial PRIMARY KEY,
      project text NOT NULL,
      submission text NOT NULL,
      at timestamptz NOT NULL,
      kind text NOT NULL,
      name text,
      prompt_tokens bigint,
      completion_tokens bigint,
      cost double precision,
      seconds double precision
    )`);
    await queryRunner.query('CREATE INDEX usage_entries_project_at ON usage_entries (project, at)');
    await addFunctions(queryRunner);
    await countBefore(queryRunner);
    await addTriggers(queryRunner);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    for (const table of ['turns', 'model_replies', 'training_steps']) {
      await queryRunner.query(`DROP TRIGGER note_usage ON ${table}`);
    }
    for (const signature of [
      'note_usage_of_turn()',
      'note_usage_of_reply()',
      'note_usage_of_step()',
      'project_of(text)',
      'whole_number(jsonb)',
    ]) {
      await queryRunner.query(`DROP FUNCTION ${signature}`);
    }
    await queryRunner.query('DROP TABLE usage_entries');
  }
}

async function addFunctions(queryRunner: QueryRunner): Promise<void> {
  // What a provider says must not keep a reply from being written: it is clamped, and what is no number is unknown.
  await queryRunner.query(`CREATE FUNCTION whole_number(said jsonb) RETURNS bigint IMMUTABLE LANGUAGE sql AS $$
  SELECT CASE jsonb_typeof(said) WHEN 'number' THEN LEAST(GREATEST(said::numeric, 0), 9007199254740991)::bigint END
$$`);
  await queryRunner.query(`CREATE FUNCTION project_of(owner text) RETURNS text STABLE LANGUAGE sql AS $$
  SELECT project FROM training_runs WHERE id = owner
  UNION ALL SELECT project FROM agent_flows WHERE id = owner
  UNION ALL SELECT project FROM benchmark_evaluations WHERE id = owner
  LIMIT 1
$$`);
  await addFunction(
    queryRunner,
    'note_usage_of_turn',
    `owner := split_part(NEW.flow_id, '/', 1);`,
    `${INTO} SELECT of, owner, t.created_at, ${PLANNER}, NULL, NULL FROM (SELECT NEW.*) AS t
      WHERE t.module = 'planner' AND t.response_token_ids IS NOT NULL;
    ${INTO} SELECT of, owner, t.created_at, 'tool', ${TOOL}, NULL, NULL, NULL, NULL FROM (SELECT NEW.*) AS t
      WHERE t.module = 'executor' AND ${NOT_CALLED};`,
  );
  await addFunction(
    queryRunner,
    'note_usage_of_reply',
    `owner := split_part(NEW.flow_id, '/', 1);`,
    `${INTO} SELECT of, owner, NEW.created_at, ${callIn('NEW.reply')}, NULL;`,
  );
  await addFunction(
    queryRunner,
    'note_usage_of_step',
    'owner := NEW.run_id;',
    `${INTO} VALUES (of, owner, NEW.created_at, 'trainer', NULL, NULL, NULL, NULL, (NEW.metrics ->> 'seconds')::float8);`,
  );
}

/** A row of nobody that is known is not counted. */
async function addFunction(queryRunner: QueryRunner, name: string, owner: string, notes: string): Promise<void> {
  await queryRunner.query(`CREATE FUNCTION ${name}() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  owner text;
  of text;
BEGIN
  ${owner}
  of := project_of(owner);
  IF of IS NOT NULL THEN
    ${notes}
  END IF;
  RETURN NULL;
END $$`);
}

async function addTriggers(queryRunner: QueryRunner): Promise<void> {
  await queryRunner.query(`CREATE TRIGGER note_usage AFTER INSERT ON turns FOR EACH ROW
    WHEN (NEW.module IN ('planner', 'executor')) EXECUTE FUNCTION note_usage_of_turn()`);
  await queryRunner.query(`CREATE TRIGGER note_usage AFTER INSERT ON model_replies FOR EACH ROW
    WHEN (NEW.reply ->> 'cached' IS NULL) EXECUTE FUNCTION note_usage_of_reply()`);
  await queryRunner.query(`CREATE TRIGGER note_usage AFTER INSERT ON training_steps FOR EACH ROW
    WHEN (jsonb_typeof(NEW.metrics -> 'seconds') = 'number') EXECUTE FUNCTION note_usage_of_step()`);
}

/** What was recorded before. A reply names its model in the row of its turn; one without such a row names none. */
async function countBefore(queryRunner: QueryRunner): Promise<void> {
  const ofFlow = (rest: string) => `${INTO} SELECT o.project, o.id, ${rest}`;
  const owner = (row: string) => `JOIN ${OWNERS} AS o ON o.id = split_part(${row}.flow_id, '/', 1)`;
  await queryRunner.query(
    ofFlow(`t.created_at, ${PLANNER}, NULL, NULL FROM turns AS t ${owner('t')}
      WHERE t.module = 'planner' AND t.response_token_ids IS NOT NULL`),
  );
  await queryRunner.query(
    ofFlow(`t.created_at, 'tool', ${TOOL}, NULL, NULL, NULL, NULL FROM turns AS t ${owner('t')}
      WHERE t.module = 'executor' AND ${NOT_CALLED}`),
  );
  await queryRunner.query(
    ofFlow(`t.created_at, ${callIn('c.call')}, NULL FROM turns AS t ${owner('t')},
      LATERAL jsonb_array_elements(t.calls) AS c (call)
      WHERE jsonb_typeof(t.calls) = 'array' AND c.call ->> 'cached' IS NULL`),
  );
  await queryRunner.query(
    ofFlow(`r.created_at, ${callIn('r.reply')}, NULL FROM model_replies AS r ${owner('r')}
      WHERE r.reply ->> 'cached' IS NULL AND NOT EXISTS (
        SELECT FROM turns AS t WHERE t.flow_id = r.flow_id AND t.turn = r.turn AND t.module = r.module)`),
  );
  await queryRunner.query(
    ofFlow(`s.created_at, 'trainer', NULL, NULL, NULL, NULL, (s.metrics ->> 'seconds')::float8
      FROM training_steps AS s JOIN ${OWNERS} AS o ON o.id = s.run_id
      WHERE jsonb_typeof(s.metrics -> 'seconds') = 'number'`),
  );
}
