import { randomBytes } from 'node:crypto'
import { mkdir, open, readdir, readlink, rename, rm } from 'node:fs/promises'
import { connect, createServer, type Server } from 'node:net'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { UserError } from '../base/user-error.ts'

/**
 * LMDB tells processes apart by their process ids, so that all processes with a database open must be in one PID namespace: two containers
 * damage each other's view of it. Each process that uses the data directory listens on a socket in the directory `holders`, whose name
 * has the namespace. The kernel knows who listens, across containers, and forgets a process that was killed: no lock is left behind.
 */
const folder = 'holders'

const socketName = /^(\d+)\.(\d+)\.[0-9a-f]{8}\.([\w-]*)\.(starting|sock)$/

/** How long to wait for another process that is starting at the same moment, in ms. */
const settleWithin = 2_000

interface Holder {
  name: string
  namespace: string
  pid: string
  host: string
  isStarting: boolean
}

/** The hold on a data directory; it ends with the process at the latest. */
export interface Held {
  release: () => Promise<void>
}

/**
 * Holds the data directory for the processes of this PID namespace. On systems without such namespaces it does nothing.
 * @param namespace the number of the PID namespace; undefined on other systems than Linux
 * @throws UserError, of one line, that names the holder if processes of another namespace use the directory
 */
export async function holdDataDir (dataDir: string, namespacePromise: Promise<string | undefined> = pidNamespace()): Promise<Held> {
  const namespace = await namespacePromise
  if (namespace === undefined) return { release: async () => {} }
  const path = join(dataDir, folder)
  await mkdir(path, { recursive: true })
  const directory = await open(path)
  // The path of a socket has at most 107 bytes: this one is short whatever DATA_DIR is.
  const pathOf = (name: string): string => `/proc/self/fd/${directory.fd}/${name}`
  const own = `${namespace}.${process.pid}.${randomBytes(4).toString('hex')}.${hostname().replaceAll(/[^\w-]/g, '-').slice(0, 32)}`
  try {
    const server = await listen(pathOf(`${own}.starting`))
    const held = { release: async () => release(server, [`${own}.starting`, `${own}.sock`].map(name => join(path, name))) }
    try {
      await refuseOthers(dataDir, `${own}.starting`, pathOf)
      await rename(pathOf(`${own}.starting`), pathOf(`${own}.sock`))
      return held
    } catch (error) {
      await held.release()
      throw error
    }
  } finally {
    await directory.close()
  }
}

/** Of processes that start at the same moment, the one whose name sorts first goes on: the others see it and give way. */
async function refuseOthers (dataDir: string, own: string, pathOf: (name: string) => string): Promise<void> {
  const end = performance.now() + settleWithin
  // A holder that is renamed while the directory is read can be missed once, but not twice.
  for (let unseen = 0; unseen < 2;) {
    const others = (await livingHolders(join(dataDir, folder), pathOf)).filter(({ namespace, name }) => name !== own && namespace !== own.split('.', 1)[0])
    const [other] = others.filter(({ isStarting, name }) => !isStarting || name < own || performance.now() > end)
    if (other !== undefined) {
      throw new UserError(`DATA_DIR ${dataDir} is in use by process ${other.pid} of ${other.host || 'another container'}, in another container or PID namespace: give each instance a DATA_DIR of its own, or stop that one first (a rolling deployment has to stop the old instance before it starts the new one); a command such as an import has to run in the container of the gateway`)
    }
    unseen = others.length === 0 ? unseen + 1 : 0
    if (others.length > 0) await sleep(20)
  }
}

/** Returns the processes that hold the directory. Removes the sockets of those that have ended. */
async function livingHolders (path: string, pathOf: (name: string) => string): Promise<Holder[]> {
  const holders: Holder[] = []
  for (const name of await readdir(path)) {
    const [, namespace = '', pid = '', host = '', state] = socketName.exec(name) ?? []
    if (state === undefined) continue
    if (await isListenedTo(pathOf(name))) holders.push({ name, namespace, pid, host, isStarting: state === 'starting' })
    else await rm(join(path, name), { force: true }).catch(() => {})
  }
  return holders
}

/** Returns whether a process listens on a socket. The kernel answers, also for a process that is busy or of another user. */
async function isListenedTo (path: string): Promise<boolean> {
  return new Promise(resolve => {
    const socket = connect(path)
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', (error: NodeJS.ErrnoException) => { resolve(!['ECONNREFUSED', 'ENOENT', 'ENOTSOCK'].includes(error.code ?? '')) })
  })
}

async function listen (path: string): Promise<Server> {
  const server = createServer(socket => socket.destroy())
  server.unref()
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    // A process of another user has to be able to ask whether this one lives.
    server.listen({ path, readableAll: true, writableAll: true }, () => {
      server.off('error', reject)
      resolve(server)
    })
  })
}

async function release (server: Server, paths: readonly string[]): Promise<void> {
  await new Promise<void>(resolve => { server.close(() => { resolve() }) })
  await Promise.all(paths.map(async path => rm(path, { force: true })))
}

/** Returns the number of this process's PID namespace; undefined where there is none. */
async function pidNamespace (): Promise<string | undefined> {
  const link = await readlink('/proc/self/ns/pid').catch(() => '')
  return /^pid:\[(\d+)\]$/.exec(link)?.[1]
}
