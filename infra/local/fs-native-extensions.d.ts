/** The part that is used of a package that brings no types. */
declare module 'fs-native-extensions' {
  /** Locks a whole open file, for readers or against everybody. @returns false while another open file stands against it */
  export function tryLock(file: number, options?: { shared?: boolean }): boolean;
}
