import { constants } from 'node:fs'
import { access, mkdir, open, rm, stat, statfs } from 'node:fs/promises'
import { join } from 'node:path'
import { userInfo } from 'node:os'
import { UserError } from '../base/user-error.ts'

/** Network file systems, by the number that Linux gives their type (statfs(2)). LMDB maps files into memory, which needs one kernel. */
const networkTypes: ReadonlyMap<number, string> = new Map([
  [0x6969, 'NFS (such as Amazon EFS)'], [0x517B, 'SMB'], [0xFF534D42, 'SMB (CIFS)'], [0xFE534D42, 'SMB'], [0x01021997, '9P'], [0x5346414F, 'AFS'],
  [0x00C36400, 'Ceph'], [0x0BD00BD0, 'Lustre (such as Amazon FSx)'], [0x47504653, 'GPFS'], [0x564C, 'NCP'], [0x73757245, 'Coda']
])

/** Returns the name of a network file system; undefined for a file system of this machine. @param type the type of `statfs` */
export function networkFileSystem (type: number): string | undefined {
  return networkTypes.get(type >>> 0)
}

/**
 * Creates the data directory if it is missing, and checks that this process can use it.
 * @param typeOf returns the type of the file system of a path
 * @throws UserError, of one line, if it cannot be written, or is on a network file system
 */
export async function prepareDataDir (dataDir: string, typeOf = async (path: string): Promise<number> => (await statfs(path)).type): Promise<void> {
  const probe = join(dataDir, `.probe-${process.pid}`)
  try {
    await mkdir(dataDir, { recursive: true })
    const handle = await open(probe, 'w')
    await handle.close()
    await rm(probe, { force: true })
    for (const folder of ['events', 'items', 'holders']) await access(join(dataDir, folder), constants.R_OK | constants.W_OK | constants.X_OK).catch(ignoreMissing)
  } catch (cause) {
    throw await notWritable(dataDir, cause as NodeJS.ErrnoException)
  }
  const network = networkFileSystem(await typeOf(dataDir))
  if (network !== undefined) {
    throw new UserError(`DATA_DIR ${dataDir} is on a network file system, ${network}, on which its database can be damaged: set DATA_DIR to a directory on a disk of this machine, one for each instance`)
  }
}

function ignoreMissing (error: NodeJS.ErrnoException): void {
  if (error.code !== 'ENOENT') throw error
}

async function notWritable (dataDir: string, cause: NodeJS.ErrnoException): Promise<Error> {
  const { uid } = userInfo()
  const { code = '', path = dataDir } = cause
  const owner = await stat(dataDir).then(({ uid, mode }) => `; it belongs to uid ${uid}, with the mode ${(mode & 0o777).toString(8)}`, () => '')
  const reason = {
    EACCES: `cannot be written by uid ${uid}${owner}: give that user the directory (chown ${uid}), or set DATA_DIR to one that it may write`,
    EPERM: `cannot be written by uid ${uid}${owner}: give that user the directory (chown ${uid}), or set DATA_DIR to one that it may write`,
    EROFS: `cannot be written by uid ${uid}, as its file system is read-only: mount a volume that can be written, or set DATA_DIR to a directory on one`,
    ENOSPC: 'cannot be written, as the disk is full',
    ENOTDIR: `is no directory, or below a file (${path}): set DATA_DIR to a directory that uid ${uid} may write`,
    EEXIST: `is a file: set DATA_DIR to a directory that uid ${uid} may write`
  }[code]
  return reason === undefined ? cause : new UserError(`DATA_DIR ${dataDir} ${reason}`, { cause })
}
