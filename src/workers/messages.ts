/** The messages between a worker and its primary. */
export type Message =
  /** Worker to primary: the worker receives messages from now on. */
  | { type: 'joined' }
  /** Primary to a worker that joined: whether it has to listen before it can serve, so that probes are answered while no worker serves yet. */
  | { type: 'welcome', early: boolean }
  /** Primary to worker: all listening workers can serve. */
  | { type: 'all-serving' }
  /** Worker to primary: the worker can serve. */
  | { type: 'serving', port: number }
  /** Worker to primary: forward this message to all other workers. */
  | { type: 'tell', id: number, topic: string, message: unknown }
  /** Primary to worker: a message that another worker sent. */
  | { type: 'told', id: number, topic: string, message: unknown }
  /** Worker to primary: the answer to a forwarded message, once it is handled. */
  | { type: 'answer', id: number, answer: unknown }
  /** Primary to the worker that sent a message: the answers of the others. */
  | { type: 'answers', id: number, answers: unknown[] }
  /** Primary to worker: the worker has to end. */
  | { type: 'stop' }
