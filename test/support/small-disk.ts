/** A disk in memory. */
export interface SmallDisk {
  mib: number;
  /** Files and directories that it takes; as many as it likes if there is no number. */
  inodes?: number;
}

/**
 * The command, run in a mount namespace of its own in which `directory` is an empty disk, owned by this user. It is
 * there as long as a process of the namespace is, and needs no root: another user becomes root of a user namespace,
 * mounts, and becomes itself again.
 */
export function withDisk({ mib, inodes }: SmallDisk, directory: string, command: string[]): string[] {
  const isRoot = process.geteuid?.() === 0;
  const options = [`size=${mib}m`, 'mode=755', ...(inodes ? [`nr_inodes=${inodes}`] : [])].join(',');
  const user = [`--map-user=${process.geteuid?.()}`, `--map-group=${process.getegid?.()}`];
  const asItself = isRoot ? command : ['unshare', '--user', ...user, ...command];
  const mount = 'mount -t tmpfs -o "$0" tmpfs "$1" && shift && exec "$@"';
  return [
    'unshare',
    '--mount',
    ...(isRoot ? [] : ['--map-root-user']),
    'sh',
    '-c',
    mount,
    options,
    directory,
    ...asItself,
  ];
}
