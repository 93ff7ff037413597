import type { UserToolsSection } from '../../../infra/config/operator/user-tools.js';
import type { ToolOutcome } from '../tool.js';
import { UserProcess, UserProcessEnded, type LoadedModule, type UserCall } from './user-process.js';

/** The processes that calls of user tools are shared out among. */
export class UserProcessPool {
  private processes: UserProcess[] = [];
  private readonly alone = new Set<UserProcess>();

  constructor(
    private readonly paths: readonly string[],
    private readonly limits: Pick<UserToolsSection, 'processes' | 'memory_mb'>,
    private readonly secrets: Record<string, string>,
  ) {}

  /** What the modules export. @throws UserToolsNotLoaded */
  modules(): Promise<readonly LoadedModule[]> {
    return this.take().modules;
  }

  /**
   * Runs a call. One that may be repeated and is open when its process ends, be it for another call, is made once more
   * in a process of its own: if that ends too, it is this call's doing, and the planner is told.
   * @throws what UserProcess.call does; UserProcessEnded only if the call may not be repeated
   */
  async run(call: UserCall, isRepeatable: boolean, signal: AbortSignal): Promise<ToolOutcome> {
    const shared = this.take();
    try {
      return await shared.call(call, signal);
    } catch (error) {
      if (!(error instanceof UserProcessEnded) || !isRepeatable) throw error;
      return shared.hadOneCall ? error.words : this.runAlone(call, signal);
    }
  }

  close(): void {
    for (const each of [...this.processes, ...this.alone]) each.kill();
  }

  private async runAlone(call: UserCall, signal: AbortSignal): Promise<ToolOutcome> {
    const alone = this.start();
    this.alone.add(alone);
    try {
      return await alone.call(call, signal);
    } catch (error) {
      if (error instanceof UserProcessEnded) return error.words;
      throw error;
    } finally {
      this.alone.delete(alone);
      alone.kill();
    }
  }

  /** An idle process, else a new one, else the one with the fewest calls. */
  private take(): UserProcess {
    this.processes = this.processes.filter(({ takesCalls }) => takesCalls);
    const [least] = this.processes.toSorted((a, b) => a.openCalls - b.openCalls);
    if (least && (least.openCalls === 0 || this.processes.length >= this.limits.processes)) return least;
    const started = this.start();
    this.processes.push(started);
    return started;
  }

  private start(): UserProcess {
    return new UserProcess(this.paths, this.limits.memory_mb, this.secrets);
  }
}
