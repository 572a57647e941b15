import Type from 'typebox'

/** When the caller gets the answer: once the target has the events (`sync`), or once they are stored outside this process (`queued`). */
export const deliverySchema = Type.Optional(Type.Enum(['sync', 'queued']))
