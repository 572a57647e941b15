import cluster, { type Worker } from 'node:cluster'
import { closeUndelivered } from './handover.ts'
import type { Message } from './messages.ts'

export interface PrimaryOptions {
  /** Number of workers. */
  count: number
  /** Receives the port when all listening workers can serve. */
  onServing: (port: number) => void
  /** Called for a worker that ended unexpectedly. A new worker replaces it. */
  onLost: (lost: LostWorker) => void
  /** Called if a worker ended before any could serve: then a new one would most likely fail too. */
  onFailed: (code: number) => void
}

export interface LostWorker {
  worker: number | undefined
  /** Its exit code; absent if a signal ended it. */
  code?: number
  /** The signal that ended it. */
  signal?: string
}

export interface Primary {
  /** Ends all workers. Resolves with the exit code once they have ended. */
  stop: () => Promise<number>
}

interface Question {
  waiting: Set<Worker>
  answers: unknown[]
  finish: () => void
}

/** In ms. A worker that does not answer a message within this time is killed, as it might serve outdated answers. */
const answerWithin = 5_000

/** Delay before a lost worker is replaced, in ms, so that a worker that fails to start does not keep the machine busy. */
const replaceAfter = 1_000

/** Starts workers that share the port, replaces lost ones, and forwards messages between them. */
export function startPrimary ({ count, onServing, onLost, onFailed }: PrimaryOptions): Primary {
  const workers = new Set<Worker>()
  // Workers that receive messages. A worker that has not joined yet has no state that could be outdated.
  const joined = new Set<Worker>()
  // Workers that listen but cannot serve yet.
  const early = new Set<Worker>()
  const questions = new Map<number, Question>()
  let asked = 0
  let serving = false
  let begun = false
  let stopping = false
  let exitCode = 0
  let port = 0
  let ended = (): void => {}

  function start (): void {
    if (stopping) return
    const worker = cluster.fork()
    workers.add(worker)
    closeUndelivered(worker)
    worker.on('message', (message: Message) => { hear(worker, message) })
    worker.on('error', passEnded)
    worker.on('exit', (code, signal) => { bury(worker, code, signal) })
  }

  // Of code and signal, the one that does not apply is null, whatever the types of Node.js say.
  function bury (worker: Worker, code: number | null, signal: string | null): void {
    workers.delete(worker)
    joined.delete(worker)
    early.delete(worker)
    for (const question of questions.values()) settle(question, worker)
    if (stopping) {
      exitCode ||= code ?? 1
      if (workers.size === 0) ended()
    } else if (serving) {
      onLost({ worker: worker.process.pid, ...(code !== null && { code }), ...(signal !== null && { signal }) })
      beginOnce()
      setTimeout(start, replaceAfter)
    } else {
      onFailed(code ?? 1)
    }
  }

  function hear (worker: Worker, message: Message): void {
    if (message.type === 'joined') {
      welcome(worker)
    } else if (message.type === 'serving') {
      serving = true
      port = message.port
      early.delete(worker)
      beginOnce()
    } else if (message.type === 'tell') {
      passOn(worker, message)
    } else if (message.type === 'answer') {
      const question = questions.get(message.id)
      question?.answers.push(message.answer)
      if (question !== undefined) settle(question, worker)
    }
  }

  function welcome (worker: Worker): void {
    joined.add(worker)
    if (stopping) return send(worker, { type: 'stop' })
    if (!serving) early.add(worker)
    send(worker, { type: 'welcome', early: !serving })
  }

  /** Reports that all workers serve, once. Until then none is ready, as a load balancer cannot choose which worker gets a request. */
  function beginOnce (): void {
    if (begun || early.size > 0) return
    begun = true
    for (const worker of joined) send(worker, { type: 'all-serving' })
    onServing(port)
  }

  function passOn (from: Worker, { id, topic, message }: Message & { type: 'tell' }): void {
    const others = [...joined].filter(worker => worker !== from)
    const question = ++asked
    const answers: unknown[] = []
    const waiting = new Set(others)
    const timer = setTimeout(() => {
      for (const worker of waiting) worker.process.kill('SIGKILL')
    }, answerWithin)
    questions.set(question, {
      waiting,
      answers,
      finish () {
        clearTimeout(timer)
        questions.delete(question)
        send(from, { type: 'answers', id, answers })
      }
    })
    for (const other of others) send(other, { type: 'told', id: question, topic, message })
    if (others.length === 0) questions.get(question)!.finish()
  }

  function settle (question: Question, worker: Worker): void {
    if (question.waiting.delete(worker) && question.waiting.size === 0) question.finish()
  }

  function send (worker: Worker, message: Message): void {
    if (worker.isConnected()) worker.send(message, () => {})
  }

  /** Node.js could not write a message because the worker has just ended: its exit follows. */
  function passEnded (error: NodeJS.ErrnoException): void {
    if (error.code !== 'EPIPE') throw error
  }

  for (let i = 0; i < count; i++) start()

  return {
    async stop () {
      stopping = true
      if (workers.size === 0) return exitCode
      const all = new Promise<void>(resolve => { ended = resolve })
      for (const worker of joined) send(worker, { type: 'stop' })
      await all
      return exitCode
    }
  }
}
