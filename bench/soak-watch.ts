/** The observations of bench/soak.ts: how fresh lists are, and how much memory gateways use. They take bounded memory themselves. */
import { readdirSync, readFileSync } from 'node:fs'
import type { ListFacts } from './soak-origin.ts'

/** The state of a user when a list was requested. Times are in ms, on the clock of the benchmark. */
export interface Known {
  /** When the user's last accepted event was sent, and when its acceptance arrived. */
  sentAt: number
  acceptedAt: number
  /** The number of the newest list that had arrived. */
  newest: number
}

export interface Freshness {
  /** Outdated lists: requested after an event was accepted, but made before that event was sent. */
  violations: number
  /** Lists made after such an event was sent, but before its acceptance arrived: the gateway may or may not have had the event by then. */
  underWay: number
  /** Lists older than one that had arrived before they were requested. */
  wentBack: number
  /** The age of the oldest list on its arrival, in ms. */
  oldest: number
  know: (user: number) => Known
  onList: (user: number, known: Known, list: ListFacts, arrivedAt: number) => void
  onAccepted: (user: number, sentAt: number, acceptedAt: number) => void
}

export function createFreshness (users: number): Freshness {
  const sentAt = new Float64Array(users).fill(-Infinity)
  const acceptedAt = new Float64Array(users).fill(-Infinity)
  const newest = new Uint32Array(users)
  const freshness: Freshness = {
    violations: 0,
    underWay: 0,
    wentBack: 0,
    oldest: 0,
    know: user => ({ sentAt: sentAt[user]!, acceptedAt: acceptedAt[user]!, newest: newest[user]! }),
    onList (user, known, { number, calledAt }, arrivedAt) {
      if (calledAt < known.sentAt) freshness.violations++
      else if (calledAt < known.acceptedAt) freshness.underWay++
      if (number < known.newest) freshness.wentBack++
      freshness.oldest = Math.max(freshness.oldest, arrivedAt - calledAt)
      newest[user] = Math.max(newest[user]!, number)
    },
    onAccepted (user, sent, accepted) {
      sentAt[user] = Math.max(sentAt[user]!, sent)
      acceptedAt[user] = Math.max(acceptedAt[user]!, accepted)
    }
  }
  return freshness
}

/** Returns the CPU time of a process, in ms. The system counts it in hundredths of a second. */
export function readCpu (pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)!.split(' ')
  return (Number(fields[11]) + Number(fields[12])) * 10
}

/** The memory of processes and their children, in MiB. */
export interface Memory {
  rss: number
  /** Memory without pages of mapped files, which the system can reclaim. */
  anonymous: number
}

export function readMemory (pids: readonly number[]): Memory {
  const total = { rss: 0, anonymous: 0 }
  for (const pid of pids.flatMap(pid => [pid, ...childrenOf(pid)])) {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8')
    const mebibytes = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1] ?? 0) / 1024
    total.rss += mebibytes('VmRSS')
    total.anonymous += mebibytes('RssAnon')
  }
  return total
}

function childrenOf (pid: number): number[] {
  return readdirSync(`/proc/${pid}/task`).flatMap(task => {
    try {
      return readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8').split(' ').filter(Boolean).map(Number)
    } catch {
      // The thread has ended in the meantime.
      return []
    }
  })
}

/** Returns the means of the first, the middle and the last third. */
export function thirds (values: readonly number[]): [number, number, number] {
  const mean = (third: number): number => {
    const part = values.slice(Math.floor(values.length * third / 3), Math.floor(values.length * (third + 1) / 3))
    return part.reduce((sum, value) => sum + value, 0) / part.length
  }
  return [mean(0), mean(1), mean(2)]
}
