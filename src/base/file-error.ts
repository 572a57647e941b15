/** The intention behind a system call that failed. */
const wishes: ReadonlyArray<readonly [RegExp, string]> = [
  [/^(mkdir|mkdtemp)/, 'make the folder'],
  [/^(write|ftruncate|fsync|utime|futime|chmod|chown|link|symlink|copyfile|rename)/, 'write'],
  [/^(unlink|rm)/, 'remove'],
  [/^scandir|^readdir|^opendir/, 'list the folder'],
  [/./, 'read']
]

const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file or folder',
  EACCES: 'the user of this process may not do that',
  EPERM: 'the user of this process may not do that',
  EROFS: 'the file system is read-only',
  EISDIR: 'it is a folder; expected a file',
  ENOTDIR: 'a part of the path is a file; expected a folder',
  EEXIST: 'it is there already',
  ENOSPC: 'the disk is full',
  EMFILE: 'this process has too many files open',
  ENAMETOOLONG: 'the name is too long'
}

/** Returns what went wrong with a file, in words and with the code of the system; undefined for an error that is of no file. */
export function fileErrorText (error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined
  const { code = '', syscall = '', path } = error as NodeJS.ErrnoException
  const reason = reasons[code]
  if (path === undefined || reason === undefined) return code === 'EISDIR' ? `cannot read a folder (${code}); expected a file` : undefined
  const [, wish] = wishes.find(([pattern]) => pattern.test(syscall))!
  return `cannot ${wish} ${path}: ${reason} (${code})`
}
