import { Column, CreateDateColumn, Entity, PrimaryColumn, Unique } from 'typeorm';

/** A key of the API. The key itself is never stored. */
@Entity('api_keys')
@Unique('api_keys_sha256', ['sha256'])
export class ApiKey {
  @PrimaryColumn({ type: 'text' })
  id: string;

  /** What the key's runs belong to: no key sees another project's runs. */
  @Column({ type: 'text' })
  project: string;

  @Column({ type: 'text' })
  sha256: string;

  @CreateDateColumn({ name: 'created_at', type: 'timestamptz' })
  createdAt: Date;

  @Column({ name: 'revoked_at', type: 'timestamptz', nullable: true })
  revokedAt: Date | null;
}
