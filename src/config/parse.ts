import { UserError } from '../base/user-error.ts'
import type { Finding } from '../base/validation.ts'
import type { Document } from './document.ts'
import { parseJson } from './parse-json.ts'
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
 * Parses and validates a configuration document, which is JSON with comments.
 * @param origin the file or other source of the text, for the message
 * @throws ConfigError listing all mistakes at once
 */
export function parseConfig (text: string, origin: string): Document {
  const { document, findings } = validate(text, origin)
  if (findings.length > 0) throw new ConfigError(origin, findings)
  return document
}

function validate (text: string, origin: string): ValidatedDocument {
  try {
    const parsed = parseJson(text)
    if (parsed.value === undefined) throw new ConfigError(origin, parsed.findings)
    const { document, findings } = validateDocument(parsed.value)
    return { document, findings: [...parsed.findings, ...findings] }
  } catch (cause) {
    // Parsing and validation are recursive, and a document that is nested too deeply overflows the stack.
    if (cause instanceof RangeError) throw new ConfigError(origin, [{ pointer: '', message: 'is nested too deeply' }], { cause })
    throw cause
  }
}
