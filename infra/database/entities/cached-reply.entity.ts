import { Column, CreateDateColumn, Entity, Index, PrimaryColumn } from 'typeorm';

/** What a language model answered to a request that a frozen module may make again. */
@Entity('cached_replies')
export class CachedReply {
  /** Of everything that the answer depends on. */
  @PrimaryColumn({ type: 'text' })
  sha256: string;

  @Column({ type: 'jsonb' })
  reply: unknown;

  @CreateDateColumn({ name: 'created_at', type: 'timestamptz' })
  createdAt: Date;

  /** To the hour. */
  @Index('cached_replies_used_at')
  @Column({ name: 'used_at', type: 'timestamptz', default: () => 'now()' })
  usedAt: Date;
}
