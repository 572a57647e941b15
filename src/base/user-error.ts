/** Something that whoever runs the gateway can mend: its message says what, and no stack is in the way of it. */
export class UserError extends Error {}
