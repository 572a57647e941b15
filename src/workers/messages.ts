/** What a worker and its primary say to each other. */
export type Message =
  /** A worker to the primary: it listens to what is said from now on. */
  | { type: 'joined' }
  /** The primary to a worker that joined: whether it is to listen before it can serve. So probes are answered where none serves yet. */
  | { type: 'welcome', early: boolean }
  /** The primary to a worker: all that listen can serve. */
  | { type: 'all-serving' }
  /** A worker to the primary: it can serve. */
  | { type: 'serving', port: number }
  /** A worker to the primary: pass this on to all others. */
  | { type: 'tell', id: number, topic: string, message: unknown }
  /** The primary to a worker, in another's name. */
  | { type: 'told', id: number, topic: string, message: unknown }
  /** A worker to the primary: that is handled. */
  | { type: 'answer', id: number, answer: unknown }
  /** The primary to the worker that began. */
  | { type: 'answers', id: number, answers: unknown[] }
  /** The primary to a worker: end. */
  | { type: 'stop' }
