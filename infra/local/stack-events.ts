/** What happens to one process of the stack. */
export type ProcessEvent =
  | { type: 'starting'; name: string }
  | { type: 'healthy'; name: string; pid: number; seconds: number }
  | { type: 'exit'; name: string; pid: number; code: number | null; signal: NodeJS.Signals | null }
  | { type: 'restart'; name: string; delayMs: number }
  | { type: 'cannot-start'; name: string; message: string }
  | { type: 'no-log'; name: string; message: string }
  | { type: 'silent'; name: string; pid: number; seconds: number; patienceSeconds: number }
  | { type: 'answers'; name: string; pid: number }
  | { type: 'hung'; name: string; pid: number; seconds: number; lost: string };

export type StackEvent = ProcessEvent | { type: 'notice'; message: string };
