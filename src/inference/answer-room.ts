import { createBodyRoom } from '../base/body-room.ts'
import { GatewayError } from '../base/errors.ts'

const mebibyte = 1024 * 1024

/** The memory for large answers that are being made and sent, in bytes. */
const capacity = 40 * mebibyte

/** The memory that an item takes while its answer is made, in bytes: the longest metadata that `POST /items` takes, and its copy in the answer. */
const largestItem = 2 * 32 * 1024

/** Answers of more items than this, with metadata of this machine, need room to be made. */
export const manyItems = 50

/** Answers from this size on, in bytes, take room until they are sent. */
export const largeAnswer = mebibyte

const room = createBodyRoom({
  capacity,
  refusal: () => new GatewayError('TooManyAnswers', 'too many large answers are made and sent at once; ask again later, or for fewer items', { retryAfter: 1 })
})

/** Makes an answer of many items when there is room for it. @throws GatewayError 503 if there is none in time */
export async function inAnswerRoom<T> (items: number, make: () => Promise<T>): Promise<T> {
  const leave = await room.take(items * largestItem)
  try {
    return await make()
  } finally {
    leave()
  }
}

/** Takes room for an answer that is being sent. @returns a function that gives it back */
export const occupyAnswerRoom = room.occupy
