import { Column, Entity, Index, PrimaryColumn } from 'typeorm';

export type WorkerKind = 'agent' | 'trainer';

/**
 * A process that takes work from Temporal, as long as it is there: it says so every ten seconds, and takes its row with it when
 * it ends in order. A row that nobody renews is of a lost worker.
 */
@Entity('workers')
export class Worker {
  /** `<kind>/<random>`: a process that is started again is another worker. */
  @PrimaryColumn({ type: 'text' })
  id: string;

  @Column({ type: 'text' })
  kind: WorkerKind;

  /** `<pid>@<host>`, by which Temporal names it. */
  @Column({ type: 'text' })
  identity: string;

  @Column({ name: 'started_at', type: 'timestamptz', default: () => 'now()' })
  startedAt: Date;

  @Index('workers_seen')
  @Column({ name: 'seen_at', type: 'timestamptz', default: () => 'now()' })
  seenAt: Date;
}
