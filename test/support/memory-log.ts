import type { EventLog, LoggedEvent } from '../../src/recommender/event-log.ts'

export interface MemoryLog extends EventLog {
  imported: string
  /** The events in the log. A test may add to them. */
  events: LoggedEvent[]
  /** Number of reads. */
  reads: number
  /** Called before each read. */
  onRead: () => void
  /** An append waits for this promise after it has settled its keys. */
  committing: Promise<void>
}

let imports = 0

/** Returns the key of an event's time. */
export function keyOf (time: number): Buffer {
  const key = Buffer.alloc(6)
  key.writeUIntBE(time, 0, 6)
  return key
}

/** Creates a log in memory. Each read returns one event, in order of time, so that a test can act in between. Keys are times. */
export function memoryLog (...events: LoggedEvent[]): MemoryLog {
  return {
    events,
    reads: 0,
    onRead: () => {},
    committing: Promise.resolve(),
    async append (added, { onWriting } = {}) {
      onWriting?.(added.map(({ sentAt }) => keyOf(sentAt)))
      await this.committing
      for (const event of added) if (!this.events.includes(event)) this.events.push(event)
      return { added: added.map(event => ({ key: keyOf(event.sentAt), event })), others: Promise.resolve() }
    },
    read (after) {
      this.reads++
      this.onRead()
      const from = after === undefined ? -1 : after.readUIntBE(0, 6)
      return this.events.filter(({ sentAt }) => sentAt > from).sort((a, b) => a.sentAt - b.sentAt).slice(0, 1)
        .map(event => ({ key: keyOf(event.sentAt), event }))
    },
    get count () { return this.events.length },
    imported: '',
    async markImported () { this.imported = `import ${++imports}` },
    close: async () => {}
  }
}
