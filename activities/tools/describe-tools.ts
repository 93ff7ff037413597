import type { DataSource } from 'typeorm';
import { redactKnownIn } from '../../infra/redaction/redact.js';
import type { Tool } from './tool.js';
import type { ToolRegistry } from './tool-registry.js';

/** Only what is new is written: a worker tells the same again and again. */
const WRITE = `INSERT INTO tool_descriptions AS t (name, title, description, input_schema, asks_model, repeatable, changed_at)
  VALUES ($1, $2, $3, $4, $5, $6, now())
  ON CONFLICT (name) DO UPDATE SET title = EXCLUDED.title, description = EXCLUDED.description,
    input_schema = EXCLUDED.input_schema, asks_model = EXCLUDED.asks_model, repeatable = EXCLUDED.repeatable,
    changed_at = EXCLUDED.changed_at
  WHERE (t.title, t.description, t.input_schema, t.asks_model, t.repeatable) IS DISTINCT FROM
    (EXCLUDED.title, EXCLUDED.description, EXCLUDED.input_schema, EXCLUDED.asks_model, EXCLUDED.repeatable)`;

/**
 * Writes down what the tools that the operator registered say of themselves: the API shows it and opens none of them. Of one
 * that is not there now, because its MCP server is away, what was written before stays.
 */
export async function describeTools(
  dataSource: DataSource,
  tools: ToolRegistry,
  registered: readonly string[],
): Promise<void> {
  for (const name of registered) {
    const tool = thereNow(tools, name);
    if (!tool) continue;
    // What the operator's code and servers say of themselves may repeat a key (I6).
    const { title, description, inputJsonSchema, asksModel = false, repeatable } = tool;
    const told = redactKnownIn({ title, description, inputJsonSchema });
    await dataSource.query(WRITE, [
      name,
      told.title,
      told.description,
      JSON.stringify(told.inputJsonSchema),
      asksModel,
      repeatable,
    ]);
  }
}

function thereNow(tools: ToolRegistry, name: string): Tool | undefined {
  try {
    return tools.named(name);
  } catch {
    // A run that names it is told why.
    return undefined;
  }
}
