import { type Finding } from '../validation.ts'
import { type Document } from './document.ts'
import { validateDocument } from './validate.ts'

/** A document that cannot be used, with everything that is wrong with it. */
export class ConfigError extends Error {
  readonly findings: Finding[]

  constructor (origin: string, findings: Finding[], options?: ErrorOptions) {
    const lines = findings.map(({ pointer, message }) => `  ${pointer || '(document)'}: ${message}`)
    super(`${origin} is not a valid configuration:\n${lines.join('\n')}`, options)
    this.name = 'ConfigError'
    this.findings = findings
  }
}

/**
 * Reads a configuration document.
 * @param origin where the text is from, for the message
 * @throws ConfigError listing all mistakes at once
 */
export function parseConfig (text: string, origin: string): Document {
  const { document, findings } = validateDocument(parseJson(text, origin))
  if (findings.length > 0) throw new ConfigError(origin, findings)
  return document
}

function parseJson (text: string, origin: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    const { message } = cause as SyntaxError
    const position = /position (\d+)/.exec(message)?.[1]
    const before = text.slice(0, position === undefined ? text.length : Number(position)).split('\n')
    const place = `line ${before.length}, column ${before.at(-1)!.length + 1}`
    // V8 quotes the text around the mistake; a document can hold keys that no log should.
    throw new ConfigError(origin, [{ pointer: '', message: `is not JSON: ${message.replace(/,? ?(\.\.\.)?".*$/s, '')} (${place})` }], { cause })
  }
}
