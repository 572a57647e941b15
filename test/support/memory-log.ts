import type { EventLog, LoggedEvent } from '../../src/recommender/event-log.ts'

export interface MemoryLog extends EventLog {
  imported: string
  /** What is in the log; a test may add to it. */
  events: LoggedEvent[]
  /** How often it was read. */
  reads: number
  /** Called with each reading, before it. */
  onRead: () => void
  /** What an append waits for between settling its keys and being done. */
  committing: Promise<void>
}

let imports = 0

export function keyOf (time: number): Buffer {
  const key = Buffer.alloc(6)
  key.writeUIntBE(time, 0, 6)
  return key
}

/** A log in memory of which one event is read at a time, in the order of time, so that a test can step in between. Times are keys. */
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
