/** An error that the operator of the gateway can fix. The message says how, and is shown without a stack. */
export class UserError extends Error {}
