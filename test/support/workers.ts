import { join } from 'node:path'
import type { Test } from 'tap'
import { startServer, type ServerProcess } from './server-process.ts'

/** What each namespace of the workers is. */
const shop = {
  recommenders: { 'recommend-items': { home: { variations: { house: { type: 'embedded' } } } } },
  eventTargets: [{ type: 'embedded' }]
}

export interface WorkersOptions {
  /** Namespaces beside `shop`; they take a worker some time to open. */
  others?: number
  /** Of the namespaces. */
  settings?: object
}

/** Starts three workers on stores of their own. */
export async function startWorkers (t: Test, { others = 0, settings = {} }: WorkersOptions = {}): Promise<ServerProcess> {
  const names = ['shop', ...Array.from({ length: others }, (_, i) => `other-${i}`)]
  const namespaces = Object.fromEntries(names.map(name => [name, { ...shop, ...settings }]))
  const dataDir = t.testdir({ 'config.json': JSON.stringify({ cacheControl: { server: { ttl: 300 } }, namespaces }) })
  return startServer(t, { WORKERS: '3', CONFIG_FILE: join(dataDir, 'config.json'), DATA_DIR: dataDir, ACCESS_LOG: 'all', LOG_LEVEL: 'info', OPEN_WRITES: 'true' })
}

/** A connection of its own for each request, so that all workers get some. */
export const alone = { connection: 'close' }

export async function read (url: string, userId: string): Promise<string> {
  const response = await fetch(`${url}/recommend-items/shop/home/${userId}?numResults=5`, { headers: alone })
  const body = await response.text()
  if (response.status !== 200) throw new Error(`${response.status}: ${body}`)
  return body
}

export async function click (url: string, userId: string, itemId: string): Promise<void> {
  const body = JSON.stringify({ userId, sessionId: `session-${userId}`, eventList: [{ eventType: 'click', itemId }] })
  const response = await fetch(`${url}/events/shop`, { method: 'POST', headers: { ...alone, 'content-type': 'application/json' }, body })
  if (response.status !== 200) throw new Error(await response.text())
}

/** The workers that listen, or have listened. */
export function listenersIn (output: string): number[] {
  const lines = output.split('\n').slice(0, -1).filter(line => line.includes('Server listening'))
  return lines.map(line => (JSON.parse(line) as { pid: number }).pid)
}

/** The workers that have answered requests. */
export function pidsIn (output: string): number[] {
  const lines = output.split('\n').filter(line => line.includes('"route"'))
  return [...new Set(lines.map(line => (JSON.parse(line) as { pid: number }).pid))]
}
