import { Injectable, Logger, type OnModuleDestroy } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { hashApiKey, isAccepted } from '../../infra/database/api-keys.js';
import { ApiKey } from '../../infra/database/entities/index.js';
import { ApiError } from '../common/api-error.js';
import { Background } from '../common/background.js';

/** How exactly a key's last use is known, in milliseconds. */
const USE_NOTED_EVERY_MS = 60_000;

@Injectable()
export class AuthService implements OnModuleDestroy {
  private readonly logger = new Logger(AuthService.name);
  /** When each key's use was last noted by this process, or tried to be. */
  private readonly noted = new Map<string, number>();
  private readonly background = new Background();

  constructor(private readonly dataSource: DataSource) {}

  /**
   * The row of a key, or undefined if the key is unknown or revoked. It is read for every request: what is revoked is
   * refused from then on by every process.
   * @throws ApiError 401 if it has expired
   */
  async find(key: string): Promise<ApiKey | undefined> {
    const row = await this.dataSource.getRepository(ApiKey).findOneBy({ sha256: hashApiKey(key) });
    const now = Date.now();
    if (!row || row.revokedAt) return undefined;
    if (!isAccepted(row, now)) throw expired(row);
    this.noteUse(row, now);
    return row;
  }

  async onModuleDestroy(): Promise<void> {
    await this.background.end();
  }

  /** Not waited for: that a use is not noted keeps no request from its answer. */
  private noteUse({ id, lastUsedAt }: ApiKey, now: number): void {
    const last = Math.max(lastUsedAt?.getTime() ?? 0, this.noted.get(id) ?? 0);
    if (now - last < USE_NOTED_EVERY_MS) return;
    this.noted.set(id, now);
    this.background.add(this.writeUse(id, now));
  }

  private async writeUse(id: string, now: number): Promise<void> {
    try {
      await this.dataSource.getRepository(ApiKey).update({ id }, { lastUsedAt: new Date(now) });
    } catch (error) {
      this.logger.warn(`That ${id} was used could not be noted: ${(error as Error).message}`);
    }
  }
}

function expired({ id, expiresAt }: ApiKey): ApiError {
  const message = `The API key ${id} has expired at ${expiresAt?.toISOString()}. Ask an admin of the project for another.`;
  return new ApiError(401, 'authentication_error', 'api_key_expired', message, { param: 'Authorization' });
}
