import type { SendHandle, Serializable } from 'node:child_process'
import type { Worker } from 'node:cluster'

/** The part of a child process that is used here. */
interface Channel {
  send: (message: Serializable, handle?: SendHandle, ...rest: never[]) => boolean
  on: (event: 'internalMessage', listener: (message: Confirmation) => void) => void
  once: (event: 'exit', listener: () => void) => void
}

/** The message with which Node.js sends a connection to a worker. */
interface Handover {
  act: 'newconn'
  seq: number
}

/** The message with which a worker confirms the handover whose `seq` equals `ack`. */
interface Confirmation {
  ack?: number
}

/**
 * Closes the connection that was on its way to a worker when the worker ended.
 *
 * The primary of Node.js accepts a connection, sends it to a worker, and keeps a copy of it until the worker confirms. It sends no
 * other connection to this worker before that. If the worker dies before it confirms, Node.js (20 and 24) keeps the copy open for ever, and
 * the client waits for an answer that no process can give. Node.js has no event for this, so this function watches its messages.
 */
export function closeUndelivered (worker: Worker): void {
  const channel: Channel = worker.process
  const send = channel.send.bind(channel)
  let unconfirmed: { seq: number, handle: SendHandle } | undefined
  channel.send = (message, handle, ...rest) => {
    if (handle !== undefined && isHandover(message)) unconfirmed = { seq: message.seq, handle }
    return send(message, handle, ...rest)
  }
  channel.on('internalMessage', ({ ack }) => { if (ack === unconfirmed?.seq) unconfirmed = undefined })
  channel.once('exit', () => {
    const handle = unconfirmed?.handle
    if (handle !== undefined && 'close' in handle) handle.close()
  })
}

function isHandover (message: Serializable): message is Handover {
  return typeof message === 'object' && 'act' in message && message.act === 'newconn'
}
