import { randomUUID } from 'node:crypto';
import type { DataSource } from 'typeorm';
import { ToolCall } from '../../infra/database/entities/index.js';
import type { CallNote } from '../tools/run-tool.js';
import { untilWritten } from './until-written.js';

/** The calls of tools that may not be repeated, each noted before it is made (I15). */
export class ToolCallNotes {
  constructor(private readonly dataSource: DataSource) {}

  /** The note of one attempt of a turn's call. */
  of({ flowId, turn, tool }: Pick<ToolCall, 'flowId' | 'turn' | 'tool'>, signal: AbortSignal): CallNote {
    const attempt = randomUUID();
    const repository = this.dataSource.getRepository(ToolCall);
    return {
      begin: () =>
        untilWritten(signal, async () => {
          const row = { flowId, turn, tool, attempt };
          await repository.createQueryBuilder().insert().values(row).orIgnore().updateEntity(false).execute();
          return repository.existsBy({ flowId, turn, attempt });
        }),
      withdraw: () => untilWritten(signal, async () => void (await repository.delete({ flowId, turn, attempt }))),
    };
  }
}
