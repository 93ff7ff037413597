import { randomBytes } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import type { Request } from 'express';
import { DataSource, type EntityManager } from 'typeorm';
import { UPLOAD_TYPES } from '../../contracts/uploaded-dataset.js';
import type { ReceivedFile } from '../../infra/artifacts/artifact-store.js';
import { isKnownName } from '../../infra/config/operator/datasets.js';
import type { OperatorFile } from '../../infra/config/operator-file.js';
import { IdempotencyKey, Project, UploadedDataset } from '../../infra/database/entities/index.js';
import { EVENT_CHANNEL, DATASETS_TOPIC } from '../../infra/database/event-channel.js';
import { ApiError, conflict, notFound, unknownCursor } from '../common/api-error.js';
import { toList, type List } from '../common/list.dto.js';
import { OPERATOR } from '../dependencies.module.js';
import { createOnce, readIdempotency } from '../submissions/idempotency.js';
import {
  toRegisteredDtos,
  toUploadedDto,
  withCheck,
  type DatasetDto,
  type DatasetRowDto,
  type DatasetsQuery,
  type DatasetWithCheckDto,
  type RowsQuery,
} from './dataset.dto.js';
import { StoredUploads } from './stored-uploads.js';
import { uploadBody } from './upload-body.js';
import { layoutOf, type UploadQuery } from './upload-query.dto.js';
import { requireUnused } from './users-of-upload.js';

/** Of one project. */
const MOST = 200;
/** What the file system says if there is no room. */
const NO_ROOM = new Set(['ENOSPC', 'EDQUOT']);

/** What the operator registered, the same for every project, and what the project uploaded. */
@Injectable()
export class DatasetsService {
  constructor(
    private readonly dataSource: DataSource,
    private readonly files: StoredUploads,
    @Inject(OPERATOR) private readonly operator: OperatorFile,
  ) {}

  /**
   * Receives a file, and has it checked.
   * @throws ApiError 400, 408 or 413 of its body; 409 if the name is taken; 507 if there is no room for it
   */
  async upload(
    project: string,
    request: Request,
    { name, ...layout }: UploadQuery,
    idempotencyKey?: string,
  ): Promise<{ dto: DatasetWithCheckDto; created: boolean }> {
    // A key that is none is refused before anything is received.
    readIdempotency(idempotencyKey, {});
    if (Object.hasOwn(this.operator.datasets, name)) throw taken(name, 'the operator registered one of this name');
    if (isKnownName(name)) throw taken(name, 'it is a computed or a published one. Take another name');
    await refuseTaken(this.dataSource.manager, project, name, idempotencyKey);
    const file = await this.receive(request);
    try {
      const format = UPLOAD_TYPES[mediaType(request)];
      const row = { project, name, format, layout: layoutOf(layout), sha256: file.sha256, bytes: file.bytes };
      return await this.create(row, file, idempotencyKey);
    } finally {
      await file.drop();
    }
  }

  private async receive(request: Request): Promise<ReceivedFile> {
    try {
      return await this.files.receive(uploadBody(request, this.operator.api.dataset_bytes));
    } catch (error) {
      if (!NO_ROOM.has((error as NodeJS.ErrnoException).code ?? '')) throw error;
      const message = 'The disk of the artifact store is full. Nothing of the file was kept. Tell the operator.';
      throw new ApiError(507, 'server_error', 'insufficient_storage', message, { cause: error });
    }
  }

  private async create(
    row: Pick<UploadedDataset, 'project' | 'name' | 'format' | 'layout' | 'sha256' | 'bytes'>,
    file: ReceivedFile,
    idempotencyKey: string | undefined,
  ): Promise<{ dto: DatasetWithCheckDto; created: boolean }> {
    const { project, name, format, layout, sha256 } = row;
    const id = `dataset-${randomBytes(8).toString('hex')}`;
    const idempotency = readIdempotency(idempotencyKey, { dataset: { name, format, layout, sha256 } });
    try {
      const earlier = await createOnce(this.dataSource, { project, id }, idempotency, async (manager) => {
        await refuseMany(manager, project);
        await refuseTaken(manager, project, name);
        const uri = await this.files.keep(manager, file, format);
        await manager.insert(UploadedDataset, { ...row, id, uri, status: 'checking' });
        await manager.query('SELECT pg_notify($1, $2)', [EVENT_CHANNEL, DATASETS_TOPIC]);
      });
      const made = await this.dataSource.getRepository(UploadedDataset).findOneBy({ id: earlier ?? id, project });
      if (!made) throw unknown(name);
      return { dto: withCheck(made), created: earlier === undefined };
    } catch (error) {
      // What cannot be removed now is swept up later.
      await this.files.free(`${sha256}.${format}`).catch(() => undefined);
      throw error;
    }
  }

