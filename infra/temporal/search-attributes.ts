import type { Connection } from '@temporalio/client';
import { isGrpcServiceError } from '@temporalio/client';
import proto from '@temporalio/proto';
import type { NativeConnection } from '@temporalio/worker';
import { searchAttributes } from '../../contracts/search-attributes.js';

type Attribute = (typeof searchAttributes)[keyof typeof searchAttributes];

const ATTRIBUTES: readonly Attribute[] = Object.values(searchAttributes);

const { IndexedValueType } = proto.temporal.api.enums.v1;
const INDEXED_VALUE_TYPE = {
  KEYWORD: IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD,
  INT: IndexedValueType.INDEXED_VALUE_TYPE_INT,
};

/** What the Temporal CLI calls a type. */
const CLI_TYPE = { KEYWORD: 'Keyword', INT: 'Int' };

/** The cluster lacks search attributes and does not let us add them. The message holds the commands that do. */
export class SearchAttributesMissing extends Error {
  override readonly name = 'SearchAttributesMissing';
}

/** Each as the dev server's option has it: `TrainingRun=Keyword`. */
export const SEARCH_ATTRIBUTE_OPTIONS = ATTRIBUTES.map(({ name, type }) => `${name}=${CLI_TYPE[type]}`);

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
  const added = Object.fromEntries(missing.map(({ name, type }) => [name, INDEXED_VALUE_TYPE[type]]));
  try {
    await connection.operatorService.addSearchAttributes({ namespace, searchAttributes: added });
  } catch (error) {
    throw new SearchAttributesMissing(commands(missing, namespace, error as Error), { cause: error });
  }
}

async function missingSearchAttributes(
  connection: Connection | NativeConnection,
  namespace: string,
): Promise<readonly Attribute[]> {
  try {
    const { customAttributes } = await connection.operatorService.listSearchAttributes({ namespace });
    return ATTRIBUTES.filter(({ name }) => !(name in (customAttributes ?? {})));
  } catch (error) {
    if (isGrpcServiceError(error))
      throw new SearchAttributesMissing(commands(ATTRIBUTES, namespace, error), { cause: error });
    throw error;
  }
}

function commands(missing: readonly Attribute[], namespace: string, cause: Error): string {
  const create = `temporal operator search-attribute create --namespace ${namespace}`;
  const lines = missing.map(({ name, type }) => `  ${create} --name ${name} --type ${CLI_TYPE[type]}`);
  return `The Temporal server did not let us register search attributes (${cause.message}). Run:\n${lines.join('\n')}`;
}
