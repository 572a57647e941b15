/** The ways in which every service refuses a call, by the status that HTTP has for them. */
export const faults = ['400', '403', '404', '429', '500', '503'] as const
export type Fault = typeof faults[number]

/** How an error looks on the wire, apart from its message. */
export interface ErrorShape {
  code: string
  status: number
  /** Members beside the message. */
  more?: Record<string, unknown>
  headers?: Record<string, string>
}

/** How a service calls its errors. */
export type FaultTable = Readonly<Record<Fault, ErrorShape>>

/** Thrown where a service would answer with an error; the service's fault table says how that looks. */
export class Refusal extends Error {
  readonly fault: Fault
  readonly shape: Partial<ErrorShape>

  /** @param shape where this error looks unlike others of its fault */
  constructor (fault: Fault, message: string, shape: Partial<ErrorShape> = {}) {
    super(message)
    this.name = 'Refusal'
    this.fault = fault
    this.shape = shape
  }
}