  /** Registered ones, then those of the project, by name. */
  async list(project: string, { after, limit }: DatasetsQuery): Promise<List<DatasetDto>> {
    const rows = await this.dataSource
      .getRepository(UploadedDataset)
      .find({ where: { project }, order: { name: 'ASC' } });
    const uploaded = rows.map(toUploadedDto);
    const registered = toRegisteredDtos(this.operator).filter(({ id }) => !uploaded.some((one) => one.id === id));
    const all = [...registered, ...uploaded];
    const last = after === undefined ? -1 : all.findIndex(({ id }) => id === after);
    if (after !== undefined && last < 0) throw unknownCursor(`there is no dataset "${after}".`);
    return toList(
      all.slice(last + 1),
      limit,
      ({ id }) => id,
      (dto) => dto,
    );
  }

  /** @throws ApiError 404, also if it is another project's */
  async get(project: string, name: string): Promise<DatasetWithCheckDto> {
    const row = await this.dataSource.getRepository(UploadedDataset).findOneBy({ project, name });
    if (row) return withCheck(row);
    const registered = toRegisteredDtos(this.operator).find(({ id }) => id === name);
    if (!registered) throw unknown(name);
    return { ...registered, check: null };
  }

  /** The first questions of an uploaded dataset, in the order of its file. @throws ApiError 404; 409 */
  async listRows(project: string, name: string, { after = 0, limit }: RowsQuery): Promise<List<DatasetRowDto>> {
    const row = await this.dataSource
      .createQueryBuilder(UploadedDataset, 'upload')
      .addSelect('upload.preview')
      .where({ project, name })
      .getOne();
    if (!row) throw this.notUploaded(name);
    if (row.status === 'checking') {
      const message = `The dataset "${name}" is being checked: there is no preview of it before that has ended.`;
      throw conflict('dataset_checking', message, { param: 'id' });
    }
    const rows = (row.preview ?? []).map((shown, i) => ({ row: i + 1, object: 'dataset_row' as const, ...shown }));
    return toList(
      rows.slice(after),
      limit,
      (shown) => String(shown.row),
      (shown) => shown,
    );
  }

  /**
   * Deletes an uploaded dataset that nothing names, and its bytes if no other has the same.
   * @throws ApiError 404; 409 that names what uses it
   */
  async remove(project: string, name: string): Promise<void> {
    const { sha256, format } = await this.dataSource.transaction(async (manager) => {
      // Whoever is about to use it (claimUploads) is waited for, or waits for this.
      const lock = { mode: 'pessimistic_write' } as const;
      const row = await manager.findOne(UploadedDataset, { where: { project, name }, lock });
      if (!row) throw this.notUploaded(name);
      await requireUnused(manager, row);
      await manager.delete(IdempotencyKey, { project, submissionId: row.id });
      await manager.delete(UploadedDataset, { id: row.id });
      return row;
    });
    await this.files.free(`${sha256}.${format}`);
  }

  private notUploaded(name: string): Error {
    if (!Object.hasOwn(this.operator.datasets, name)) return unknown(name);
    const message = `The operator registered the dataset "${name}": a project has neither a preview of it, nor can it delete it.`;
    return conflict('dataset_registered', message, { param: 'id' });
  }
}

function mediaType(request: Request): string {
  return (request.get('content-type') ?? '').split(';')[0].trim().toLowerCase();
}

/** @param key of a request that may be a second one: the name may be taken by the first, which committed both */
async function refuseTaken(manager: EntityManager, project: string, name: string, key?: string): Promise<void> {
  if (!(await manager.existsBy(UploadedDataset, { project, name }))) return;
  if (key !== undefined && (await manager.existsBy(IdempotencyKey, { project, key }))) return;
  throw taken(name, 'the project has one of this name. Delete it first, or take another name');
}

function taken(name: string, why: string): Error {
  return conflict('dataset_exists', `name: there is a dataset "${name}" already: ${why}.`, { param: 'name' });
}

/** Until the transaction ends, no other request adds one: the project's row is locked. @throws ApiError 409 */
async function refuseMany(manager: EntityManager, project: string): Promise<void> {
  await manager.findOneOrFail(Project, { where: { id: project }, lock: { mode: 'for_no_key_update' } });
  if ((await manager.countBy(UploadedDataset, { project })) < MOST) return;
  throw conflict('too_many_datasets', `The project "${project}" has uploaded ${MOST} datasets: delete one first.`);
}

function unknown(name: string): Error {
  return notFound('dataset_not_found', `There is no dataset "${name}".`, { param: 'id' });
}
