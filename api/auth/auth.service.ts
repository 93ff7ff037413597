import { Injectable } from '@nestjs/common';
import { DataSource, IsNull } from 'typeorm';
import { hashApiKey } from '../../infra/database/api-keys.js';
import { ApiKey } from '../../infra/database/entities/index.js';

@Injectable()
export class AuthService {
  constructor(private readonly dataSource: DataSource) {}

  /** The project that a key belongs to, or undefined if the key is unknown or revoked. */
  async projectOf(key: string): Promise<string | undefined> {
    const row = await this.dataSource.getRepository(ApiKey).findOneBy({ sha256: hashApiKey(key), revokedAt: IsNull() });
    return row?.project;
  }
}
