import { parse as parseTolerantly, printParseErrorCode, type ParseError } from 'jsonc-parser'
import { UserError } from '../base/user-error.ts'
import type { Finding } from '../base/validation.ts'
import type { Document } from './document.ts'
import { validateDocument, type ValidatedDocument } from './validate.ts'

/** A document that cannot be used, with everything that is wrong with it. */
export class ConfigError extends UserError {
  readonly findings: Finding[]
  /** The findings, a line each. */
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
 * Reads a configuration document.
 * @param origin where the text is from, for the message
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
    // Recursion ends where the stack does.
    if (cause instanceof RangeError) throw new ConfigError(origin, [{ pointer: '', message: 'is nested too deeply' }], { cause })
    throw cause
  }
}

function parseJson (text: string, origin: string): unknown {
  try {
    return JSON.parse(text.replace(/^\ufeff/, ''))
  } catch (cause) {
    // Node.js quotes the text around the mistake, which no log should show, and does not always say where it is.
    const mistakes: ParseError[] = []
    parseTolerantly(text, mistakes, { disallowComments: true })
    const [mistake] = mistakes
    const before = text.slice(0, mistake?.offset ?? 0).split('\n')
    const what = mistake === undefined ? '' : `: ${printParseErrorCode(mistake.error)}`
    throw new ConfigError(origin, [{ pointer: '', message: `is not JSON${what} at line ${before.length}, column ${before.at(-1)!.length + 1}` }], { cause })
  }
}
