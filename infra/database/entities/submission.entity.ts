import { Column, CreateDateColumn, Generated, PrimaryColumn } from 'typeorm';
import type { RunFailure } from '../../../contracts/failures.js';
import { bigintTransformer } from '../bigint.transformer.js';

/**
 * What somebody submitted, with a workflow that works on it: a training run, an agent flow, an evaluation on
 * benchmarks. After its creation its workflow writes the row, by writeStatus(). The API writes it only if the workflow
 * is gone, by endRow() and requeueRow().
 */
export abstract class Submission<Status extends string = string> {
  /** Ten base32 characters after the kind, as in `run-…`; also the id of the Temporal workflow. */
  @PrimaryColumn({ type: 'text' })
  id: string;

  @Column({ type: 'text' })
  project: string;

  @Column({ type: 'text' })
  status: Status;

  /** Supplied by the workflow, ascending; 0 is the API's `queued`. */
  @Column({ name: 'status_version', type: 'int', default: 0 })
  statusVersion: number;

  /**
   * What tells its own workflow from any other under its id (RowWriter): first the token that the API starts it with,
   * after its first status the id of its first execution. Null for a row of an older version: the workflow that writes
   * it next becomes its own.
   */
  @Column({ type: 'text', nullable: true })
  workflow: string | null;

  @Column({ type: 'jsonb', nullable: true })
  failure: RunFailure | null;

  /** Ascending in the order of creation: lists are ordered by it, never by a clock. */
  @Column({ type: 'bigint', transformer: bigintTransformer })
  @Generated('increment')
  number: number;

  @CreateDateColumn({ name: 'created_at', type: 'timestamptz' })
  createdAt: Date;

  @Column({ name: 'started_at', type: 'timestamptz', nullable: true })
  startedAt: Date | null;

  @Column({ name: 'finished_at', type: 'timestamptz', nullable: true })
  finishedAt: Date | null;
}
