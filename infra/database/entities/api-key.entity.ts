import { Column, CreateDateColumn, Entity, Generated, Index, PrimaryColumn, Unique } from 'typeorm';
import type { KeyScope } from '../../../contracts/key-scopes.js';
import { bigintTransformer } from '../bigint.transformer.js';

/** A key of the API. The key itself is never stored. */
@Entity('api_keys')
@Unique('api_keys_sha256', ['sha256'])
@Index('api_keys_project_number', ['project', 'number'])
export class ApiKey {
  @PrimaryColumn({ type: 'text' })
  id: string;

  /** What the key's runs belong to: no key sees another project's runs. */
  @Column({ type: 'text' })
  project: string;

  /** For people. */
  @Column({ type: 'text' })
  name: string;

  @Column({ type: 'jsonb' })
  scopes: KeyScope[];

  /** How the key begins, to recognise it by. Null for a key of an older version. */
  @Column({ type: 'text', nullable: true })
  prefix: string | null;

  @Column({ type: 'text' })
  sha256: string;

  /** Ascending in the order of creation. */
  @Column({ type: 'bigint', transformer: bigintTransformer })
  @Generated('increment')
  number: number;

  @CreateDateColumn({ name: 'created_at', type: 'timestamptz' })
  createdAt: Date;

  /** From then on the key is refused; null if it does not expire. */
  @Column({ name: 'expires_at', type: 'timestamptz', nullable: true })
  expiresAt: Date | null;

  /** To the minute. */
  @Column({ name: 'last_used_at', type: 'timestamptz', nullable: true })
  lastUsedAt: Date | null;

  @Column({ name: 'revoked_at', type: 'timestamptz', nullable: true })
  revokedAt: Date | null;
}
