/** What the fetch command writes beside the files that it fetched. */
export const FETCH_RECORD = 'fetched.json';

export interface FetchRecord {
  dataset: string;
  repository: string;
  /** Commit of the repository: what was fetched can be fetched again. */
  commit: string;
  licence: string;
  files: { name: string; bytes: number; sha256: string }[];
}
