import { Lanes, type Waiting } from '../../delivery/lanes.ts'
import { LockedError, withLock } from '../../base/lock.ts'
import { readLines } from '../../records/lines.ts'
import { readText } from '../../records/read-records.ts'
import { UserError } from '../../base/user-error.ts'
import { toEntry, type BadLine, type Entry } from './entry.ts'
import { openPosition, Progress, type Mark, type PositionFile } from './position.ts'
import { post, type Outcome, type PostOptions } from './post.ts'
import { openRejected, type RejectedFile } from './rejected.ts'

export interface ReplayOptions {
  file: string
  namespace: string
  /** The base URL of the gateway. */
  url: string
  headers?: Readonly<Record<string, string>>
  /** The most requests at once; absent: 4. */
  concurrency?: number
  /** Whether to ignore the position of an earlier run. */
  fromStart?: boolean
  /** Stops the run. Running requests get 5 s to end. */
  signal?: AbortSignal
  onProgress?: (read: number, total: number) => void
  /** The pause between two tries of a request, in ms. */
  pause?: PostOptions['pause']
  /** Returns a number from 0 to 1, which varies the pauses. */
  random?: () => number
}

export interface ReplayResult {
  /** Delivered lines, including those of the earlier runs that this run continues. */
  delivered: number
  rejected: number
  /** All lines up to this one are done. */
  line: number
  /** The line after which this run began; 0 without an earlier run. */
  from: number
  stopped: boolean
  rejectedFile: string
}

/** The limits of the batch endpoint for one request. */
const mostBodies = 500
const mostEvents = 5_000
const mostBytes = 4 * 1024 * 1024

/** The most entries, and their bytes, that are read ahead. */
const mostWaiting = 16_000
const mostWaitingBytes = 32 * 1024 * 1024

/** The most lines from the first unfinished one on. After a crash, they are sent again. */
const mostSpan = 50_000

/** How often the position is saved, in ms. */
const saveInterval = 1_000

/** How long a stopped run waits for running requests, in ms. */
const stopGrace = 5_000

/**
 * Sends a file of bodies, or of events, to a gateway. The bodies of one user are sent one after the other, in their order. Rejected
 * lines are written into a file beside it, and the position into another file, from which the next run continues.
 * @throws UserError if the file cannot be read, or the gateway cannot be reached or refuses a whole request; the position is kept
 */
export async function replay (options: ReplayOptions): Promise<ReplayResult> {
  const { file, namespace, url, fromStart = false } = options
  try {
    return await withLock(`${file}.lock`, async () => {
      const position = await openPosition(file, { namespace, url, fromStart })
      const rejected = await openRejected(file, position.start.line)
      try {
        return await new Replay(options, position, rejected).run()
      } finally {
        await rejected.close()
      }
    })
  } catch (cause) {
    throw cause instanceof LockedError ? new UserError(`another replay of ${file} is under way`, { cause }) : cause
  }
}

class Replay {
  readonly #options: ReplayOptions
  readonly #concurrency: number
  readonly #position: PositionFile
  readonly #rejected: RejectedFile
  readonly #progress: Progress
  readonly #lanes: Lanes<Entry>
  readonly #marks = new Map<Waiting<Entry>, Mark>()
  readonly #stop = new AbortController()
  readonly #abort = new AbortController()
  readonly #calls = new Set<Promise<void>>()
  #bytes = 0
  #wake = (): void => {}
  #saved = performance.now()
  #saving: Promise<void> | undefined
  #failure: { error: unknown } | undefined

  constructor (options: ReplayOptions, position: PositionFile, rejected: RejectedFile) {
    this.#options = options
    this.#concurrency = options.concurrency ?? 4
    this.#position = position
    this.#rejected = rejected
    this.#progress = new Progress(position.start)
    this.#lanes = new Lanes({ limits: { parcels: mostBodies, bytes: mostBytes, calls: this.#concurrency }, atomic: false })
  }

