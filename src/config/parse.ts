import { parse as parseTolerantly, printParseErrorCode, type ParseError } from 'jsonc-parser'
import { UserError } from '../base/user-error.ts'
import type { Finding } from '../base/validation.ts'
import type { Document } from './document.ts'
import { validateDocument, type ValidatedDocument } from './validate.ts'

/** The error for an invalid document, with all of its mistakes. */
export class ConfigError extends UserError {
  readonly findings: Finding[]
  /** The findings as text, one per line. */
  readonly details: string

  constructor (origin: string, findings: Finding[], options?: ErrorOptions) {
    const details = findings.map(({ pointer, message }) => `  ${pointer || '(document)'}: ${message}`).join('\n')
    super(`${origin} is not a valid configuration:\n${details}`, options)
    this.name = 'ConfigError'
    this.details = details
    this.findings = findings
  }
}

/**
 * Parses and validates a configuration document.
 * @param origin the file or other source of the text, for the message
 * @throws ConfigError listing all mistakes at once
 */
export function parseConfig (text: string, origin: string): Document {
  const { document, findings } = validate(parseJson(text, origin), origin)
  if (findings.length > 0) throw new ConfigError(origin, findings)
  return document
}

function validate (input: unknown, origin: string): ValidatedDocument {
  try {
    return validateDocument(input)
  } catch (cause) {
    // Validation is recursive, and a document that is nested too deeply overflows the stack.
    if (cause instanceof RangeError) throw new ConfigError(origin, [{ pointer: '', message: 'is nested too deeply' }], { cause })
    throw cause
  }
}

function parseJson (text: string, origin: string): unknown {
  try {
    return JSON.parse(text.replace(/^\ufeff/, ''))
  } catch (cause) {
    // The message of Node.js quotes the text around the mistake, which must not get into a log, and does not always have a position.
    const mistakes: ParseError[] = []
    parseTolerantly(text, mistakes, { disallowComments: true })
    const [mistake] = mistakes
    const before = text.slice(0, mistake?.offset ?? 0).split('\n')
    const what = mistake === undefined ? '' : `: ${printParseErrorCode(mistake.error)}`
    throw new ConfigError(origin, [{ pointer: '', message: `is not JSON${what} at line ${before.length}, column ${before.at(-1)!.length + 1}` }], { cause })
  }
}
