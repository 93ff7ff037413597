import { EventEmitter } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { ensureLocalApiKey } from '../database/api-keys.js';
import { createDataSource, migrate } from '../database/data-source.js';
import { connectClient, type ConnectedClient } from '../temporal/connection.js';
import { ensureSearchAttributes, SearchAttributesMissing } from '../temporal/search-attributes.js';
import { stopLeftovers } from './leftovers.js';
import { identify } from './process-identity.js';
import { resolvePorts } from './resolve-ports.js';
import { requireInstalled } from './installed.js';
import { ProcessFactory } from './process-factory.js';
import { ensureDatabase } from './postgres/cluster.js';
import { stackEnvironment, temporalEnvironment } from './stack-environment.js';
import { stackOptionsFromEnvironment, stackPaths, type ProcessName, type StackOptions } from './stack-options.js';
import { readStackRecord, writeStackRecord, type StackRecord, type StackUrls } from './stack-record.js';
import { StartFailed, SupervisedProcess, type ProcessDefinition, type ProcessEvent } from './supervised-process.js';
import { claimSupervision } from './supervision.js';

/** Its health has been checked by then: it answers at once, or has died. */
const TEMPORAL_PATIENCE_MS = 10_000;

export type StackEvent = ProcessEvent | { type: 'notice'; message: string };

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
  readonly #record: StackRecord = { children: {} };
  readonly #killAll = () => this.#processes.forEach((process) => process.killNow());
  readonly #supervision: { release(): void };
  #client: ConnectedClient | undefined;
  #urls: StackUrls | undefined;
  #starting: Promise<void> | undefined;
  #stopping: Promise<void> | undefined;

  private constructor(private readonly options: StackOptions) {
    super();
    this.#supervision = claimSupervision(options.dataDirectory);
    process.once('exit', this.#killAll);
  }

  /**
   * Starts the processes in order and waits until each is healthy. What an earlier supervisor of the data directory
   * left running is stopped first.
   * @param options over those of the environment
   * @throws StackRunning, PortTaken, StartFailed, NotInstalled: nothing is left running then
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
    const ports = await resolvePorts(this.options);
    this.#prepareDataDirectory();

    const factory = await ProcessFactory.create(this.options, ports, (message) =>
      this.#emit({ type: 'notice', message }),
    );
    await this.#launch(factory.servers());
    if (factory.postgresHome) await ensureDatabase(factory.postgresHome, ports.postgres);
    await migrate(factory.urls.database);
    await this.#createApiKey(factory.urls);
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
    const servers = new Set<ProcessName>(['postgres', 'temporal']);
    const all = [...this.#processes];
    await Promise.all(all.filter(([name]) => !servers.has(name)).map(([, process]) => process.stop()));
    await Promise.all(all.filter(([name]) => servers.has(name)).map(([, process]) => process.stop()));
    await this.#starting?.catch(() => undefined); // its caller hears of it; nothing must be under way after us
    await this.#client?.connection.close();
    writeStackRecord(stackPaths(this.options.dataDirectory).record, { children: {} });
    process.off('exit', this.#killAll);
    this.#supervision.release();
  }

  async #clearLeftovers(): Promise<void> {
    const { dataDirectory } = this.options;
    const { record: path } = stackPaths(dataDirectory);
    const { children } = readStackRecord(path);
    writeStackRecord(path, { children }); // without the addresses of a stack that is gone: this one is not up yet
    const stopped = await stopLeftovers({ children }, dataDirectory);
    if (stopped.length > 0) {
      this.#emit({
        type: 'notice',
        message: `Stopped what an earlier supervisor left running: ${stopped.join(', ')}.`,
      });
    }
    this.#updateRecord({});
  }

  #prepareDataDirectory(): void {
    const paths = stackPaths(this.options.dataDirectory);
    mkdirSync(paths.artifacts, { recursive: true });
    writeFileSync(
      paths.temporalConfig,
      '# Empty on purpose: the local stack configures Temporal by environment.\n[profile.default]\n',
    );
  }

  async #launch(definitions: ProcessDefinition[]): Promise<void> {
    await Promise.all(definitions.map((definition) => this.#launchOne(definition)));
  }

  async #launchOne(definition: ProcessDefinition): Promise<void> {
    this.#throwIfStopping();
    const name = definition.name as ProcessName;
    const supervised = new SupervisedProcess(
      definition,
      (event) => this.#emit(event),
      (pid) => this.#recordChild(definition, pid),
    );
    this.#processes.set(name, supervised);
    await supervised.start();
  }

  #recordChild({ name, stopSignal }: ProcessDefinition, pid: number): void {
    const identity = identify(pid);
    if (!identity) return; // dead already
    this.#updateRecord({ children: { ...this.#record.children, [name]: { ...identity, stopSignal } } });
  }

  #updateRecord(change: Partial<StackRecord>): void {
    Object.assign(this.#record, change);
    writeStackRecord(stackPaths(this.options.dataDirectory).record, this.#record);
  }

  async #createApiKey(urls: StackUrls): Promise<void> {
    const dataSource = await createDataSource(urls.database, 1).initialize();
    try {
      await ensureLocalApiKey(dataSource, stackPaths(this.options.dataDirectory).api, urls.api);
    } finally {
      await dataSource.destroy();
    }
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
