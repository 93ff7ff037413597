import { parseDocument } from 'yaml';

/** Aliases may multiply a document at most so often: a configuration has no use for more. */
const MAX_ALIASES = 16;

/** A text is not the one YAML document that it should be. The message says where. */
export class YamlError extends Error {
  override readonly name = 'YamlError';
}

/**
 * Parses one YAML 1.2 document into plain data: core schema, no merge keys, no tags beyond the core ones, no duplicate
 * keys, aliases bounded.
 * @throws YamlError
 */
export function parseYaml(text: string): unknown {
  const document = read(() =>
    parseDocument(text, { version: '1.2', schema: 'core', merge: false, strict: true, stringKeys: true }),
  );
  const [problem] = [...document.errors, ...document.warnings];
  if (problem) throw new YamlError(problem.message.trim(), { cause: problem });
  return read(() => document.toJS({ maxAliasCount: MAX_ALIASES }) as unknown);
}

/** Excessive aliases raise a ReferenceError, nesting without end a RangeError. */
function read<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof RangeError) throw new YamlError('it is nested too deeply', { cause: error });
    throw new YamlError((error as Error).message, { cause: error });
  }
}
