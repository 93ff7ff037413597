import { Injectable } from '@nestjs/common';
import { DataSource, IsNull, type EntityManager } from 'typeorm';
import { KEY_SCOPES } from '../../contracts/key-scopes.js';
import { newApiKey, type NewApiKey } from '../../infra/database/api-keys.js';
import { ApiKey } from '../../infra/database/entities/index.js';
import { badRequest, conflict, forbidden, notFound } from '../common/api-error.js';
import { toList, type List } from '../common/list.dto.js';
import { numberedPage } from '../common/numbered-page.js';
import { isOperator, OPERATOR_PROJECT } from '../projects/operator.js';
import { ProjectsService } from '../projects/projects.service.js';
import { createOnce, readIdempotency } from '../submissions/idempotency.js';
import {
  toApiKeyDto,
  type ApiKeyDto,
  type ApiKeysQuery,
  type CreatedApiKeyDto,
  type NewApiKeyBody,
} from './api-key.dto.js';

/** An operator manages the keys of every project, any other admin those of its own. */
@Injectable()
export class KeysService {
  constructor(
    private readonly dataSource: DataSource,
    private readonly projects: ProjectsService,
  ) {}

  /**
   * Creates a key that may do no more than the caller's.
   * @throws ApiError 400 if the project is not there for the caller, or the key would expire at once or outlive the
   * caller's; 403 if it would have a scope that the caller's lacks
   */
  async create(
    caller: ApiKey,
    body: NewApiKeyBody,
    idempotencyKey?: string,
  ): Promise<{ dto: CreatedApiKeyDto; created: boolean }> {
    const drawn = await this.draw(caller, body);
    const idempotency = readIdempotency(idempotencyKey, { api_key: body });
    const place = { id: drawn.row.id, project: caller.project };
    const earlier = await createOnce(this.dataSource, place, idempotency, (manager) =>
      manager.insert(ApiKey, drawn.row),
    );
    const dto = await this.get(caller, earlier ?? drawn.row.id);
    return { dto: { ...dto, key: earlier === undefined ? drawn.key : null }, created: earlier === undefined };
  }

  private async draw(caller: ApiKey, { name, scopes, project, expires_at }: NewApiKeyBody): Promise<NewApiKey> {
    const lacking = scopes.find((scope) => !caller.scopes.includes(scope));
    if (lacking !== undefined) {
      const message = `${caller.id} has not the scope "${lacking}", so that it cannot give it to a new key.`;
      throw forbidden('insufficient_scope', message, { param: 'scopes' });
    }
    const expiresAt = typeof expires_at === 'string' ? new Date(expires_at) : null;
    if (expiresAt && expiresAt.getTime() <= Date.now()) {
      throw badRequest('already_expired', `expires_at: ${expires_at} has passed.`, { param: 'expires_at' });
    }
    if (caller.expiresAt && !(expiresAt && expiresAt <= caller.expiresAt)) {
      throw outlives(caller.id, caller.expiresAt);
    }
    return newApiKey(await this.projectOf(caller, project), { name, scopes, expiresAt });
  }

  /** Newest first, without those that were revoked. */
  async list(caller: ApiKey, query: ApiKeysQuery): Promise<List<ApiKeyDto>> {
    const project = await this.projectOf(caller, query.project);
    const keys = this.dataSource.getRepository(ApiKey);
    const find = (id: string) => keys.findOneBy({ id, project });
    const listed = { where: { project, revokedAt: IsNull() }, order: 'DESC', noun: 'key', find } as const;
    return toList(await numberedPage(keys, listed, query), query.limit, ({ id }) => id, toApiKeyDto);
  }

  /** Also one that was revoked. @throws ApiError 404, also if it is another project's */
  async get(caller: ApiKey, id: string): Promise<ApiKeyDto> {
    return toApiKeyDto(await load(this.dataSource.manager, caller, id));
  }

  /**
   * From now on the key is refused. A second call does nothing more.
   * @throws ApiError 404, also if it is another project's; 409 if no key would be left that can make others
   */
  async revoke(caller: ApiKey, id: string): Promise<ApiKeyDto> {
    return this.dataSource.transaction(async (manager) => {
      const { project } = await load(manager, caller, id);
      const kept = project === OPERATOR_PROJECT ? await lockLastingAdmins(manager) : [];
      if (kept.length === 1 && kept[0].id === id) throw lastAdminKey(id);
      await manager.update(ApiKey, { id, revokedAt: IsNull() }, { revokedAt: new Date() });
      return toApiKeyDto(await load(manager, caller, id));
    });
  }

  /** @throws ApiError 400 if it is not there, or the caller may not know it */
  private async projectOf(caller: ApiKey, id = caller.project): Promise<string> {
    if (await this.projects.find(caller, id)) return id;
    throw badRequest('unknown_project', `project: there is no project "${id}".`, { param: 'project' });
  }
}

async function load(manager: EntityManager, caller: ApiKey, id: string): Promise<ApiKey> {
  const key = await manager.findOneBy(ApiKey, { id, ...(!isOperator(caller) && { project: caller.project }) });
  if (!key) throw notFound('key_not_found', `There is no key "${id}".`, { param: 'id' });
  return key;
}

/**
 * The operators' keys that do not expire and have every scope: with them, every other key can be made. If there is none,
 * those with `admin`. Two requests that revoke them wait for each other.
 */
async function lockLastingAdmins(manager: EntityManager): Promise<ApiKey[]> {
  const admins = await manager
    .createQueryBuilder(ApiKey, 'key')
    .where({ project: OPERATOR_PROJECT, revokedAt: IsNull(), expiresAt: IsNull() })
    .andWhere(`key.scopes @> '["admin"]'`)
    .orderBy('key.id')
    .setLock('pessimistic_write')
    .getMany();
  const complete = admins.filter(({ scopes }) => KEY_SCOPES.every((scope) => scopes.includes(scope)));
  return complete.length > 0 ? complete : admins;
}

function outlives(id: string, expiresAt: Date): Error {
  const latest = expiresAt.toISOString();
  const message = `expires_at: ${id} expires at ${latest}, so that a key that it makes must too. Give that time, or an earlier one.`;
  return badRequest('outlives_its_maker', message, { param: 'expires_at' });
}

function lastAdminKey(id: string): Error {
  const message =
    `${id} is the last key of the project "${OPERATOR_PROJECT}" that has all of ${KEY_SCOPES.join(', ')} and does not expire: ` +
    'without it, nobody could make such keys any more. Create another one first.';
  return conflict('last_admin_key', message, { param: 'id' });
}
