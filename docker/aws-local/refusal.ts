/** The errors that every service has, by HTTP status. */
export const faults = ['400', '403', '404', '429', '500', '503'] as const
export type Fault = typeof faults[number]

/** The wire format of an error, without its message. */
export interface ErrorShape {
  code: string
  status: number
  /** Additional members of the body. */
  more?: Record<string, unknown>
  headers?: Record<string, string>
}

/** The errors of a service. */
export type FaultTable = Readonly<Record<Fault, ErrorShape>>

/** Thrown if a service answers with an error. The service's fault table defines its format. */
export class Refusal extends Error {
  readonly fault: Fault
  readonly shape: Partial<ErrorShape>

  /** @param shape the differences from the fault table */
  constructor (fault: Fault, message: string, shape: Partial<ErrorShape> = {}) {
    super(message)
    this.name = 'Refusal'
    this.fault = fault
    this.shape = shape
  }
}
