import type { Connection } from '@temporalio/client';
import { isGrpcServiceError } from '@temporalio/client';
import proto from '@temporalio/proto';
import type { NativeConnection } from '@temporalio/worker';

/** Name and type of every search attribute that the workflows set (workflows/search-attributes.ts). */
export const SEARCH_ATTRIBUTES = {
  TrainingRun: 'Keyword',
  TrainingStep: 'Int',
  Policy: 'Keyword',
  Benchmark: 'Keyword',
  RunStatus: 'Keyword',
} as const;

type Name = keyof typeof SEARCH_ATTRIBUTES;

const { IndexedValueType } = proto.temporal.api.enums.v1;
const INDEXED_VALUE_TYPE = {
  Keyword: IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD,
  Int: IndexedValueType.INDEXED_VALUE_TYPE_INT,
};

/** The cluster lacks search attributes and does not let us add them. The message holds the commands that do. */
export class SearchAttributesMissing extends Error {
  override readonly name = 'SearchAttributesMissing';
}

/**
 * Registers what is missing in the namespace; nothing to do where all are there.
 * @throws SearchAttributesMissing where the server refuses (Temporal Cloud does: they are added in its console or CLI).
 */
export async function ensureSearchAttributes(
  connection: Connection | NativeConnection,
  namespace: string,
): Promise<void> {
  const missing = await missingSearchAttributes(connection, namespace);
  if (missing.length === 0) return;
  const searchAttributes = Object.fromEntries(
    missing.map((name) => [name, INDEXED_VALUE_TYPE[SEARCH_ATTRIBUTES[name]]]),
  );
  try {
    await connection.operatorService.addSearchAttributes({ namespace, searchAttributes });
  } catch (error) {
    throw new SearchAttributesMissing(commands(missing, namespace, error as Error), { cause: error });
  }
}

async function missingSearchAttributes(connection: Connection | NativeConnection, namespace: string): Promise<Name[]> {
  const names = Object.keys(SEARCH_ATTRIBUTES) as Name[];
  try {
    const { customAttributes } = await connection.operatorService.listSearchAttributes({ namespace });
    return names.filter((name) => !(name in (customAttributes ?? {})));
  } catch (error) {
    if (isGrpcServiceError(error))
      throw new SearchAttributesMissing(commands(names, namespace, error), { cause: error });
    throw error;
  }
}

function commands(missing: Name[], namespace: string, cause: Error): string {
  const lines = missing.map(
    (name) =>
      `  temporal operator search-attribute create --namespace ${namespace} --name ${name} --type ${SEARCH_ATTRIBUTES[name]}`,
  );
  return `The Temporal server did not let us register search attributes (${cause.message}). Run:\n${lines.join('\n')}`;
}
