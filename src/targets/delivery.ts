import Type from 'typebox'

/** When a caller is answered: once the target has the events, or once they are where they outlive this process. */
export const deliverySchema = Type.Optional(Type.Enum(['sync', 'queued']))