  async run (): Promise<ReplayResult> {
    const { signal } = this.#options
    const stop = (): void => { this.#end() }
    signal?.addEventListener('abort', stop)
    if (signal?.aborted === true) stop()
    try {
      await this.#send()
    } catch (error) {
      this.#fail(error)
      await Promise.all(this.#calls)
    } finally {
      signal?.removeEventListener('abort', stop)
    }
    const stopped = this.#stop.signal.aborted
    await this.#saving
    // A run that failed before it had done anything leaves nothing: most likely, the next one has another destination.
    if (this.#failure !== undefined && this.#progress.position.line === 0) await this.#position.remove()
    else await this.#save()
    if (this.#failure !== undefined) throw this.#failure.error
    if (!stopped) await this.#position.remove()
    return { ...this.#progress.position, from: this.#position.start.line, stopped, rejectedFile: this.#rejected.path }
  }

  async #send (): Promise<void> {
    const { file, onProgress } = this.#options
    for await (const lines of readLines(readText(file, onProgress))) {
      for (const line of lines) {
        if (this.#stop.signal.aborted) break
        if (line.number <= this.#position.start.line) continue
        this.#add(toEntry(line))
        while (this.#isFull() && !this.#stop.signal.aborted) {
          this.#pump(1)
          await new Promise<void>(resolve => { this.#wake = resolve })
        }
      }
      if (this.#stop.signal.aborted) break
      this.#pump(mostBodies)
      await this.#rejected.written()
    }
    while (!this.#stop.signal.aborted && this.#marks.size > 0) {
      this.#pump(1)
      await Promise.race(this.#calls)
    }
    await Promise.all(this.#calls)
  }

  #isFull (): boolean {
    return this.#marks.size >= mostWaiting || this.#bytes >= mostWaitingBytes || this.#progress.span >= mostSpan
  }

  #add (entry: Entry | BadLine): void {
    const mark = this.#progress.begin(entry.line)
    if ('problem' in entry) return this.#reject(mark, { line: entry.line, reason: entry.problem, text: entry.text })
    const bytes = Buffer.byteLength(entry.body) + 1
    if (bytes > mostBytes) return this.#reject(mark, { line: entry.line, reason: 'is larger than a request may be (4 MiB)' })
    // Lanes limit a call by bytes only. The size of an entry is raised so that `mostEvents` events fill a call, too.
    const size = Math.max(bytes, entry.events * Math.ceil(mostBytes / mostEvents))
    const waiting: Waiting<Entry> = { parcel: { value: entry, owner: entry.owner, size }, since: 0, alone: false }
    this.#marks.set(waiting, mark)
    this.#bytes += bytes
    this.#lanes.add(waiting)
  }

  #reject (mark: Mark, rejection: Parameters<RejectedFile['add']>[0]): void {
    this.#rejected.add(rejection)
    this.#settle(mark, 'rejected')
  }

  #settle (mark: Mark, outcome: 'delivered' | 'rejected'): void {
    this.#progress.settle(mark, outcome)
    if (this.#saving !== undefined || performance.now() - this.#saved < saveInterval) return
    this.#saving = this.#save().catch((error: unknown) => { this.#fail(error) }).finally(() => { this.#saving = undefined })
  }

  /** Saves the position. Before that, the rejections of the lines that it counts as done have to be in their file. */
  async #save (): Promise<void> {
    const position = { ...this.#progress.position }
    await this.#rejected.written()
    await this.#position.save(position)
    this.#saved = performance.now()
  }

  /** Starts requests, up to the concurrency, while at least `least` bodies are ready. */
  #pump (least: number): void {
    while (!this.#stop.signal.aborted && this.#calls.size < this.#concurrency && this.#lanes.readyCount >= least) {
      const call = this.#call(this.#lanes.take()).catch((error: unknown) => { this.#fail(error) }).finally(() => {
        this.#calls.delete(call)
        this.#wake()
      })
      this.#calls.add(call)
    }
  }

  async #call (batch: ReadonlyArray<Waiting<Entry>>): Promise<void> {
    const { url, namespace, headers = {}, pause = { first: 250, longest: 15_000 }, random = Math.random } = this.#options
    const outcomes = await post(batch.map(({ parcel }) => parcel.value), {
      url: `${url.replace(/\/+$/, '')}/events/${namespace}/batch`, headers, pause, random, stop: this.#stop.signal, abort: this.#abort.signal
    })
    for (const [i, waiting] of batch.entries()) this.#done(waiting, outcomes[i]!)
    this.#lanes.settle(batch)
  }

  #done (waiting: Waiting<Entry>, outcome: Outcome): void {
    if (outcome === 'stopped') return
    const { line, body } = waiting.parcel.value
    const mark = this.#marks.get(waiting)!
    this.#marks.delete(waiting)
    this.#bytes -= Buffer.byteLength(body) + 1
    if (outcome === 'delivered') this.#settle(mark, outcome)
    else this.#reject(mark, { line, body, reason: outcome.reason })
  }

  #fail (error: unknown): void {
    this.#failure ??= { error }
    this.#end()
  }

  #end (): void {
    this.#stop.abort()
    setTimeout(() => { this.#abort.abort() }, stopGrace).unref()
    this.#wake()
  }
}
