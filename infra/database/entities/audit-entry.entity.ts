import { Column, CreateDateColumn, Entity, Generated, Index, PrimaryColumn, Unique } from 'typeorm';
import { bigintTransformer } from '../bigint.transformer.js';

/**
 * A request to the API that could change something. The row is written before the request is carried out, completed once
 * when it was answered, and then stays: the function `keep_audit_log` refuses everything else.
 */
@Entity('audit_log')
@Unique('audit_log_number', ['number'])
@Index('audit_log_project_number', ['project', 'number'])
export class AuditEntry {
  @PrimaryColumn({ type: 'text' })
  id: string;

  /** Ascending in the order of arrival. */
  @Column({ type: 'bigint', transformer: bigintTransformer })
  @Generated('increment')
  number: number;

  /** That of the key, also of one that is refused. Null, like the two after it, if the request had no key that is known. */
  @Column({ type: 'text', nullable: true })
  project: string | null;

  @Column({ name: 'key_id', type: 'text', nullable: true })
  keyId: string | null;

  /** As the key is called. */
  @Column({ name: 'key_name', type: 'text', nullable: true })
  keyName: string | null;

  @Column({ type: 'text' })
  method: string;

  /** Without its query. */
  @Column({ type: 'text' })
  path: string;

  /** As in `/v1/keys/:id`; null if there is no such route, or the request did not come so far. */
  @Column({ type: 'text', nullable: true })
  route: string | null;

  /** The id of what the request was about, or created. */
  @Column({ type: 'text', nullable: true })
  target: string | null;

  /** Of HTTP; null if the request was not answered. */
  @Column({ type: 'int', nullable: true })
  status: number | null;

  /** Where the connection came from. */
  @Column({ type: 'text', nullable: true })
  address: string | null;

  @Column({ name: 'user_agent', type: 'text', nullable: true })
  userAgent: string | null;

  @Column({ name: 'request_id', type: 'text' })
  requestId: string;

  @CreateDateColumn({ name: 'created_at', type: 'timestamptz' })
  createdAt: Date;

  /** When it was answered, or its client was gone. Null if the API ended before. */
  @Column({ name: 'finished_at', type: 'timestamptz', nullable: true })
  finishedAt: Date | null;
}
