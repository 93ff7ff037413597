import { EventEmitter } from 'node:events';
import { writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { canBind } from '../processes/bound-child.js';
import { migrate } from '../database/data-source.js';
import { connectClient, type ConnectedClient } from '../temporal/connection.js';
import { ensureSearchAttributes, SearchAttributesMissing } from '../temporal/search-attributes.js';
import { requireUsableData } from './data-directory.js';
import { describeEnd } from './describe.js';
import { DiskSpace, requireRoom } from './disk-space.js';
import { stopLeftovers } from './leftovers.js';
import { renewLocalKey } from './local-key.js';
import { LogRotation } from './log-rotation.js';
import { keepPrivate } from './private-files.js';
import { identify, identifySelf } from './process-identity.js';
import { resolvePorts } from './resolve-ports.js';
import { requireInstalled } from './installed.js';
import { ProcessFactory } from './process-factory.js';
import { ensureDatabase } from './postgres/cluster.js';
import { stackEnvironment, temporalEnvironment } from './stack-environment.js';
import type { ProcessEvent, StackEvent } from './stack-events.js';
import { stackOptionsFromEnvironment, stackPaths, type ProcessName, type StackOptions } from './stack-options.js';
import { readStackRecord, writeStackRecord, type StackRecord, type StackUrls } from './stack-record.js';
import { beginHistory, finishHistory } from './temporal-database.js';
import { StartFailed, SupervisedProcess, type ProcessDefinition, type Supervisor } from './supervised-process.js';
import { claimSupervision } from './supervision.js';

const UNBOUND =
  'This system does not have setpriv (util-linux). If this supervisor is killed, PostgreSQL, Temporal and the processes ' +
  'of the agent worker keep running until the next start stops them.';

/** Its health has been checked by then: it answers at once, or has died. */
const TEMPORAL_PATIENCE_MS = 10_000;

export interface StackObserver {
  /** Every event from the first on; `on('event', ...)` of the stack gives those after the start. */
  onEvent?: (event: StackEvent) => void;
  /** Aborting it while the stack starts stops what has started. */
  signal?: AbortSignal;
}

/**
 * The whole product on one machine: PostgreSQL, Temporal, policy server, trainer worker, agent worker and API as
 * children of this process, restarted when they die. One supervisor per data directory.
 */
export class LocalStack extends EventEmitter<{ event: [StackEvent] }> {
  readonly #processes = new Map<ProcessName, SupervisedProcess>();
  readonly #record: StackRecord = { supervisor: identifySelf(), children: {} };
  readonly #killAll = () => this.#processes.forEach((process) => process.killNow());
  readonly #supervision: { release(): void };
  /** Why each process is started again, until it is on record. */
  readonly #ends = new Map<ProcessName, string>();
  readonly #logs: LogRotation;
  #directories: string[];
  #disk: DiskSpace | undefined;
  #client: ConnectedClient | undefined;
  #urls: StackUrls | undefined;
  #starting: Promise<void> | undefined;
  #stopping: Promise<void> | undefined;

  private constructor(private readonly options: StackOptions) {
    super();
    requireUsableData(options.dataDirectory);
    requireRoom(options.dataDirectory);
    this.#supervision = claimSupervision(options.dataDirectory);
    this.#directories = [options.dataDirectory];
    this.#logs = new LogRotation(dirname(stackPaths(options.dataDirectory).log('supervisor')));
    process.once('exit', this.#killAll);
  }

  /**
   * Starts the processes in order and waits until each is healthy. What an earlier supervisor of the data directory
   * left running is stopped first.
   * @param options over those of the environment
   * @throws DataUnusable, DiskFull, StackRunning, PortTaken, StartFailed, NotInstalled: nothing is left running then
   */
  static async start(options: Partial<StackOptions> = {}, observer: StackObserver = {}): Promise<LocalStack> {
    observer.signal?.throwIfAborted();
    const stack = new LocalStack({ ...stackOptionsFromEnvironment(), ...options });
    if (observer.onEvent) stack.on('event', observer.onEvent);
    const abort = () => void stack.stop();
    observer.signal?.addEventListener('abort', abort);
    try {
      stack.#starting = stack.#start();
      await stack.#starting;
      return stack;
    } catch (error) {
      await stack.stop();
      observer.signal?.throwIfAborted();
      throw error;
    } finally {
      observer.signal?.removeEventListener('abort', abort);
    }
  }

  get urls(): StackUrls {
    if (!this.#urls) throw new Error('The local stack has not started.');
    return this.#urls;
  }

  /** pid of each process; of its last life while it waits for its restart. */
  get pids(): Partial<Record<ProcessName, number>> {
    return Object.fromEntries([...this.#processes].map(([name, { pid }]) => [name, pid]));
  }

  /** Stops everything, the servers last. Calling it twice is calling it once. */
  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  async #start(): Promise<void> {
    await this.#clearLeftovers();
    requireInstalled(this.options);
    this.#disk = new DiskSpace(
      () => this.#directories,
      (message) => this.#emit({ type: 'notice', message }),
    );
    if (!canBind()) this.#emit({ type: 'notice', message: UNBOUND });
    const ports = await resolvePorts(this.options);
    this.#prepareDataDirectory();

    const factory = await ProcessFactory.create(this.options, ports, (message) =>
      this.#emit({ type: 'notice', message }),
    );
    if (factory.postgresHome) {
      requireRoom(factory.postgresHome.directory); // another disk, perhaps
      this.#directories.push(factory.postgresHome.directory);
    }
    await this.#launch(factory.servers());
    if (!this.options.existingTemporal) finishHistory(stackPaths(this.options.dataDirectory).temporalDatabase);
    if (factory.postgresHome) await ensureDatabase(factory.postgresHome, ports.postgres);
    await migrate(factory.urls.database);
    await renewLocalKey(this.options.dataDirectory, factory.urls);
    this.#client = await connectClient({
      env: temporalEnvironment(this.options, ports),
      patienceMs: TEMPORAL_PATIENCE_MS,
    });
    await this.#registerSearchAttributes(this.#client);

    await this.#launch(factory.services(this.#client, stackEnvironment(this.options, ports, factory.urls)));
    this.#throwIfStopping();
    this.#urls = factory.urls;
    this.#updateRecord({ urls: factory.urls });
  }

  async #stop(): Promise<void> {
    const servers = new Set<ProcessName>(['postgres', 'temporal', 'temporal-ui']);
    const all = [...this.#processes];
    await Promise.all(all.filter(([name]) => !servers.has(name)).map(([, process]) => process.stop()));
    await Promise.all(all.filter(([name]) => servers.has(name)).map(([, process]) => process.stop()));
    await this.#starting?.catch(() => undefined); // its caller hears of it; nothing must be under way after us
    await this.#client?.connection.close();
    this.#disk?.close();
    this.#logs.close();
    try {
      writeStackRecord(stackPaths(this.options.dataDirectory).record, { children: {} });
    } catch (error) {
      // What it names has ended: the next start finds none of it.
      this.#emit({
        type: 'notice',
        message: `The record of the stopped stack cannot be cleared: ${(error as Error).message}. The next start clears it.`,
      });
    }
    process.off('exit', this.#killAll);
    this.#supervision.release();
  }

  async #clearLeftovers(): Promise<void> {
    const { dataDirectory } = this.options;
    const { record: path } = stackPaths(dataDirectory);
    const { children } = readStackRecord(path, (message) => this.#emit({ type: 'notice', message }));
    const stopped = await stopLeftovers({ children }, dataDirectory);
    if (stopped.length > 0) {
      this.#emit({
        type: 'notice',
        message: `Stopped the processes that an earlier supervisor left running: ${stopped.join(', ')}.`,
      });
    }
    this.#updateRecord({});
  }

  #prepareDataDirectory(): void {
    const { dataDirectory } = this.options;
    writeFileSync(
      stackPaths(dataDirectory).temporalConfig,
      '# Empty on purpose: the local stack configures Temporal by environment.\n[profile.default]\n',
    );
    if (!this.options.existingTemporal && beginHistory(stackPaths(dataDirectory).temporalDatabase)) {
      this.#emit({
        type: 'notice',
        message: "The first start was interrupted while Temporal's server made its database: it is made again.",
      });
    }
    keepPrivate(dataDirectory);
  }

  async #launch(definitions: ProcessDefinition[]): Promise<void> {
    await Promise.all(definitions.map((definition) => this.#launchOne(definition)));
  }

  async #launchOne(definition: ProcessDefinition): Promise<void> {
    this.#throwIfStopping();
    const name = definition.name as ProcessName;
    const supervisor: Supervisor = {
      emit: (event) => this.#observe(name, event),
      record: (pid) => this.#recordChild(definition, pid),
      hasRoom: () => !this.#disk?.full,
    };
    const supervised = new SupervisedProcess(this.#withShortenedSilence(definition), supervisor);
    this.#processes.set(name, supervised);
    await supervised.start();
  }

  #withShortenedSilence(definition: ProcessDefinition): ProcessDefinition {
    const silenceMs = this.options.silenceMs ?? definition.liveness.silenceMs;
    return { ...definition, liveness: { ...definition.liveness, silenceMs } };
  }

  #recordChild({ name, stopSignal }: ProcessDefinition, pid: number): void {
    const identity = identify(pid);
    if (!identity) return; // dead already
    const before = this.#record.children[name];
    const why = this.#ends.get(name as ProcessName);
    const restart = before && why && { restarts: (before.restarts ?? 0) + 1, lastRestart: { at: now(), why } };
    this.#updateRecord({ children: { ...this.#record.children, [name]: { ...identity, stopSignal, ...restart } } });
    this.#ends.delete(name as ProcessName);
  }

  /** Passes an event on, and keeps for `status` what it says about the process. */
  #observe(name: ProcessName, event: ProcessEvent): void {
    this.#emit(event);
    // A process that hung is killed then: that it hung is why it ends.
    if (event.type === 'hung' || (event.type === 'exit' && !this.#ends.has(name)))
      this.#ends.set(name, describeEnd(event));
    if (event.type === 'silent') this.#noteSilence(name, now());
    if (event.type === 'answers') this.#noteSilence(name, undefined);
  }

  #noteSilence(name: ProcessName, silentSince: string | undefined): void {
    const child = this.#record.children[name];
    if (!child) return;
    try {
      this.#updateRecord({ children: { ...this.#record.children, [name]: { ...child, silentSince } } });
    } catch {
      // The log has said it, and the process is on record.
    }
  }

  /** @throws when the record cannot be written: then it has not changed */
  #updateRecord(change: Partial<StackRecord>): void {
    writeStackRecord(stackPaths(this.options.dataDirectory).record, { ...this.#record, ...change });
    Object.assign(this.#record, change);
  }

  async #registerSearchAttributes(client: ConnectedClient): Promise<void> {
    try {
      await ensureSearchAttributes(client.connection, client.options.namespace);
    } catch (error) {
      if (!(error instanceof SearchAttributesMissing)) throw error;
      this.#emit({ type: 'notice', message: error.message });
    }
  }

  /** What has begun goes on beside a stop: it must start nothing more. */
  #throwIfStopping(): void {
    if (this.#stopping) throw new StartFailed('The local stack was stopped while it started.');
  }

  #emit(event: StackEvent): void {
    this.emit('event', event);
  }
}

function now(): string {
  return new Date().toISOString();
}
